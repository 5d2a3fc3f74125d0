/**
 * swapoff brings pages back while the processes that they belong to end: it finds an address space on mmlist that is on
 * its way out, and pages in the swap cache that nobody wants any more.
 *
 * @config SWAP=y
 * @form cpus=2 operations=4 pages=2
 * @reaches do_swapoff, unuse_mm, unuse_pte, exit_mmap, mmlist_removed
 * @expects mmlist_added, exits in 4
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

// Programs.
const SWAPPER = 0
const PARENT = 1
const CHILD = 2

// Registers: the pages; whether a child lives.
const BASE = 0
const LIVE = 1

function swap_on(): number {
  return sys_swapon(nr_cpus() * pages(PAGES) * 2 + 1, 0)
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

/** Forks a child, or waits for its end. */
function parent(): void {
  if (get_reg(LIVE) > 0) {
    if (sys_wait() > 0) set_reg(LIVE, 0)
  } else if (sys_fork(CHILD) > 0) set_reg(LIVE, 1)
}

/** Swaps its pages out, brings one back at times, and ends. */
function child(base: number): void {
  for (let page = base; page < base + pages(PAGES); page++) user_store(page, 0, page)
  sys_madvise(base, pages(PAGES), MADV_PAGEOUT)
  const page = base + prandom(pages(PAGES) + 1)
  if (page < base + pages(PAGES)) {
    const got = user_load(page, 0)
    BUG_ON(user_signal() === 0 && got !== page)
  }
  sys_exit()
}

export function program(): void {
  if (task_program() === CHILD) {
    child(get_reg(BASE))
    return
  }
  if (last_turn()) return
  if (task_program() === SWAPPER) cycle_swap()
  else parent()
}
