/**
 * swapoff brings pages back while threads fault on the same pages.
 * Both have found the entry, and one of them maps the page first.
 *
 * @config SWAP=y
 * @form cpus=2 operations=2 pages=3
 * @reaches do_swapoff, unuse_pte, do_swap_page
 * @expects pswpin, pswpout in 1
 */
import {
  BUG_ON,
  get_reg,
  last_turn,
  MADV_PAGEOUT,
  oracle_load,
  oracle_store,
  pages,
  prandom,
  sys_madvise,
  sys_swapoff,
  sys_swapon,
  task_program,
} from 'mmtorture/kernel'
import { BASE, PAGES, share_swapped_area, WORD, WORDS } from './common/shared_swapped_area.ts'

// Programs.
const SWAPPER = 0
const THREAD = 1

/** Turns the device on and has the pages written to it. Returns its number or a negative error. */
function swap_out(base: number): number {
  const device = sys_swapon(pages(PAGES) * 4, 0)
  if (device >= 0) sys_madvise(base, pages(PAGES), MADV_PAGEOUT)
  return device
}

export function setup(): number {
  return share_swapped_area(THREAD)
}

export function program(): void {
  if (last_turn()) return
  const base = get_reg(BASE)
  if (task_program() === SWAPPER) {
    BUG_ON(sys_swapoff(0) !== 0)
    BUG_ON(swap_out(base) !== 0)
    return
  }
  const page = base + prandom(pages(PAGES))
  oracle_load(page, 0)
  if (get_reg(WORD) < WORDS) oracle_store(page, get_reg(WORD))
}
