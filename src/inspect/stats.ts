// The counters of all CPUs: one Float64Array a CPU, laid out as mm/vmstat.ts says. Adding up is left to the readers
// here, since totals are sums and extremes are not.

/** `stat` of every CPU. */
export type CpuStats = readonly Float64Array[]

/** Sum over the CPUs of the word `at`. */
export function total(stats: CpuStats, at: number): number {
  let sum = 0
  for (const stat of stats) sum += stat[at]
  return sum
}

/** Sums over the CPUs of `length` words from `at` on. */
export function totals(stats: CpuStats, at: number, length: number): Float64Array {
  const sums = new Float64Array(length)
  for (const stat of stats) for (let word = 0; word < length; word++) sums[word] += stat[at + word]
  return sums
}

/** Greatest of the CPUs' words `at`. */
export function greatest(stats: CpuStats, at: number): number {
  let max = 0
  for (const stat of stats) max = Math.max(max, stat[at])
  return max
}
