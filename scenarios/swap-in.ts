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
  user_signal,
} from 'mmtorture/kernel'
import { BASE, PAGES, share_swapped_area, WORD, WORDS } from './common/shared_swapped_area.ts'

export function setup(): number {
  return share_swapped_area(0)
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
