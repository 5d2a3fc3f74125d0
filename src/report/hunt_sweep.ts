// The report of a sweep of hunts: each hunt's document as a row of one table. Leaves out what every row has in common.
import type { HuntReport } from './hunt_report.ts'
import type { Verdict } from './run_report.ts'
import { rowLabel } from './sweep.ts'
import { count, table } from './text.ts'

export interface HuntSweep {
  readonly schema: 'mmtorture/hunt@1'
  readonly rows: readonly HuntReport[]
  readonly interrupted?: true
  readonly verdict: Verdict
}

/** One document for the hunts of a sweep. */
export function huntSweep(rows: readonly HuntReport[], interrupted: boolean): HuntSweep {
  return {
    schema: 'mmtorture/hunt@1',
    rows,
    ...(interrupted ? { interrupted } : {}),
    verdict: rows.every((row) => row.verdict === 'held') ? 'held' : 'violated',
  }
}

/** The table, and for each violation the command that replays it; ends in a newline. */
export function formatHuntSweep({ rows, interrupted, verdict }: HuntSweep): string {
  const configs = rows.map((row) => row.config)
  const lines = table([
    ['configuration', 'executions', 'executions/s', 'steps/s', 'schedules', 'verdict', 'check'],
    ...rows.map((row) => [
      rowLabel(row.config, configs),
      count(row.executions),
      count(row.executionsPerSecond),
      count(row.stepsPerSecond),
      count(row.distinctSchedules),
      row.verdict,
      row.violation?.check ?? '',
    ]),
  ])
  const failures = rows.flatMap((row) =>
    row.violation === undefined
      ? []
      : [
          `${rowLabel(row.config, configs)}: ${row.violation.report[0]}`,
          `  to replay it: ${row.violation.command}`,
        ],
  )
  const held = rows.filter((row) => row.verdict === 'held').length
  const sections = [
    lines.join('\n'),
    failures.join('\n'),
    `verdict: ${verdict}${interrupted ? ' (interrupted)' : ''}, ${held} of ${rows.length} rows held`,
  ]
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`
}
