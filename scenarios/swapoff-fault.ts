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
  set_reg,
  sys_madvise,
  sys_swapoff,
  sys_swapon,
  task_program,
} from 'mmtorture/kernel'
import { start_threads, swapped_area } from './common/swapped_area.ts'

const PAGES = 8
/** Words of a page, one a thread. */
const WORDS = 8

// Programs.
const SWAPPER = 0
const THREAD = 1

// Registers: the area; the word that the task writes.
const BASE = 0
const WORD = 1

/** Turns the device on and has the pages written to it. Returns its number or a negative error. */
function swap_out(base: number): number {
  const device = sys_swapon(pages(PAGES) * 4, 0)
  if (device >= 0) sys_madvise(base, pages(PAGES), MADV_PAGEOUT)
  return device
}

export function setup(): number {
  const base = swapped_area(pages(PAGES), WORDS, pages(PAGES) * 4, 0)
  if (base < 0) return base
  set_reg(BASE, base)
  return start_threads(THREAD, WORD)
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
