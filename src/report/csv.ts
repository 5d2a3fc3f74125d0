// The rows of a sweep as comma-separated values, for a spreadsheet or a notebook: one line a row, plain numbers, the
// names of the columns first. Leaves out what only the JSON has.
import type { HuntSweep } from '../hunt/sweep.ts'
import { CONFIG_KEYS } from '../kbuild/config.ts'
import type { RowKernel } from '../kbuild/labels.ts'
import { totalRetries } from '../inspect/events.ts'
import type { SweepReport } from '../run/sweep.ts'
import type { ScaleReport } from '../scale/report.ts'

type Cells = Readonly<Record<string, string | number | undefined>>

/** Of a run or of several. */
export function runCsv({ rows }: Pick<SweepReport, 'rows'>): string {
  return csv(
    rows.map((row) => ({
      ...kernelCells(row),
      cpus: row.cpus,
      operations_per_second: row.operationsPerSecond,
      repeats: row.repeats?.operationsPerSecond.length ?? 1,
      spread: row.repeats?.spread,
      of_baseline: row.ofBaseline,
      pgfault: Number(row.events['pgfault'] ?? 0),
      retries: totalRetries(row.events),
      waiting: row.waits.waiting,
      verdict: row.verdict,
    })),
  )
}

/** Of a hunt or of several. */
export function huntCsv({ rows }: Pick<HuntSweep, 'rows'>): string {
  return csv(
    rows.map((row) => ({
      ...kernelCells(row),
      cpus: row.cpus,
      operations: row.operations,
      pages: row.pages,
      executions: row.executions,
      executions_per_second: row.executionsPerSecond,
      of_baseline: row.ofBaseline,
      steps_per_second: row.stepsPerSecond,
      schedules: row.distinctSchedules,
      conflict_pairs: row.conflictPairs,
      lines_reached: row.lines.reached,
      lines: row.lines.of,
      verdict: row.verdict,
      check: row.violation?.check ?? '',
      found_in: row.violation?.execution,
      found_after: row.violation?.seconds,
    })),
  )
}

/** Of the points of curves. */
export function scaleCsv({ scenario, topology, points, reverts, patches, seed }: ScaleReport): string {
  return csv(
    points.map((point) => ({
      ...kernelCells({
        scenario,
        ...{ config: point.config, reverts: point.reverts ?? reverts, patches: point.patches ?? patches },
        seed: point.seed ?? seed,
      }),
      topology,
      cpus: point.cpus,
      operations_per_second: point.operationsPerSecond,
      of_baseline: point.ofBaseline,
      faults_per_second: point.faultsPerSecond,
      running: point.time?.running,
      waiting: point.time?.waiting,
      stalled: point.time?.stalled,
      idle: point.time?.idle,
      transfers_per_operation: point.transfersPerOperation,
      waits_most_for: point.locks[0]?.class ?? '',
      bound: point.bound ?? '',
      failure: point.failure ?? '',
    })),
  )
}

/** What a row was made with: all of it, whether or not it varies. */
function kernelCells({ scenario, config, reverts, patches, scheduler, seed }: RowKernel): Cells {
  return {
    scenario: scenario ?? '',
    ...Object.fromEntries(CONFIG_KEYS.map(({ name }) => [name, config[name]])),
    revert: reverts.join('+'),
    patch: patches.join('+'),
    ...(scheduler === undefined ? {} : { scheduler }),
    seed,
  }
}

/** Lines of cells, ending in a newline. A cell with a comma, a quote or a line's end stands in quotes (RFC 4180). */
function csv(rows: readonly Cells[]): string {
  const names = Object.keys(rows[0] ?? {})
  const lines = rows.map((row) => names.map((name) => quoted(String(row[name] ?? ''))).join(','))
  return [names.join(','), ...lines, ''].join('\n')
}

function quoted(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
