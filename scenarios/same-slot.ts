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
  sys_madvise,
} from 'mmtorture/kernel'
import { BASE, PAGES, share_swapped_area, WORD, WORDS } from './common/shared_swapped_area.ts'

export function setup(): number {
  return share_swapped_area(0)
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
