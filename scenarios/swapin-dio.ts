/**
 * Devices write to pages that setup has swapped out, past their page tables, the same ones at once; every read is
 * direct. Threads for which no word of a page is left load the words of others. A fault may find the slot free already,
 * since another one was faster. There is memory for all, and nothing goes out again: no read may fail for want of it.
 *
 * @config SWAP=y
 * @form cpus=2 operations=2 pages=3
 * @reaches get_user_page, do_swap_page
 * @expects pgmajfault in 1
 */
import { BUG_ON, get_reg, last_turn, oracle_dio_read, oracle_load, pages } from 'mmtorture/kernel'
import { BASE, PAGES, share_swapped_area, WORD, WORDS } from './common/shared_swapped_area.ts'

export function setup(): number {
  return share_swapped_area(0)
}

export function program(): void {
  if (last_turn()) return
  const base = get_reg(BASE)
  const word = get_reg(WORD)
  for (let page = base; page < base + pages(PAGES); page++) {
    if (word < WORDS) BUG_ON(oracle_dio_read(page, word) !== 0)
    else oracle_load(page, word % WORDS)
  }
}
