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
  get_reg,
  last_turn,
  MADV_PAGEOUT,
  nr_cpus,
  pages,
  prandom,
  set_reg,
  sys_exit,
  sys_fork,
  sys_madvise,
  sys_wait,
  task_program,
  user_store,
} from 'mmtorture/kernel'
import { BASE, bring_back, CHILD, cycle_swap, start_families, SWAPPER } from './common/swap_cycle.ts'

const PAGES = 8

/** Register of a parent: whether a child lives. */
const LIVE = 1

/** Slots for all parents and their children, and one that is left over. */
function slots(): number {
  return nr_cpus() * pages(PAGES) * 2 + 1
}

export function setup(): number {
  return start_families(pages(PAGES), slots())
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
  if (page < base + pages(PAGES)) bring_back(page)
  sys_exit()
}

export function program(): void {
  if (task_program() === CHILD) {
    child(get_reg(BASE))
    return
  }
  if (last_turn()) return
  if (task_program() === SWAPPER) cycle_swap(slots())
  else parent()
}
