// The latency table: how long page faults took, by the path they went. One fault in LATENCY_SAMPLE is timed.
import { kernelName } from './events.ts'
import { percentile } from './histogram.ts'
import { type CpuStats, greatest, total, totals } from './stats.ts'
import { type SymbolTable, symbol } from './symbols.ts'

/** A row of the latency table. Times are nanoseconds. */
export interface LatencyRow {
  readonly path: string
  /** Faults that were timed. */
  readonly samples: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** Reads the table; paths that no timed fault took are left out. */
export function readLatency(stats: CpuStats, symbols: SymbolTable): LatencyRow[] {
  if (symbols['STAT_LATENCY'] === undefined) return []
  const words = symbol(symbols, 'LATENCY_WORDS')
  const buckets = symbol(symbols, 'LATENCY_BUCKETS')
  const rows: LatencyRow[] = []
  for (const [path, index] of latencyPaths(symbols)) {
    const at = symbols['STAT_LATENCY'] + index * words
    const samples = total(stats, at + buckets)
    if (samples === 0) continue
    const max = greatest(stats, at + buckets + 1)
    const histogram = totals(stats, at, buckets)
    rows.push({
      path,
      samples,
      p50: Math.round(percentile(histogram, 0.5, max)),
      p99: Math.round(percentile(histogram, 0.99, max)),
      max: Math.round(max),
    })
  }
  return rows
}

function latencyPaths(symbols: SymbolTable): [string, number][] {
  const sizes = ['LATENCY_BUCKETS', 'LATENCY_WORDS', 'LATENCY_SAMPLE']
  return Object.entries(symbols)
    .filter(([name]) => name.startsWith('LATENCY_') && !sizes.includes(name))
    .map(([name, index]): [string, number] => [
      name === 'LATENCY_none' ? 'other' : kernelName(name, 'LATENCY_'),
      index,
    ])
    .toSorted((left, right) => left[1] - right[1])
}
