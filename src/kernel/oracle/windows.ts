/**
 * The windows of the data oracle: pages whose words it follows, and the register that a word has in an mm.
 */
import { NR_CPUS, PAGE_BYTES } from '#config'
import { this_cpu_read } from '../arch/access.ts'
import { NR_MMS } from '../arch/limits.ts'
import { oracle } from '../arch/machine.ts'
import { MMS } from '../arch/memory_map.ts'
import { percpu$loaded_mm } from '../arch/percpu.ts'
import type { Mm } from '../arch/structs.ts'
import { MM_WORDS } from '../arch/structs.ts'
import { EINVAL, ENOMEM } from '../errno.ts'
import {
  ORACLE_HEAP,
  ORACLE_HEAP_START,
  ORACLE_MAX_WINDOWS,
  ORACLE_NR_WINDOWS,
  ORACLE_UNTRACKED,
  ORACLE_WINDOWS,
  ORACLE_WORDS,
  OREG_WORDS,
  OWINDOW_WORDS,
  owindow$end,
  owindow$registers,
  owindow$shared,
  owindow$slots,
  owindow$snapshots,
  owindow$start,
  owindow$tables,
  owindow$words_per_page,
} from './layout.ts'

/**
 * Declares a window: pages [base_page, base_page + nr_pages) with words 0 to words_per_page - 1 of each. `shared` 1:
 * the pages are a shared mapping at the same place in every mm. Once, in a scenario's setup, before any task runs.
 * Returns 0, -EINVAL (no pages, more words than a page keeps, too many windows) or -ENOMEM (too many words).
 */
export function oracle_window(
  base_page: number,
  nr_pages: number,
  words_per_page: number,
  shared: number,
): number {
  const nr = oracle[ORACLE_NR_WINDOWS]
  if (nr_pages <= 0 || words_per_page <= 0 || words_per_page > PAGE_BYTES >> 2 || nr === ORACLE_MAX_WINDOWS)
    return -EINVAL
  const registers = nr_pages * words_per_page
  const heap = nr === 0 ? ORACLE_HEAP_START : oracle[ORACLE_HEAP]
  const tables = heap + (shared === 0 ? NR_CPUS * registers : 0)
  // A later window must find room too: each takes at most half of what is left.
  const room = shared === 0 ? (ORACLE_WORDS - tables) >> 1 : ORACLE_WORDS - tables
  const slots = Math.min(shared === 0 ? NR_MMS : 1, Math.floor(room / (registers * OREG_WORDS)))
  if (slots < 1) return -ENOMEM
  const w = ORACLE_WINDOWS + nr * OWINDOW_WORDS
  oracle[w + owindow$start] = base_page
  oracle[w + owindow$end] = base_page + nr_pages
  oracle[w + owindow$words_per_page] = words_per_page
  oracle[w + owindow$shared] = shared
  oracle[w + owindow$registers] = registers
  oracle[w + owindow$snapshots] = heap
  oracle[w + owindow$tables] = tables
  oracle[w + owindow$slots] = slots
  oracle[ORACLE_HEAP] = tables + slots * registers * OREG_WORDS
  oracle[ORACLE_NR_WINDOWS] = nr + 1
  return 0
}

/** The window that page `page` lies in, or 0. */
export function oracle_window_of(page: number): number {
  const end = ORACLE_WINDOWS + oracle[ORACLE_NR_WINDOWS] * OWINDOW_WORDS
  for (let w = ORACLE_WINDOWS; w < end; w += OWINDOW_WORDS)
    if (page >= oracle[w + owindow$start] && page < oracle[w + owindow$end]) return w
  return 0
}

export function oracle_mm_index(mm: Mm): number {
  return ((mm - MMS) / MM_WORDS) | 0
}

export function oracle_untracked(w: number, index: number): number {
  return ORACLE_UNTRACKED + ((w - ORACLE_WINDOWS) / OWINDOW_WORDS) * NR_MMS + index
}

/** First register of the mm_struct with that index, or 0 where there is none. */
export function oracle_table(w: number, index: number): number {
  if (index >= oracle[w + owindow$slots] || oracle[oracle_untracked(w, index)] !== 0) return 0
  return oracle[w + owindow$tables] + index * oracle[w + owindow$registers] * OREG_WORDS
}

/** Which mm's registers an access of this CPU concerns: an index of mm_structs. */
export function oracle_side(w: number): number {
  if (oracle[w + owindow$shared] !== 0) return 0
  return oracle_mm_index(this_cpu_read(percpu$loaded_mm) as Mm)
}

/** Which of a window's registers a word has. */
export function oracle_index(w: number, page: number, word: number): number {
  return (page - oracle[w + owindow$start]) * oracle[w + owindow$words_per_page] + word
}

/** The register of a word in the mm that an access concerns; 0: nothing follows the word. */
export function oracle_register(w: number, page: number, word: number): number {
  if (w === 0) return 0
  const table = oracle_table(w, oracle_side(w))
  return table === 0 ? 0 : table + oracle_index(w, page, word) * OREG_WORDS
}
