// The document of several hunts, of scenarios and of configurations: one row each, and what they reached together.
// Leaves out their table: src/report/hunt_sweep.ts.
import type { HuntVerdict } from '../base/verdict.ts'
import { coverageByFolder, lineCoverage, type LineCoverage, mergeLines, type SourceLines } from './reached.ts'
import type { HuntReport } from './report.ts'

/** A hunt as a row. */
export interface HuntRow extends HuntReport {
  /** Its executions a second as a multiple of the baseline's. */
  readonly ofBaseline?: number
}

/** The document of several hunts. */
export interface HuntSweep {
  readonly schema: 'mmtorture/hunt@1'
  readonly rows: readonly HuntRow[]
  /** Index of the row that the others are compared with; none: they are not. */
  readonly baseline?: number
  readonly together: {
    readonly executions: number
    readonly lines: LineCoverage
    /** By folder of the kernel. */
    readonly coverage: Readonly<Record<string, LineCoverage>>
    readonly sourceLines: SourceLines
    /** By function: how often a recheck failed. */
    readonly retries: Readonly<Record<string, number>>
  }
  readonly interrupted?: true
  readonly verdict: HuntVerdict
}

/** One document for several hunts. */
export function huntSweep(rows: readonly HuntReport[], interrupted: boolean, baseline?: number): HuntSweep {
  const base = baseline === undefined ? 0 : (rows[baseline]?.executionsPerSecond ?? 0)
  const lines = mergeLines(rows.map((row) => row.sourceLines))
  const retries: Record<string, number> = {}
  for (const row of rows)
    for (const [name, times] of Object.entries(row.retries)) retries[name] = (retries[name] ?? 0) + times
  return {
    schema: 'mmtorture/hunt@1',
    rows: rows.map((row) =>
      base === 0 ? row : { ...row, ofBaseline: Math.round((row.executionsPerSecond / base) * 1e4) / 1e4 },
    ),
    ...(baseline === undefined ? {} : { baseline }),
    together: {
      executions: rows.reduce((sum, row) => sum + row.executions, 0),
      lines: lineCoverage(lines),
      coverage: coverageByFolder(lines),
      sourceLines: lines,
      retries,
    },
    ...(interrupted ? { interrupted } : {}),
    verdict:
      (['violated', 'inconclusive'] as const).find((one) => rows.some((row) => row.verdict === one)) ??
      'held',
  }
}
