// The report of several hunts, of scenarios and of configurations: each hunt's document as a row of one table, and what
// they reached together. Leaves out what every row has in common.
import type { HuntReport } from '../hunt/report.ts'
import { covered } from '../hunt/reached.ts'
import type { HuntSweep } from '../hunt/sweep.ts'
import { rowLabels } from '../kbuild/labels.ts'
import { unmetText } from './hunt_text.ts'
import { block, count, flow, percent, table } from '../base/text.ts'

/** The table, what was reached, and for each violation the command that replays it; ends in a newline. */
export function formatHuntSweep({ rows, baseline, together, interrupted, verdict }: HuntSweep): string {
  const labels = rowLabels(rows)
  const lines = table([
    [
      ...['hunt', 'executions', 'executions/s'],
      ...(baseline === undefined ? [] : ['of base']),
      ...['steps/s', 'schedules', 'lines of mm', 'verdict', 'check'],
      ...(baseline === undefined ? [] : ['found after']),
    ],
    ...rows.map((row, index) => [
      labels[index],
      count(row.executions),
      count(row.executionsPerSecond),
      ...(baseline === undefined ? [] : [percent(row.ofBaseline ?? 0)]),
      count(row.stepsPerSecond),
      count(row.distinctSchedules),
      mmLines(row),
      row.verdict,
      row.violation?.check ?? (row.unmet === undefined ? '' : 'progress'),
      ...(baseline === undefined ? [] : [foundAfter(row)]),
    ]),
  ])
  const failures = rows.flatMap((row, index) =>
    row.violation === undefined
      ? (row.unmet ?? []).map((one) => `${labels[index]}: ${unmetText(one)}`)
      : [
          `${labels[index]}: ${row.violation.report[0]}`,
          row.violation.command === undefined
            ? `  to run it again: ${row.command}`
            : `  to replay it: ${row.violation.command}`,
        ],
  )
  const missed = rows.flatMap(({ notReached }, index) =>
    notReached.length === 0 ? [] : [`${labels[index]}: not reached: ${notReached.join(', ')}`],
  )
  const held = rows.filter((row) => row.verdict === 'held').length
  const sections = [
    lines.join('\n'),
    baseline === undefined ? '' : `of base: of what ${labels[baseline]} does.`,
    togetherLines(together).join('\n'),
    missed.join('\n'),
    failures.join('\n'),
    `verdict: ${verdict}${interrupted ? ' (interrupted)' : ''}, ${held} of ${rows.length} rows held`,
  ]
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`
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

/** Executions until the violation, and seconds. */
function foundAfter({ violation }: HuntReport): string {
  return violation === undefined
    ? ''
    : `execution ${count(violation.execution)}, ${violation.seconds.toFixed(2)} s`
}

function mmLines({ coverage }: HuntReport): string {
  const mm = coverage['src/kernel/mm']
  return mm === undefined || mm.of === 0 ? '' : percent(mm.reached / mm.of)
}
