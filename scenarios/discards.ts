/**
 * Threads of one process discard the same pages at once, and page them out meanwhile. Whoever finds an entry empty
 * already must not return before every TLB knows, whoever has emptied it: afterwards a word reads as 0.
 *
 * @config SWAP=y
 * @form cpus=2 operations=6 pages=1
 * @form cpus=2 operations=6 pages=2 MMU_GATHER_BUNDLE=2
 * @reaches zap_pte_range, tlb_finish_mmu, try_to_unmap
 * @expects pswpout in 50
 * @expects nr_tlb_remote_flush in 2
 */
import {
  BUG_ON,
  get_reg,
  last_turn,
  MADV_DONTNEED,
  MADV_PAGEOUT,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  oracle_discard,
  oracle_discarded,
  oracle_load,
  oracle_store,
  oracle_window,
  pages,
  PROT_READ,
  PROT_WRITE,
  set_page_cluster,
  set_reg,
  sys_madvise,
  sys_mmap,
  sys_swapon,
} from 'mmtorture/kernel'
import { start_threads } from './common/swapped_area.ts'

const PAGES = 4
/** Words of a page, one a thread. */
const WORDS = 8

// Registers: the area; a task's number; how many turns it has had.
const BASE = 0
const THREAD = 1
const TURN = 2

export function setup(): number {
  const base = sys_mmap(0, pages(PAGES), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (base < 0) return base
  const ret = oracle_window(base, pages(PAGES), WORDS, 0)
  if (ret < 0) return ret
  const device = sys_swapon(pages(PAGES) * 4, 0)
  if (device < 0) return device
  set_page_cluster(0)
  set_reg(BASE, base)
  return start_threads(0, THREAD)
}

/** What the task wrote is gone when its own discard returns, though another one may have emptied the entry. */
function discard(page: number, word: number): void {
  oracle_store(page, word)
  oracle_discard(page, 1)
  BUG_ON(sys_madvise(page, 1, MADV_DONTNEED) !== 0)
  oracle_discarded(page, 1)
  oracle_load(page, word)
}

export function program(): void {
  if (last_turn()) return
  const thread = get_reg(THREAD)
  const turn = get_reg(TURN)
  set_reg(TURN, turn + 1)
  const page = get_reg(BASE) + (turn % pages(PAGES))
  // Threads without a word of their own page out; the others see to it that there is a page.
  if (thread < WORDS && (thread + turn) % 2 === 0) discard(page, thread)
  else {
    if (thread < WORDS) oracle_store(page, thread)
    sys_madvise(page, 1, MADV_PAGEOUT)
  }
}
