// The report of a sweep: each run's document as a row of one table. Leaves out what every row has in common.
import type { Configuration } from '../kbuild/config.ts'
import { rowLabel, shown, varyingKeys } from '../kbuild/labels.ts'
import type { SweepReport } from '../run/sweep.ts'
import { totalRetries } from '../inspect/events.ts'
import { formatLockStat } from '../inspect/lock_stat.ts'
import { runNotes } from '../run/notes.ts'
import { copyBreaks, type RunReport } from '../run/report.ts'
import { kernelLines } from './kernel_lines.ts'
import { count, percent, table, wrap } from '../base/text.ts'

/** The table of a sweep, the lock_stat texts before it and the failures after it, ending in a newline. */
export function formatSweep({ rows, interrupted, verdict }: SweepReport): string {
  const configs = rows.map((row) => row.config)
  const keys = varyingKeys(configs)
  const locks = rows.some((row) => row.locks.length > 0)
  const lines = table([
    [
      ...keys,
      'ops/s',
      'pgfault',
      'retries',
      'ptl words',
      'breaks resched',
      'needbreak',
      'waiting',
      ...(locks ? ['ptl contentions', 'contentions'] : []),
      'verdict',
    ],
    ...rows.map((row) => {
      const breaks = copyBreaks(row)
      return [
        ...keys.map((key) => shown(row.config[key])),
        count(row.operationsPerSecond),
        count(Number(row.events['pgfault'] ?? 0)),
        count(totalRetries(row.events)),
        count(row.distinctPtlWords),
        count(breaks.needResched),
        count(breaks.needbreak),
        percent(row.waits.waiting),
        ...(locks ? [count(contentions(row, isPtl)), count(contentions(row, () => true))] : []),
        row.verdict,
      ]
    }),
  ])
  const texts = rows
    .filter((row) => row.locks.length > 0)
    .map((row) => `${rowLabel(row.config, configs)}\n${formatLockStat(row.locks)}`)
  const notes = sweepNotes(rows)
  const failures = rows.filter((row) => row.verdict === 'violated').map((row) => failureLine(row, configs))
  const held = rows.filter((row) => row.verdict === 'held').length
  const sections = [
    // One plan gives all rows: they are of one kernel.
    rows.slice(0, 1).flatMap(kernelLines).join('\n'),
    ...texts,
    lines.join('\n'),
    notes.flatMap((note) => wrap(note)).join('\n'),
    failures.join('\n'),
    `verdict: ${verdict}${interrupted ? ' (interrupted)' : ''}, ${held} of ${rows.length} rows held`,
  ]
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`
}

/** The rows' notes without their figures, each once, behind the rows that it is about unless these are all. */
function sweepNotes(rows: readonly RunReport[]): string[] {
  const configs = rows.map((row) => row.config)
  const about = new Map<string, string[]>()
  for (const row of rows)
    for (const { general } of runNotes(row))
      about.set(general, [...(about.get(general) ?? []), rowLabel(row.config, configs)])
  return [...about].map(([note, labels]) =>
    labels.length === rows.length ? note : `${labels.join('; ')}: ${note}`,
  )
}

/** Whether a class of lock_stat is a lock of page tables. */
function isPtl(name: string): boolean {
  return name.startsWith('ptlock_ptr(') || name.startsWith('&mm->page_table_lock')
}

function contentions(row: RunReport, counted: (name: string) => boolean): number {
  return row.locks.filter((lock) => counted(lock.class)).reduce((sum, lock) => sum + lock.contentions, 0)
}

function failureLine(row: RunReport, configs: readonly Configuration[]): string {
  const failed = row.checks.find((check) => check.ok === false)
  const why = row.failure?.message ?? `${failed?.name}: ${failed?.detail ?? 'failed'}`
  return `${rowLabel(row.config, configs)}: ${why}\n  to run it again: ${row.command}`
}
