/**
 * Threads of one process read, write and page out the same few pages. A swap slot is read by several of them at once,
 * and what a fault saw in the page table is gone again before it has the lock: whoever comes second must notice.
 *
 * @config SWAP=y
 * @form cpus=2 operations=2 pages=3
 * @reaches do_swap_page, try_to_unmap, wp_page_reuse
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
  sys_madvise,
} from 'mmtorture/kernel'
import { start_threads, swapped_area } from './common/swapped_area.ts'

const PAGES = 8
/** Words of a page, one a thread. */
const WORDS = 8

// Registers: the area; the word that the task writes.
const BASE = 0
const WORD = 1

export function setup(): number {
  const base = swapped_area(pages(PAGES), WORDS, pages(PAGES) * 4, 0)
  if (base < 0) return base
  set_reg(BASE, base)
  return start_threads(0, WORD)
}

export function program(): void {
  if (last_turn()) return
  const page = get_reg(BASE) + prandom(pages(PAGES))
  const word = get_reg(WORD)
  // Read first, so that a write finds the page without the right to write.
  oracle_load(page, prandom(WORDS))
  if (word < WORDS) oracle_store(page, word)
  sys_madvise(page, 1, MADV_PAGEOUT)
}
