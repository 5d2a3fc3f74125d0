/**
 * Discards of pages in windows of the data oracle (MADV_DONTNEED, munmap): before the call and after it.
 */
import { this_cpu_read } from '../arch/access.ts'
import { oracle } from '../arch/machine.ts'
import { percpu$current } from '../arch/percpu.ts'
import { oracle_mb } from './barrier.ts'
import {
  ORACLE_ZERO_ALWAYS,
  OREG_WORDS,
  oreg$completed,
  oreg$issued,
  oreg$writer,
  oreg$zero,
  owindow$start,
  owindow$words_per_page,
} from './layout.ts'
import { oracle_side, oracle_table, oracle_window_of } from './windows.ts'

/**
 * The running task knows that `pages` pages from page `addr` on will be discarded by another task before it goes on
 * there: as oracle_discard(), for the words that it writes itself. Every writer calls it, then one of them discards,
 * then every writer calls oracle_discarded().
 */
export function oracle_discard_own(addr: number, pages: number): void {
  const task = this_cpu_read(percpu$current)
  for (let page = addr; page < addr + pages; page++) {
    const w = oracle_window_of(page)
    const table = w === 0 ? 0 : oracle_table(w, oracle_side(w))
    if (table === 0) continue
    const words = oracle[w + owindow$words_per_page]
    const first = table + (page - oracle[w + owindow$start]) * words * OREG_WORDS
    for (let r = first; r < first + words * OREG_WORDS; r += OREG_WORDS) {
      if (oracle[r + oreg$writer] !== task) continue
      const number = oracle[r + oreg$issued] + 1
      oracle[r + oreg$issued] = number
      if (oracle[r + oreg$zero] !== ORACLE_ZERO_ALWAYS) oracle[r + oreg$zero] = number
    }
  }
  oracle_mb()
}

/**
 * The running task is about to discard `pages` pages from page `addr` on (MADV_DONTNEED, munmap): from now on 0 may be
 * read there. Where another task writes, 0 stays allowed. oracle_discarded() follows if the call succeeded.
 */
export function oracle_discard(addr: number, pages: number): void {
  const task = this_cpu_read(percpu$current)
  for (let page = addr; page < addr + pages; page++) {
    const w = oracle_window_of(page)
    const table = w === 0 ? 0 : oracle_table(w, oracle_side(w))
    if (table === 0) continue
    const words = oracle[w + owindow$words_per_page]
    const first = table + (page - oracle[w + owindow$start]) * words * OREG_WORDS
    for (let r = first; r < first + words * OREG_WORDS; r += OREG_WORDS) {
      const writer = oracle[r + oreg$writer]
      if (writer !== 0 && writer !== task) oracle[r + oreg$zero] = ORACLE_ZERO_ALWAYS
      else {
        const number = oracle[r + oreg$issued] + 1
        oracle[r + oreg$writer] = task
        oracle[r + oreg$issued] = number
        if (oracle[r + oreg$zero] !== ORACLE_ZERO_ALWAYS) oracle[r + oreg$zero] = number
      }
    }
  }
  oracle_mb()
}

/** The pages of oracle_discard() are gone: where the running task writes, 0 must now be read. */
export function oracle_discarded(addr: number, pages: number): void {
  oracle_mb()
  const task = this_cpu_read(percpu$current)
  for (let page = addr; page < addr + pages; page++) {
    const w = oracle_window_of(page)
    const table = w === 0 ? 0 : oracle_table(w, oracle_side(w))
    if (table === 0) continue
    const words = oracle[w + owindow$words_per_page]
    const first = table + (page - oracle[w + owindow$start]) * words * OREG_WORDS
    for (let r = first; r < first + words * OREG_WORDS; r += OREG_WORDS)
      if (oracle[r + oreg$writer] === task) oracle[r + oreg$completed] = oracle[r + oreg$issued]
  }
}
