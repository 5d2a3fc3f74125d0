/**
 * swapoff brings pages back while a process forks that has them swapped out, and the swap map has no room for its
 * children's uses: the pages that continue the counts grow and go at once, and a child's entries may be copied from under
 * swapoff.
 *
 * @config SWAP=y SWAP_MAP_MAX=1
 * @form cpus=2 operations=4 pages=2
 * @reaches do_swapoff, unuse_pte, add_swap_count_continuation, swap_count_continued, copy_nonpresent_pte
 * @expects swap_count_continuations, forks in 4
 */
import {
  BUG_ON,
  get_reg,
  last_turn,
  MADV_PAGEOUT,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  nr_cpus,
  pages,
  prandom,
  PROT_READ,
  PROT_WRITE,
  set_page_cluster,
  set_reg,
  sys_exit,
  sys_fork,
  sys_madvise,
  sys_mmap,
  sys_swapoff,
  sys_swapon,
  sys_wait,
  task_program,
  user_load,
  user_signal,
  user_store,
} from 'mmtorture/kernel'

const PAGES = 8
/** Children that a process has at a time. */
const CHILDREN = 2

// Programs.
const SWAPPER = 0
const PARENT = 1
const CHILD = 2

// Registers: the pages; children that live.
const BASE = 0
const LIVE = 1

function swap_on(): number {
  return sys_swapon(nr_cpus() * pages(PAGES) * (CHILDREN + 1) + 1, 0)
}

export function setup(): number {
  const base = sys_mmap(0, pages(PAGES), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (base < 0) return base
  const device = swap_on()
  if (device < 0) return device
  set_page_cluster(0)
  set_reg(BASE, base)
  for (let cpu = 1; cpu < nr_cpus(); cpu++) {
    const pid = sys_fork(PARENT)
    if (pid < 0) return pid
  }
  return 0
}

/** Turns the device off and on again; without memory for its pages it stays. */
function cycle_swap(): void {
  if (sys_swapoff(0) === 0) BUG_ON(swap_on() !== 0)
}

/** Makes the pages its own again, swaps them out and forks; with all its children it waits. */
function parent(base: number): void {
  if (get_reg(LIVE) === CHILDREN) {
    if (sys_wait() > 0) set_reg(LIVE, CHILDREN - 1)
    return
  }
  for (let page = base; page < base + pages(PAGES); page++) user_store(page, 0, page)
  sys_madvise(base, pages(PAGES), MADV_PAGEOUT)
  if (sys_fork(CHILD) > 0) set_reg(LIVE, get_reg(LIVE) + 1)
}

/** Brings a page back, or none, and ends. */
function child(base: number): void {
  const page = base + prandom(2 * pages(PAGES))
  if (page < base + pages(PAGES)) {
    const got = user_load(page, 0)
    BUG_ON(user_signal() === 0 && got !== page)
  }
  sys_exit()
}

export function program(): void {
  const base = get_reg(BASE)
  if (task_program() === CHILD) {
    child(base)
    return
  }
  if (last_turn()) return
  if (task_program() === SWAPPER) cycle_swap()
  else parent(base)
}
