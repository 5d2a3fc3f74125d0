/**
 * A process forks while its pages are reclaimed. Reclaim finds a page by its reverse map and needs no mmap_lock: only
 * the locks of the page tables keep it and fork apart, and fork drops them when somebody waits.
 *
 * @config SWAP=y
 * @form cpus=2 operations=2 pages=3
 * @reaches copy_page_range, try_to_unmap, shrink_page_list, do_swap_page
 * @expects forks, pswpout in 2
 * @expects pswpin in 20
 */
import {
  get_reg,
  last_turn,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  nr_cpus,
  oracle_load,
  oracle_store,
  oracle_window,
  pages,
  prandom,
  PROT_READ,
  PROT_WRITE,
  PTRS_PER_PTE,
  set_page_cluster,
  set_reg,
  sys_clone_thread,
  sys_exit,
  sys_fork,
  sys_memory_reclaim,
  sys_mmap,
  sys_swapon,
  sys_wait,
  task_program,
} from 'mmtorture/kernel'

/** Enough that fork looks in between whether somebody waits. */
const PAGES = 32
/** They begin with a page table. */
const BASE = 4 * PTRS_PER_PTE

// Programs.
const FORKER = 0
const RECLAIMER = 1
const CHILD = 2

// Registers.
const LIVE = 0

export function setup(): number {
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED
  const base = sys_mmap(BASE, pages(PAGES), PROT_READ | PROT_WRITE, flags, 0, 0)
  if (base < 0) return base
  const ret = oracle_window(BASE, pages(PAGES), 1, 0)
  if (ret < 0) return ret
  const device = sys_swapon(pages(PAGES) * 4, 0)
  if (device < 0) return device
  set_page_cluster(0)
  for (let i = 0; i < pages(PAGES); i++) oracle_store(BASE + i, 0)
  for (let thread = 1; thread < nr_cpus(); thread++) {
    const pid = sys_clone_thread(RECLAIMER)
    if (pid < 0) return pid
  }
  return 0
}

/** One child at a time; between two the parent writes a page. */
function fork_or_wait(): void {
  if (get_reg(LIVE) === 0) {
    if (sys_fork(CHILD) > 0) set_reg(LIVE, 1)
    return
  }
  oracle_store(BASE + prandom(pages(PAGES)), 0)
  if (sys_wait() > 0) set_reg(LIVE, 0)
}

export function program(): void {
  if (task_program() === CHILD) {
    oracle_load(BASE + prandom(pages(PAGES)), 0)
    sys_exit()
    return
  }
  if (last_turn()) return
  if (task_program() === FORKER) fork_or_wait()
  else sys_memory_reclaim(pages(PAGES))
}
