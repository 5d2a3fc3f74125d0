// The document of several runs: one row each. Leaves out their table: src/report/run_sweep.ts.
import type { Verdict } from '../base/verdict.ts'
import type { RunReport } from './report.ts'

/** The document of a sweep of runs. */
export interface SweepReport {
  readonly schema: 'mmtorture/run@1'
  readonly rows: readonly RunReport[]
  readonly interrupted?: true
  readonly verdict: Verdict
}

/** One document for the runs of a sweep. */
export function sweepReport(rows: readonly RunReport[], interrupted: boolean): SweepReport {
  return {
    schema: 'mmtorture/run@1',
    rows,
    ...(interrupted ? { interrupted } : {}),
    verdict: rows.every((row) => row.verdict === 'held') ? 'held' : 'violated',
  }
}
