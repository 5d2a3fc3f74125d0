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
import { BUG_ON, get_reg, last_turn, oracle_dio_read, oracle_load, pages, set_reg } from 'mmtorture/kernel'
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
  const base = get_reg(BASE)
  const word = get_reg(WORD)
  for (let page = base; page < base + pages(PAGES); page++) {
    if (word < WORDS) BUG_ON(oracle_dio_read(page, word) !== 0)
    else oracle_load(page, word % WORDS)
  }
}
