// The report of one run as text for people. Leaves out what only the JSON has: every counter that is zero, bounces
// without LOCK_STAT.
import { configSettings } from '../kbuild/config.ts'
import { formatFailure } from '../inspect/failure.ts'
import { formatLockStat } from '../inspect/lock_stat.ts'
import { formatTraceTable } from '../trace/table.ts'
import type { RunReport } from '../run/report.ts'
import { kernelLines } from './kernel_lines.ts'
import { block, count, duration, flow, percent, table, wrap } from '../base/text.ts'

/** The whole report, ending in a newline. A failure ends with the command that repeats the run. */
export function formatRun(report: RunReport): string {
  const sections = [
    heading(report),
    report.seconds > 0 ? figures(report) : [],
    report.trace ? block('trace', formatTraceTable(report.trace).split('\n')) : [],
    report.locks.length > 0 ? formatLockStat(report.locks).trimEnd().split('\n') : [],
    block('checks', checks(report)),
    report.notes.flatMap((note) => wrap(note)),
    report.failure ? formatFailure(report.failure).split('\n') : [],
    verdict(report),
  ]
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`
}

function heading(report: RunReport): string[] {
  const { scenario, cpus, cores, seed, config } = report
  const settings = new Set([
    `PTLOCK=${config.PTLOCK}`,
    `SPINLOCK=${config.SPINLOCK}`,
    ...configSettings(config),
  ])
  return [
    `${scenario}: ${cpus} CPU${cpus === 1 ? '' : 's'} on ${cores} core${cores === 1 ? '' : 's'}, seed ${seed}`,
    ...flow([...settings]),
    ...kernelLines(report),
  ]
}

function figures(report: RunReport): string[] {
  const { operations, operationsPerSecond, seconds, events, latency, waits } = report
  const { retries, ...counters } = events
  const named = (counts: Readonly<Record<string, unknown>>): string[] =>
    Object.entries(counts)
      .filter(([, value]) => typeof value === 'number' && value > 0)
      .map(([name, value]) => `${name} ${count(value as number)}`)
  const faults = typeof events['pgfault'] === 'number' && seconds > 0 ? events['pgfault'] / seconds : 0
  return [
    ...block('throughput', [
      `${count(operationsPerSecond)} operations/s (${count(operations)} in ${seconds.toFixed(2)} s)` +
        (faults > 0 ? `, ${count(faults)} faults/s` : ''),
    ]),
    ...block('events', flow(named(counters))),
    ...block('retries', flow(orNone(named(retries)))),
    ...block('ptl', [`${count(report.distinctPtlWords)} distinct page-table-lock words taken`]),
    ...block('waits', [
      ...flow([
        `waiting ${percent(waits.waiting)} of CPU time`,
        `halted ${percent(waits.halted)}`,
        `idle ${percent(waits.idle)}`,
        `spinlocks ${percent(waits.spinlocks)}`,
        ...Object.entries(waits.for)
          .slice(0, 5)
          .map(([name, share]) => `${name} ${percent(share)}`),
      ]),
    ]),
    ...(latency.length === 0 ? [] : block('latency', latencyTable(report))),
  ]
}

function latencyTable({ latency }: RunReport): string[] {
  return table([
    ['fault path', 'samples', 'p50', 'p99', 'max'],
    ...latency.map((row) => [
      row.path,
      count(row.samples),
      duration(row.p50),
      duration(row.p99),
      duration(row.max),
    ]),
  ])
}

function checks({ checks }: RunReport): string[] {
  if (checks.length === 0) return ['not run: the machine did not come to rest']
  const names = (ok: boolean | 'not applicable'): string[] =>
    checks.filter((check) => check.ok === ok).map((check) => check.name)
  const held = names(true)
  const absent = names('not applicable')
  return [
    ...checks
      .filter((check) => check.ok === false)
      .map((check) => `FAILED ${check.name}${check.detail ? `: ${check.detail}` : ''}`),
    ...(held.length === 0 ? [] : flow([`held: ${held[0]}`, ...held.slice(1)])),
    ...(absent.length === 0 ? [] : flow([`not applicable: ${absent[0]}`, ...absent.slice(1)])),
  ]
}

function verdict({ verdict, interrupted, command }: RunReport): string[] {
  return [
    `verdict: ${verdict}${interrupted ? ' (interrupted)' : ''}`,
    ...(verdict === 'held' ? [] : [`to run it again: ${command}`]),
  ]
}

function orNone(items: string[]): string[] {
  return items.length === 0 ? ['none'] : items
}
