// The report of a sweep: each run's document as a row of one table. Leaves out what every row has in common.
import { rowColumns, rowLabels } from '../kbuild/labels.ts'
import type { SweepReport } from '../run/sweep.ts'
import { totalRetries } from '../inspect/events.ts'
import { formatLockStat } from '../inspect/lock_stat.ts'
import { runNotes } from '../run/notes.ts'
import { copyBreaks, type RunReport } from '../run/report.ts'
import { kernelLines } from './kernel_lines.ts'
import { count, percent, table, wrap } from '../base/text.ts'

/** The table of a sweep, the lock_stat texts before it and the failures after it, ending in a newline. */
export function formatSweep({ rows, baseline, notes: ofMachine, interrupted, verdict }: SweepReport): string {
  const columns = rowColumns(rows)
  const labels = rowLabels(rows)
  const repeated = rows.some((row) => row.repeats !== undefined)
  const locks = rows.some((row) => row.locks.length > 0)
  const lines = table([
    [
      ...columns.map(({ name }) => name),
      'ops/s',
      ...(repeated ? ['spread'] : []),
      ...(baseline === undefined ? [] : ['of base']),
      'pgfault',
      'retries',
      'ptl words',
      'breaks resched',
      'needbreak',
      'waiting',
      ...(locks ? ['ptl contentions', 'contentions'] : []),
      'verdict',
    ],
    ...rows.map((row, index) => {
      const breaks = copyBreaks(row)
      return [
        ...columns.map(({ values }) => values[index]),
        count(row.operationsPerSecond),
        ...(repeated ? [row.repeats === undefined ? '-' : percent(row.repeats.spread)] : []),
        ...(baseline === undefined ? [] : [percent(row.ofBaseline ?? 0)]),
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
  const texts = rows.flatMap((row, index) =>
    row.locks.length > 0 ? [`${labels[index]}\n${formatLockStat(row.locks)}`] : [],
  )
  const notes = [
    ...(baseline === undefined ? [] : [`of base: of what ${labels[baseline]} does.`]),
    ...ofMachine,
    ...sweepNotes(rows, labels),
  ]
  const failures = rows.flatMap((row, index) =>
    row.verdict === 'violated' ? [failureLine(row, labels[index])] : [],
  )
  const held = rows.filter((row) => row.verdict === 'held').length
  const sections = [
    commonLines(rows).join('\n'),
    ...texts,
    lines.join('\n'),
    notes.flatMap((note) => wrap(note)).join('\n'),
    failures.join('\n'),
    `verdict: ${verdict}${interrupted ? ' (interrupted)' : ''}, ${held} of ${rows.length} rows held`,
  ]
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`
}

/** How the kernel of all rows was changed. */
function commonLines([first, ...others]: readonly RunReport[]): string[] {
  const same = (field: 'reverts' | 'patches'): readonly string[] =>
    first !== undefined && others.every((row) => row[field].join() === first[field].join())
      ? first[field]
      : []
  return kernelLines({ reverts: same('reverts'), patches: same('patches') })
}

/** The rows' notes without their figures, each once, behind the rows that it is about unless these are all. */
function sweepNotes(rows: readonly RunReport[], names: readonly string[]): string[] {
  const about = new Map<string, string[]>()
  for (const [index, row] of rows.entries())
    for (const { general } of runNotes(row)) about.set(general, [...(about.get(general) ?? []), names[index]])
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

function failureLine(row: RunReport, label: string): string {
  const failed = row.checks.find((check) => check.ok === false)
  const why = row.failure?.message ?? `${failed?.name}: ${failed?.detail ?? 'failed'}`
  return `${label}: ${why}\n  to run it again: ${row.command}`
}
