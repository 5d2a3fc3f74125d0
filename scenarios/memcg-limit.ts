/**
 * Processes in two groups use more memory than their groups may: reclaim of a group's own pages, and kills when swap is
 * full. The two threads of each process and its neighbours in the group charge pages at once; a fork's copies are
 * charged to the child that writes; the parent, in no group, must not be touched.
 *
 * @config SWAP=y MEMCG=y MEMORY=16M
 * @form cpus=2 operations=2 pages=3
 * @reaches try_charge, try_to_unmap, do_swap_page, oom_kill_process
 * @expects memcg_max, pgsteal_direct in 1
 * @expects pswpin in 2
 */
import {
  get_reg,
  last_turn,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  mem_cgroup_attach,
  mem_cgroup_create,
  nr_cpus,
  oracle_load,
  oracle_store,
  oracle_window,
  pages,
  prandom,
  PROT_READ,
  PROT_WRITE,
  set_page_cluster,
  set_reg,
  sys_clone_thread,
  sys_exit,
  sys_fork,
  sys_mmap,
  sys_swapon,
  sys_wait,
  task_program,
} from 'mmtorture/kernel'

const PAGES = 96
const WORDS = 2
const BATCH = 8
const GROUPS = 2

// Programs: the parent, and the two threads of each child.
const PARENT = 0
const FIRST = 1
const SECOND = 2

// Registers; GROUP and the one after it hold the groups.
const BASE = 0
const PAGE = 1
const LIVE = 2
const STARTED = 3
const GROUP = 4

export function setup(): number {
  const base = sys_mmap(0, pages(PAGES), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (base < 0) return base
  const ret = oracle_window(base, pages(PAGES), WORDS, 0)
  if (ret < 0) return ret
  // A group has room for half of what one process wants, swap for two of those.
  const limit = 1 + (pages(PAGES) >> 1)
  const device = sys_swapon(2 * limit + 1, 0)
  if (device < 0) return device
  set_page_cluster(0)
  set_reg(BASE, base)
  for (let i = 0; i < GROUPS; i++) set_reg(GROUP + i, mem_cgroup_create(limit))
  for (let i = 0; i < pages(PAGES); i += 2) oracle_store(base + i, 0)
  return 0
}

/** Starts a child for every CPU, and waits for their ends. */
function parent(base: number): void {
  if (get_reg(LIVE) === 0 && last_turn()) return
  if (get_reg(STARTED) < nr_cpus()) {
    set_reg(STARTED, get_reg(STARTED) + 1)
    set_reg(PAGE, 0)
    const live = get_reg(LIVE)
    if (sys_fork(FIRST) > 0) set_reg(LIVE, live + 1)
    return
  }
  oracle_load(base + prandom(pages(PAGES)), 0)
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
  const started = get_reg(STARTED)
  if (started > 0) {
    set_reg(STARTED, 0)
    mem_cgroup_attach(get_reg(GROUP + (started % GROUPS)))
    sys_clone_thread(SECOND)
  }
  if (walk(base, 0)) sys_exit()
}

export function program(): void {
  const base = get_reg(BASE)
  switch (task_program()) {
    case PARENT:
      parent(base)
      return
    case FIRST:
      first_thread(base)
      return
    default:
      if (walk(base, 1)) sys_exit()
  }
}
