// Samples of a benchmark: taken in turn, so that whatever else the machine does falls on all alike, and compared by
// medians. Leaves out what is measured.

/** The middle of `values`, of an even number the mean of the two in the middle; NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].toSorted((left, right) => left - right)
  const middle = sorted.length >> 1
  if (sorted.length === 0) return Number.NaN
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/**
 * Takes `rounds` samples of each measurement, one of each a round, after `warmup` rounds that do not count. The order
 * turns round from one round to the next.
 */
export async function interleave<Name extends string>(
  rounds: number,
  warmup: number,
  measure: Readonly<Record<Name, () => number | Promise<number>>>,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(measure) as Name[]
  const samples = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, number[]>
  for (let round = -warmup; round < rounds; round++) {
    const order = round % 2 === 0 ? names : names.toReversed()
    for (const name of order) {
      const value = await measure[name]()
      if (round >= 0) samples[name].push(value)
    }
  }
  return samples
}

/** The median over the rounds of `left` by `right`: samples of one round lie close together in time. */
export function medianRatio(left: readonly number[], right: readonly number[]): number {
  return median(left.map((value, round) => value / right[round]))
}
