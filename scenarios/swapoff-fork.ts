/**
 * swapoff brings pages back while a process forks that has them swapped out, and the swap map has no room for its
 * children's uses: the pages that continue the counts grow and go at once, and a child's entries may be copied from
 * under swapoff.
 *
 * @config SWAP=y SWAP_MAP_MAX=1
 * @form cpus=2 operations=4 pages=2
 * @reaches do_swapoff, unuse_pte, add_swap_count_continuation, swap_count_continued, copy_nonpresent_pte
 * @expects swap_count_continuations, forks in 4
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
/** Children that a process has at a time. */
const CHILDREN = 2

/** Register of a parent: children that live. */
const LIVE = 1

/** Slots for all parents and their children, and one that is left over. */
function slots(): number {
  return nr_cpus() * pages(PAGES) * (CHILDREN + 1) + 1
}

export function setup(): number {
  return start_families(pages(PAGES), slots())
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
  if (page < base + pages(PAGES)) bring_back(page)
  sys_exit()
}

export function program(): void {
  const base = get_reg(BASE)
  if (task_program() === CHILD) {
    child(base)
    return
  }
  if (last_turn()) return
  if (task_program() === SWAPPER) cycle_swap(slots())
  else parent(base)
}
