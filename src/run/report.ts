// The row model of `run`: one plain document for each run, from which the text, the JSON and the table of a sweep are
// made. Its fields are the pinned ones of `mmtorture/run@1` and some more. Leaves out formatting.
import type { Verdict } from '../base/verdict.ts'
import type { CheckResult } from '../checks/index.ts'
import type { Configuration } from '../kbuild/index.ts'
import type { Failure } from '../inspect/failure.ts'
import type { RunResult } from './scenario.ts'
import { type Events, eventCount } from '../inspect/events.ts'
import type { LatencyRow } from '../inspect/latency.ts'
import type { LockRow } from '../inspect/lock_stat.ts'
import type { TraceTable } from '../trace/index.ts'
import { noteText, runNotes } from './notes.ts'

/** Shares (0 to 1) of the samples of all CPUs during the window. */
export interface WaitReport {
  /** Found waiting for something else than a task. */
  readonly waiting: number
  /** Waiting, and halted. */
  readonly halted: number
  readonly idle: number
  /** Waiting for a spinlock, not for a semaphore or a TLB flush. */
  readonly spinlocks: number
  /** By what for, the greatest share first. */
  readonly for: Readonly<Record<string, number>>
}

export interface RunReport {
  readonly schema: 'mmtorture/run@1'
  readonly scenario: string
  readonly config: Configuration
  /** Fixes that were taken out, and paths of the user's patches. */
  readonly reverts: readonly string[]
  readonly patches: readonly string[]
  readonly cpus: number
  /** Processor cores of the host. */
  readonly cores: number
  readonly seed: number
  /** Length of the measured window. */
  readonly seconds: number
  readonly operations: number
  readonly operationsPerSecond: number
  readonly events: Events
  /** Times in nanoseconds. */
  readonly latency: readonly LatencyRow[]
  /** Times in nanoseconds; empty without LOCK_STAT=y. */
  readonly locks: readonly LockRow[]
  readonly distinctPtlWords: number
  readonly waits: WaitReport
  readonly checks: readonly CheckResult[]
  readonly failure?: Failure
  readonly trace?: TraceTable
  /** What a reader of the figures should know, in sentences. */
  readonly notes: readonly string[]
  readonly interrupted?: true
  readonly verdict: Verdict
  /** Runs the same again. */
  readonly command: string
}

/** What the report says besides the run's result. */
export interface RunRequest {
  readonly scenario: string
  readonly reverts: readonly string[]
  readonly patches: readonly string[]
  readonly cpus: number
  readonly seed: number
  readonly command: string
  readonly trace?: TraceTable
}

/** Makes the report of a run. */
export function runReport(request: RunRequest, result: RunResult): RunReport {
  const { image, cores, seconds, operations, failure, checks } = result
  const held = failure === undefined && checks.every((check) => check.ok !== false)
  const report = {
    schema: 'mmtorture/run@1' as const,
    scenario: request.scenario,
    config: image.config,
    reverts: request.reverts,
    patches: request.patches,
    cpus: request.cpus,
    cores,
    seed: request.seed,
    seconds: Math.round(seconds * 1e4) / 1e4,
    operations,
    operationsPerSecond: seconds > 0 ? Math.round(operations / seconds) : 0,
    events: result.events,
    latency: result.latency,
    locks: result.locks,
    distinctPtlWords: result.distinctPtlWords,
    waits: waitReport(result),
    checks,
    ...(failure === undefined ? {} : { failure }),
    ...(request.trace === undefined ? {} : { trace: request.trace }),
    notes: [] as string[],
    ...(result.interrupted ? { interrupted: true as const } : {}),
    verdict: held ? ('held' as const) : ('violated' as const),
    command: request.command,
  }
  return { ...report, notes: runNotes(report).map(noteText) }
}

/** Breaks of copy_pte_range: by need_resched, and because a lock was wanted (needbreak), of either table. */
export function copyBreaks(report: RunReport): { needResched: number; needbreak: number } {
  const count = (reason: string): number => eventCount(report.events, `copy_pte_range_breaks_${reason}`)
  return {
    needResched: count('need_resched'),
    needbreak: count('needbreak_src') + count('needbreak_dst'),
  }
}

function waitReport({ samples }: RunResult): WaitReport {
  const share = (count: number): number =>
    samples.looks === 0 ? 0 : Math.round((count / samples.looks) * 1e4) / 1e4
  const waits = [...samples.waits].toSorted((left, right) => right[1] - left[1])
  return {
    waiting: share(waits.reduce((sum, [, count]) => sum + count, 0)),
    halted: share(samples.halted),
    idle: share(samples.idle),
    spinlocks: share(samples.spinlocks),
    for: Object.fromEntries(waits.map(([name, count]) => [name, share(count)])),
  }
}
