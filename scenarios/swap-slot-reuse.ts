/**
 * Threads read and write one page and swap it out, to a device as fast as memory that has one slot: whatever is swapped
 * out gets that slot. A fault that has read it finds the same entry again, though another page has been there in
 * between.
 *
 * @config SWAP=y
 * @form cpus=2 operations=2 pages=3
 * @reaches do_swap_page, try_to_unmap
 * @expects pswpin, pswpout in 1
 */
import {
  get_reg,
  last_turn,
  MADV_PAGEOUT,
  oracle_load,
  oracle_store,
  pages,
  prandom,
  set_reg,
  SWP_SYNCHRONOUS_IO,
  sys_madvise,
} from 'mmtorture/kernel'
import { start_threads, swapped_area } from './common/swapped_area.ts'

const PAGES = 1
/** Words of a page, one a thread. */
const WORDS = 15

// Registers.
const BASE = 0
const WORD = 1

export function setup(): number {
  const base = swapped_area(pages(PAGES), WORDS, pages(PAGES), SWP_SYNCHRONOUS_IO)
  if (base < 0) return base
  set_reg(BASE, base)
  return start_threads(0, WORD)
}

export function program(): void {
  if (last_turn()) return
  const page = get_reg(BASE) + prandom(pages(PAGES))
  const word = get_reg(WORD)
  oracle_load(page, word % WORDS)
  if (word < WORDS && prandom(2) === 0) oracle_store(page, word)
  sys_madvise(page, 1, MADV_PAGEOUT)
}
