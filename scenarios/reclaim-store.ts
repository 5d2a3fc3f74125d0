/**
 * Threads store to pages through their TLBs while others reclaim them: an entry is gone, its page is written to a
 * device, and a CPU that has not flushed yet still writes to it. No store may be lost, whenever the flush comes.
 *
 * @config SWAP=y
 * @form cpus=2 operations=4 pages=2
 * @form cpus=3 operations=4 pages=2 VMA_LOCK=y
 * @reaches try_to_unmap, shrink_page_list, do_swap_page, pageout
 * @expects pswpout in 4
 * @expects pgsteal_direct in 10
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
  sys_memory_reclaim,
} from 'mmtorture/kernel'
import { start_threads, swapped_area } from './common/swapped_area.ts'

const PAGES = 8
/** Words of a page: one a thread that stores. */
const WORDS = 8
/** Stores to a page in a turn: all but the first find it in the TLB, unless it was reclaimed. */
const STORES = 4

// Registers: the area; the thread's number.
const BASE = 0
const WORD = 1

export function setup(): number {
  const base = swapped_area(pages(PAGES), WORDS, 2 * pages(PAGES) + 1, 0)
  if (base < 0) return base
  set_reg(BASE, base)
  return start_threads(0, WORD)
}

function store_page(page: number, word: number): void {
  for (let i = 0; i < STORES; i++) oracle_store(page, word)
  oracle_load(page, word)
}

export function program(): void {
  if (last_turn()) return
  const base = get_reg(BASE)
  const word = get_reg(WORD)
  // Every other thread reclaims: pages of its own choice, or what anybody has.
  if (word % 2 === 0 && word >> 1 < WORDS) store_page(base + prandom(pages(PAGES)), word >> 1)
  else if (prandom(2) === 0) sys_madvise(base, pages(PAGES), MADV_PAGEOUT)
  else sys_memory_reclaim(pages(PAGES))
}
