/**
 * Processes of two threads fill memory that has no room for all of them: the OOM killer ends one after the other.
 * Victims die in the middle of faults, on run queues and while they sleep; the reaper takes their pages while they
 * still fault, and what the others wrote must stay. Their parent is never chosen.
 *
 * @config SWAP=y MEMORY=4M
 * @form cpus=2 operations=2 pages=3
 * @reaches oom_kill_process, oom_reap_task, select_bad_process
 * @expects oom_kill in 2
 * @expects oom_reaped in 10
 */
import {
  get_reg,
  last_turn,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  nr_cpus,
  nr_free_pages,
  OOM_SCORE_ADJ_MIN,
  oracle_load,
  oracle_store,
  oracle_window,
  pages,
  prandom,
  PROT_READ,
  PROT_WRITE,
  set_oom_score_adj,
  set_reg,
  setup_per_zone_wmarks,
  sys_clone_thread,
  sys_exit,
  sys_fork,
  sys_mmap,
  sys_wait,
  task_program,
} from 'mmtorture/kernel'

const PAGES = 160
const WORDS = 2
const BATCH = 8
/** Pages beside its own that a process needs, for its tables. */
const TABLES = 4

// Programs: the parent, and the two threads of each child.
const PARENT = 0
const FIRST = 1
const SECOND = 2

// Registers.
const BASE = 0
const PAGE = 1
const LIVE = 2
const STARTED = 3

export function setup(): number {
  const base = sys_mmap(0, pages(PAGES), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (base < 0) return base
  const ret = oracle_window(base, pages(PAGES), WORDS, 0)
  if (ret < 0) return ret
  set_reg(BASE, base)
  set_oom_score_adj(OOM_SCORE_ADJ_MIN)
  // Room for half of what the children want.
  const room = (nr_cpus() * (pages(PAGES) + TABLES)) >> 1
  setup_per_zone_wmarks(Math.max(2, nr_free_pages() - room), 1)
  return 0
}

/** Starts a child for every CPU, and waits for their ends. */
function parent(): void {
  if (get_reg(LIVE) === 0 && last_turn()) return
  if (get_reg(STARTED) < nr_cpus()) {
    set_reg(STARTED, get_reg(STARTED) + 1)
    const live = get_reg(LIVE)
    set_reg(PAGE, 0)
    if (sys_fork(FIRST) > 0) set_reg(LIVE, live + 1)
    return
  }
  if (get_reg(LIVE) === 0) set_reg(STARTED, 0)
  else if (sys_wait() > 0) set_reg(LIVE, get_reg(LIVE) - 1)
}

/** Writes the next pages, and reads what was written before; returns whether all are written. */
function walk(base: number, word: number): boolean {
  const page = get_reg(PAGE)
  const end = Math.min(pages(PAGES), page + BATCH)
  for (let i = page; i < end; i++) {
    oracle_store(base + i, word)
    oracle_load(base + prandom(i + 1), prandom(WORDS))
  }
  set_reg(PAGE, end)
  return end === pages(PAGES)
}

function first_thread(base: number): void {
  if (get_reg(STARTED) > 0) {
    set_reg(STARTED, 0)
    set_oom_score_adj(0)
    sys_clone_thread(SECOND)
  }
  if (walk(base, 0)) sys_exit()
}

export function program(): void {
  const base = get_reg(BASE)
  switch (task_program()) {
    case PARENT:
      parent()
      return
    case FIRST:
      first_thread(base)
      return
    default:
      if (walk(base, 1)) sys_exit()
  }
}
