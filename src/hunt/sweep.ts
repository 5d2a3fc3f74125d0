// The document of several hunts, of scenarios and of configurations: one row each, and what they reached together.
// Leaves out their table: src/report/hunt_sweep.ts.
import type { HuntVerdict } from '../base/verdict.ts'
import { rowLabel } from '../kbuild/labels.ts'
import { coverageByFolder, lineCoverage, type LineCoverage, mergeLines, type SourceLines } from './reached.ts'
import type { HuntReport } from './report.ts'

/** The document of several hunts. */
export interface HuntSweep {
  readonly schema: 'mmtorture/hunt@1'
  readonly rows: readonly HuntReport[]
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
export function huntSweep(rows: readonly HuntReport[], interrupted: boolean): HuntSweep {
  const lines = mergeLines(rows.map((row) => row.sourceLines))
  const retries: Record<string, number> = {}
  for (const row of rows)
    for (const [name, times] of Object.entries(row.retries)) retries[name] = (retries[name] ?? 0) + times
  return {
    schema: 'mmtorture/hunt@1',
    rows,
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

/** What names each row: the scenario where there are several, and the keys that vary. */
export function huntLabels(rows: readonly Pick<HuntReport, 'scenario' | 'config'>[]): string[] {
  const several = new Set(rows.map((row) => row.scenario)).size > 1
  return rows.map(({ scenario, config }) => {
    const alike = rows.filter((row) => row.scenario === scenario).map((row) => row.config)
    const keys = rowLabel(config, alike)
    return [...(several ? [scenario] : []), ...(keys === '' ? [] : [keys])].join(' ')
  })
}
