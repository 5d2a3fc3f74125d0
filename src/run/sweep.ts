// The document of several runs: one row each, which may stand for several runs of the same. Leaves out their table:
// src/report/run_sweep.ts.
import type { Verdict } from '../base/verdict.ts'
import type { RunReport } from './report.ts'

/** How the runs of a row came out. */
export interface Repeats {
  /** In their order. */
  readonly operationsPerSecond: readonly number[]
  readonly median: number
  /** From the least to the greatest, as a share of the median. */
  readonly spread: number
}

/** The run of a row: of several the one in the middle, or the first that was violated. */
export interface SweepRow extends RunReport {
  /** Where it was run more than once. */
  readonly repeats?: Repeats
  /** Its throughput as a multiple of the baseline's. */
  readonly ofBaseline?: number
}

/** The document of a sweep of runs. */
export interface SweepReport {
  readonly schema: 'mmtorture/run@1'
  readonly rows: readonly SweepRow[]
  /** Index of the row that the others are compared with; none: they are not. */
  readonly baseline?: number
  /** What a reader of the figures should know of the machine. */
  readonly notes: readonly string[]
  readonly interrupted?: true
  readonly verdict: Verdict
}

/** What the document says besides its runs. */
export interface SweepAbout {
  readonly interrupted: boolean
  /** Index of the row that the others are compared with. */
  readonly baseline?: number
  readonly notes?: readonly string[]
}

/** One document for the runs of a sweep: for each row those of its repeats. */
export function sweepReport(
  runs: readonly (readonly RunReport[])[],
  { interrupted, baseline, notes = [] }: SweepAbout,
): SweepReport {
  const rows = runs.map((ofRow) => sweepRow(ofRow))
  const base = baseline === undefined ? 0 : (rows[baseline]?.operationsPerSecond ?? 0)
  return {
    schema: 'mmtorture/run@1',
    rows: rows.map((row) =>
      base === 0 ? row : { ...row, ofBaseline: rounded(row.operationsPerSecond / base) },
    ),
    ...(baseline === undefined ? {} : { baseline }),
    notes,
    ...(interrupted ? { interrupted: true as const } : {}),
    verdict: rows.every((row) => row.verdict === 'held') ? 'held' : 'violated',
  }
}

function sweepRow(runs: readonly RunReport[]): SweepRow {
  const sorted = runs.toSorted((left, right) => left.operationsPerSecond - right.operationsPerSecond)
  const middle = sorted[(sorted.length - 1) >> 1]
  const shown = runs.find(({ verdict }) => verdict === 'violated') ?? middle
  if (runs.length === 1) return shown
  const median = middle.operationsPerSecond
  const range = sorted.at(-1)!.operationsPerSecond - sorted[0].operationsPerSecond
  const repeats = {
    operationsPerSecond: runs.map(({ operationsPerSecond }) => operationsPerSecond),
    median,
    spread: median === 0 ? 0 : rounded(range / median),
  }
  return { ...shown, repeats }
}

function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4
}
