// The report of several hunts, of scenarios and of configurations: each hunt's document as a row of one table, and what they reached
// together. Leaves out what every row has in common.
import type { HuntReport } from '../hunt/report.ts'
import {
  coverageByFolder,
  covered,
  lineCoverage,
  type LineCoverage,
  mergeLines,
  type SourceLines,
} from '../hunt/reached.ts'
import type { Verdict } from '../base/verdict.ts'
import { rowLabel } from './run_sweep.ts'
import { block, count, flow, percent, table } from '../base/text.ts'

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
  readonly verdict: Verdict
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
    verdict: rows.every((row) => row.verdict === 'held') ? 'held' : 'violated',
  }
}

/** The table, what was reached, and for each violation the command that replays it; ends in a newline. */
export function formatHuntSweep({ rows, together, interrupted, verdict }: HuntSweep): string {
  const labels = huntLabels(rows)
  const lines = table([
    ['hunt', 'executions', 'executions/s', 'steps/s', 'schedules', 'lines of mm', 'verdict', 'check'],
    ...rows.map((row, index) => [
      labels[index],
      count(row.executions),
      count(row.executionsPerSecond),
      count(row.stepsPerSecond),
      count(row.distinctSchedules),
      mmLines(row),
      row.verdict,
      row.violation?.check ?? '',
    ]),
  ])
  const failures = rows.flatMap((row, index) =>
    row.violation === undefined
      ? []
      : [`${labels[index]}: ${row.violation.report[0]}`, `  to replay it: ${row.violation.command}`],
  )
  const held = rows.filter((row) => row.verdict === 'held').length
  const sections = [
    lines.join('\n'),
    togetherLines(together).join('\n'),
    failures.join('\n'),
    `verdict: ${verdict}${interrupted ? ' (interrupted)' : ''}, ${held} of ${rows.length} rows held`,
  ]
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`
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

function togetherLines({ executions, lines, coverage, retries }: HuntSweep['together']): string[] {
  const mm = coverage['src/kernel/mm']
  const failed = Object.entries(retries).map(([name, times]) => `${name} ${count(times)}`)
  return [
    ...block('together', [`${count(executions)} executions`]),
    ...block(
      'reached',
      flow([
        `${covered(lines)} of kernel and scenarios`,
        ...(mm === undefined ? [] : [`${covered(mm)} of mm`]),
      ]),
    ),
    ...(failed.length === 0 ? [] : block('retries', flow(failed))),
  ]
}

function mmLines({ coverage }: HuntReport): string {
  const mm = coverage['src/kernel/mm']
  return mm === undefined || mm.of === 0 ? '' : percent(mm.reached / mm.of)
}
