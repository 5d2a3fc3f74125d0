/**
 * Processes that have filled memory fork, and the OOM killer ends them in the middle of it: a victim's pages are taken
 * away while they are copied, so that its child must not come to be, and one that did has all its parent had.
 *
 * @config SWAP=y
 * @form cpus=2 operations=3 pages=1
 * @reaches dup_mmap, oom_kill_process, oom_reap_task_mm, exit_mmap
 * @expects oom_kill in 4
 * @expects forks in 1
 */
import {
  BUG_ON,
  get_reg,
  last_turn,
  MADV_DONTNEED,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  nr_cpus,
  nr_free_pages,
  OOM_SCORE_ADJ_MIN,
  pages,
  PROT_READ,
  PROT_WRITE,
  set_oom_score_adj,
  set_reg,
  setup_per_zone_wmarks,
  sys_exit,
  sys_fork,
  sys_madvise,
  sys_mmap,
  sys_wait,
  task_program,
  user_load,
  user_signal,
  user_store,
} from 'mmtorture/kernel'

const PAGES = 8
/** What each page holds. */
const VALUE = 1
/** Turns of a process, and pages beside its own that an address space needs, for its tables. */
const TURNS = 2
const TABLES = 3

// Programs. The first task, program 0, is the hog, and never killed.
const FORKER = 1
const CHILD = 2

// Registers: the pages; pages that only take memory away, and how many; processes that live; a process's turns left.
const BASE = 0
const WASTE = 1
const ROOM = 2
const LIVE = 3
const LEFT = 4

export function setup(): number {
  const base = sys_mmap(0, pages(PAGES), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (base < 0) return base
  // Room for the processes without their children.
  const room = (nr_cpus() - 1) * (pages(PAGES) + TABLES) + TABLES
  const waste = sys_mmap(0, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (waste < 0) return waste
  for (let i = 0; i < pages(PAGES); i++) user_store(base + i, 0, VALUE)
  set_reg(BASE, base)
  set_reg(WASTE, waste)
  set_reg(ROOM, room)
  set_reg(LEFT, TURNS)
  set_oom_score_adj(OOM_SCORE_ADJ_MIN)
  start_forkers()
  setup_per_zone_wmarks(Math.max(2, nr_free_pages() - room), 1)
  return 0
}

/** One for each other CPU. */
function start_forkers(): void {
  for (let cpu = 1; cpu < nr_cpus(); cpu++) if (sys_fork(FORKER) > 0) set_reg(LIVE, get_reg(LIVE) + 1)
}

/** Takes what memory is left, and waits for the ends of the others. */
function hog(): void {
  if (get_reg(LIVE) === 0) start_forkers()
  let signal = 0
  for (let i = 0; i < get_reg(ROOM) && signal === 0; i++) signal = user_store(get_reg(WASTE) + i, 0, VALUE)
  while (get_reg(LIVE) > 0 && sys_wait() > 0) set_reg(LIVE, get_reg(LIVE) - 1)
  if (get_reg(LIVE) === 0) sys_madvise(get_reg(WASTE), get_reg(ROOM), MADV_DONTNEED)
}

/** Looks whether all is there that its parent had, and copies it. */
function copy(base: number): void {
  for (let page = base; page < base + pages(PAGES); page++) {
    const got = user_load(page, 0)
    if (user_signal() !== 0) return
    BUG_ON(got !== VALUE)
    if (user_store(page, 0, VALUE) !== 0) return
  }
}

/** Copies its pages in its first turn, then forks. */
function forker(base: number): void {
  const left = get_reg(LEFT)
  set_reg(LEFT, left - 1)
  if (left === TURNS) {
    set_oom_score_adj(0)
    copy(base)
  } else if (left > 0) sys_fork(CHILD)
  else sys_exit()
}

export function program(): void {
  const base = get_reg(BASE)
  switch (task_program()) {
    case FORKER:
      forker(base)
      return
    case CHILD:
      copy(base)
      sys_exit()
      return
    default:
      if (!last_turn()) hog()
  }
}
