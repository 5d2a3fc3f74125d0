// How many distinct locks were taken for page tables, from the bitmaps that the CPUs keep
// (src/kernel/locking/ptlock_area.ts). Works with and without LOCK_STAT. Leaves out which they were.
import { type CpuStats } from './stats.ts'
import { type SymbolTable, symbol } from './symbols.ts'

/** Distinct lock words taken for page tables by all CPUs together. */
export function countPtlWords(stats: CpuStats, symbols: SymbolTable): number {
  const first = symbol(symbols, 'STAT_LOCK')
  const words = symbol(symbols, 'PTL_TAKEN_WORDS')
  let count = 0
  for (let word = first; word < first + words; word++) {
    let bits = 0
    for (const stat of stats) bits |= stat[word]
    for (; bits !== 0; bits &= bits - 1) count++
  }
  return count
}
