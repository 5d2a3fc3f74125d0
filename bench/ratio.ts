// What a benchmark returns: a figure, the target it is held against, and whether it is met. Leaves out measuring and
// printing.

/** A figure of the benchmark. */
export interface Ratio {
  /** What is measured, in a few words; unique. */
  readonly name: string
  /** NaN when there is no figure. */
  readonly figure: number
  /** What the figure counts: `x`, `ms`, `MiB`, `%`. */
  readonly unit: string
  readonly target: number
  /** Whether more is better. */
  readonly sense: 'at least' | 'at most'
  readonly met: boolean
  /** What the figure was made of, or why there is none. */
  readonly detail: string
}

/** How long a benchmark may take. */
export interface Effort {
  /** Samples of a measurement. */
  readonly rounds: number
  /** Turns before the first sample, in which code is compiled: V8 needs some ten thousand faults. */
  readonly warmup: number
  /** Milliseconds of a window on the smp machine. */
  readonly window: number
}

/** Measures some ratios that belong together. */
export interface Benchmark {
  /** The names of the ratios, for the filter, without measuring anything. */
  readonly names: readonly string[]
  run(effort: Effort): Promise<Ratio[]>
}

/** A ratio with its figure held against its target. */
export function ratio(
  name: string,
  figure: number,
  sense: Ratio['sense'],
  target: number,
  detail: string,
  unit = 'x',
): Ratio {
  const met = sense === 'at least' ? figure >= target : figure <= target
  return { name, figure, unit, target, sense, met, detail }
}
