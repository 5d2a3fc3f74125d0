/**
 * Threads of one process bring back the pages that setup has swapped out, the same ones at once. A fault may find the
 * slot free already, since another one was faster. There is memory for all, and nothing goes out again: no access may
 * be told that there is no memory.
 *
 * @config SWAP=y
 * @form cpus=2 operations=2 pages=3
 * @reaches do_swap_page, swapin_readahead
 * @expects pgmajfault, pswpin in 1
 */
import {
  BUG_ON,
  get_reg,
  last_turn,
  oracle_load,
  oracle_store,
  pages,
  prandom,
  set_reg,
  user_signal,
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
  const base = get_reg(BASE)
  const word = get_reg(WORD)
  for (let page = base; page < base + pages(PAGES); page++) {
    if (word < WORDS) oracle_store(page, word)
    BUG_ON(word < WORDS && user_signal() !== 0)
    oracle_load(page, prandom(WORDS))
    BUG_ON(user_signal() !== 0)
  }
}
