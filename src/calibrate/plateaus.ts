// Caches from the time of a load by working set: the time stays the same as long as a cache holds the set, and rises
// where it no longer does. Leaves out the loads: src/machine/host.
import { figureOf } from './figure.ts'

/** Rounds of loads in a working set, ns of one load each. */
export interface Chase {
  readonly bytes: number
  readonly ns: readonly number[]
}

/** Working sets of one cache, neighbours. */
export interface Plateau {
  readonly chases: readonly Chase[]
  /** ns: the median of their medians. */
  readonly level: number
}

export interface Caches {
  /** Rounds of the nearest cache. */
  readonly hit: readonly number[]
  /** Of the last-level cache and of memory; undefined: not told apart, or memory not reached. */
  readonly llc?: readonly number[]
  readonly memory?: readonly number[]
  /** Bytes that a CPU's own caches hold, a power of two, and that the last-level cache holds. */
  readonly privateBytes?: number
  readonly llcBytes?: number
}

const LEAST_BYTES = 4096
/** Two levels of cache, a last one, and memory. */
const MOST_PLATEAUS = 4
const LEAST_CHASES = 2
/** How much slower a plateau is at least than the one before. */
const STEP = 1.5

/** Bytes of the working sets from 4 KiB to `most`, two to a doubling. */
export function workingSets(most: number): number[] {
  const sets: number[] = []
  for (let bytes = LEAST_BYTES; bytes <= most; bytes *= 2) sets.push(bytes, 1.5 * bytes)
  return sets.filter((bytes) => bytes <= most)
}

/**
 * The plateaus of ascending working sets: the division into runs about whose means the logarithms of the times lie
 * closest (least squares), of as many runs as are each slower than the one before, at most four.
 */
export function plateausOf(chases: readonly Chase[]): Plateau[] {
  for (let count = Math.min(MOST_PLATEAUS, Math.floor(chases.length / LEAST_CHASES)); count > 1; count--) {
    const found = divided(chases, count)
    if (found.every(({ level }, index) => index === 0 || level >= STEP * found[index - 1].level)) return found
  }
  return [plateau(chases)]
}

/**
 * What the plateaus say of the caches.
 * @param llc bytes of the last-level cache where they are known, else 0: sets of less than twice that do not show
 *   memory
 */
export function cachesOf(chases: readonly Chase[], llc: number): Caches {
  const plateaus = plateausOf(chases)
  const hit = roundsOf(plateaus[0].chases)
  const largest = chases.at(-1)!.bytes
  const shared = largest < 2 * llc ? plateaus.length - 1 : plateaus.length - 2
  if (shared < 1) return { hit }
  const last = plateaus[shared]
  const own = edge(plateaus[shared - 1], last)
  const beyond = plateaus[shared + 1]
  return {
    hit,
    llc: roundsOf(last.chases),
    privateBytes: 2 ** Math.round(Math.log2(own)),
    ...(beyond === undefined
      ? {}
      : {
          // A set not much larger than the cache is partly in it.
          memory: roundsOf(beyond.chases.filter(({ bytes }) => 2 * bytes >= largest)),
          llcBytes: Math.round(edge(last, beyond)),
        }),
  }
}

/** Between the largest set of one plateau and the smallest of the next one. */
function edge(inner: Plateau, outer: Plateau): number {
  return Math.sqrt(inner.chases.at(-1)!.bytes * outer.chases[0].bytes)
}

function roundsOf(chases: readonly Chase[]): number[] {
  return chases.flatMap(({ ns }) => ns)
}

function plateau(chases: readonly Chase[]): Plateau {
  return { chases, level: figureOf(chases.map(({ ns }) => figureOf(ns).median)).median }
}

/**
 * The best division into `count` runs of at least LEAST_CHASES each, by dynamic programming over where the last run
 * begins.
 */
function divided(chases: readonly Chase[], count: number): Plateau[] {
  const logs = chases.map(({ ns }) => Math.log(figureOf(ns).median))
  const n = logs.length
  /** By number of runs, by end: the least sum of squares, and where the last run begins. */
  const best: { error: number; from: number }[][] = [
    Array.from({ length: n + 1 }, (_, end) => ({ error: end === 0 ? 0 : Infinity, from: 0 })),
  ]
  for (let runs = 1; runs <= count; runs++)
    best.push(
      Array.from({ length: n + 1 }, (_, end) => {
        let least = { error: Infinity, from: 0 }
        for (let from = 0; from <= end - LEAST_CHASES; from++) {
          const error = best[runs - 1][from].error + squares(logs.slice(from, end))
          if (error < least.error) least = { error, from }
        }
        return least
      }),
    )
  const found: Plateau[] = []
  for (let runs = count, end = n; runs > 0; runs--) {
    const { from } = best[runs][end]
    found.unshift(plateau(chases.slice(from, end)))
    end = from
  }
  return found
}

/** Sum of squares about the mean. */
function squares(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
}
