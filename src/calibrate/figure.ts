// Samples of one quantity as one figure: its median and how far the rounds lie apart. Leaves out what was measured.

export interface Figure {
  readonly median: number
  /** The quartiles: half of the rounds lie between them. */
  readonly low: number
  readonly high: number
  readonly rounds: number
}

/** The figure of at least one sample. */
export function figureOf(samples: readonly number[]): Figure {
  const sorted = samples.toSorted((one, other) => one - other)
  return {
    median: quantile(sorted, 0.5),
    low: quantile(sorted, 0.25),
    high: quantile(sorted, 0.75),
    rounds: sorted.length,
  }
}

/** Whether half of the rounds lie so far apart that the median says little. */
export function isNoisy({ median, low, high }: Figure): boolean {
  return high - low > 0.25 * median
}

/** Linear between neighbours of an ascending list. */
function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1)
  const below = Math.floor(at)
  const above = Math.ceil(at)
  return sorted[below] + (at - below) * (sorted[above] - sorted[below])
}
