// The document of a hunt (schema mmtorture/hunt@1). Leaves out how it is printed: hunt_text.ts, and the JSON that the
// CLI writes.
import type { HuntResult } from '../explore/rounds.ts'
import type { TaskDraws } from '../machine/stepped/draws.ts'
import type { NecessarySwitch, Sizes } from '../explore/shrink.ts'
import type { Configuration } from '../kbuild/config.ts'
import type { Unmet } from './expectations.ts'
import type { EndState, Description } from './violation.ts'
import { interleavingOf } from './violation.ts'
import type { Constraint, LedToIt, Row } from './interleaving.ts'
import {
  coverageByFolder,
  lineCoverage,
  type LineCoverage,
  sourceLines,
  type SourceLines,
} from './reached.ts'
import type { HuntVerdict } from '../base/verdict.ts'

/** A row of the interleaving, as the JSON has it. */
export interface InterleavingStep {
  /** `A3`; only rows that matter have one. */
  readonly label?: string
  readonly cpu: number
  readonly irq?: true
  readonly function: string
  readonly helper?: string
  readonly file: string
  readonly line: number
  /** The primitive: `cmpxchg`. */
  readonly access: string
  /** In words. */
  readonly address: number
  readonly object: string
  readonly old: number
  /** What the word holds afterwards. */
  readonly value: number
  /** Access, object and values in the report's words. */
  readonly text: string
  /** It was not taken: the CPU wanted it when the execution ended. */
  readonly pending?: 'waiting' | 'next'
}

/** What shrinking reached. */
export interface ShrinkReport {
  readonly sizes: { readonly cpus: number; readonly operations: number; readonly pages: number }
  readonly steps: number
  readonly switches: number
  /** Accesses of the short interleaving. */
  readonly accesses: number
  readonly executions: number
  /** The switches that are left; `without`: what the execution ends in without it. */
  readonly necessary: readonly NecessarySwitch[]
}

export interface ViolationReport {
  readonly check: string
  readonly message: string
  /** It is a BUG_ON of the scenario's own, and no check of the kernel. */
  readonly ofScenario?: true
  /** The execution that showed it; negative: one of those that learned which words are shared. */
  readonly execution: number
  /** Executions that showed it, with --keep-going. */
  readonly count: number
  /** Since the hunt began. */
  readonly seconds: number
  readonly seed: number
  /**
   * Changes of CPU after shrinking: [steps taken before, context that goes on]; a context beyond the CPUs is a CPU's
   * interrupt.
   */
  readonly schedule: readonly (readonly [step: number, context: number])[]
  /** What tasks drew at random, by their numbers; after shrinking as little as it takes. */
  readonly draws: readonly TaskDraws[]
  /** The replay file; none: it was not written. */
  readonly replay?: string
  /** The command that replays it. */
  readonly command?: string
  readonly interleaving: readonly InterleavingStep[]
  /** Rows that the check names as what led to it, in the order of time. */
  readonly causes?: readonly LedToIt[]
  readonly constraints: readonly Constraint[]
  /** What failed, in the kernel's format. */
  readonly report: readonly string[]
  /** Each CPU when it ended; empty when it failed at rest. */
  readonly cpus: readonly EndState[]
  readonly shrunk?: ShrinkReport
}

/** A form that was hunted, or could not be set up. */
export interface HuntedForm extends Sizes {
  readonly executions?: number
  /** Executions beside them that learned which words are shared. */
  readonly learning?: number
  readonly verdict?: HuntVerdict
  /** Why it was not hunted. */
  readonly refused?: string
}

export interface HuntReport {
  readonly schema: 'mmtorture/hunt@1'
  readonly scenario: string
  readonly config: Configuration
  readonly reverts: readonly string[]
  readonly patches: readonly string[]
  readonly cpus: number
  /** Turns of each task, and pages of the scenario. */
  readonly operations: number
  readonly pages: number
  /** The forms that were looked at, where there are several; the figures are of the one above. */
  readonly forms?: readonly HuntedForm[]
  readonly scheduler: string
  readonly seed: number
  readonly workers: number
  readonly seconds: number
  readonly executions: number
  /** Executions that were cut off, after many times --step-limit steps. */
  readonly cutOff?: number
  /** Executions before the first that learned which words are shared. */
  readonly learning: number
  readonly executionsPerSecond: number
  readonly steps: number
  readonly stepsPerSecond: number
  readonly distinctSchedules: number
  readonly distinctStates?: number
  /** The counts of schedules and states are lower bounds. */
  readonly atLeast?: true
  /** Words that more than one CPU touches. */
  readonly sharedWords: number
  readonly conflictPairs: number
  /** Executions that were watched for lines and pairs. */
  readonly watched: number
  readonly lines: LineCoverage
  /** By folder of the kernel. */
  readonly coverage: Readonly<Record<string, LineCoverage>>
  readonly sourceLines: SourceLines
  /** What the scenario declares that a hunt of it reaches, and this one did not; none where a violation ended it. */
  readonly notReached: readonly string[]
  /** Events that the scenario expects more often, when it was hunted as it declares: it is violated then. */
  readonly unmet?: readonly Unmet[]
  /** By function: how often a recheck failed. */
  readonly retries: Readonly<Record<string, number>>
  readonly shares?: Readonly<Record<string, number>>
  /** An exhaustive scheduler has run all schedules. */
  readonly exhausted?: true
  readonly checks: { readonly on: readonly string[]; readonly off: readonly string[] }
  readonly notes: readonly string[]
  readonly interrupted?: true
  readonly verdict: HuntVerdict
  /** The first. */
  readonly violation?: ViolationReport
  /** With --keep-going: all that are distinct by check and places. */
  readonly violations?: readonly ViolationReport[]
  /** Runs the same again. */
  readonly command: string
}

/** What the report says besides the hunt's result. */
export interface HuntAbout {
  readonly scenario: string
  readonly config: Configuration
  readonly reverts: readonly string[]
  readonly patches: readonly string[]
  readonly sizes: Sizes
  readonly workers: number
  readonly sites: readonly { readonly file: string; readonly line: number }[]
  /** Indices of the sites that setup reached. */
  readonly setupSites: Iterable<number>
  readonly retries: Readonly<Record<string, number>>
  readonly checks: HuntReport['checks']
  readonly notes: readonly string[]
  readonly notReached: readonly string[]
  readonly unmet: readonly Unmet[]
  readonly keepGoing: boolean
  readonly command: string
}

/** Makes the document. */
export function huntReport(
  about: HuntAbout,
  result: HuntResult,
  violations: readonly ViolationReport[],
): HuntReport {
  const { sizes, sites } = about
  const lines = sourceLines(sites, result.sites, about.setupSites)
  return {
    schema: 'mmtorture/hunt@1',
    scenario: about.scenario,
    config: about.config,
    reverts: about.reverts,
    patches: about.patches,
    cpus: sizes.cpus,
    operations: sizes.operations,
    pages: sizes.pages,
    scheduler: result.scheduler,
    seed: result.seed,
    workers: about.workers,
    seconds: rounded(result.seconds, 4),
    executions: result.executions,
    ...(result.cutOff === 0 ? {} : { cutOff: result.cutOff }),
    learning: result.profileExecutions,
    executionsPerSecond: rounded(result.executionsPerSecond, 1),
    steps: result.steps,
    stepsPerSecond: Math.round(result.stepsPerSecond),
    distinctSchedules: result.distinctSchedules,
    ...(result.distinctStates === undefined ? {} : { distinctStates: result.distinctStates }),
    ...(result.atLeast ? { atLeast: true as const } : {}),
    sharedWords: result.sharedWords,
    conflictPairs: result.conflictPairs,
    watched: result.watched,
    lines: lineCoverage(lines),
    coverage: coverageByFolder(lines),
    sourceLines: lines,
    notReached: about.notReached,
    ...(about.unmet.length === 0 ? {} : { unmet: about.unmet }),
    retries: about.retries,
    ...(result.shares === undefined ? {} : { shares: result.shares }),
    ...(result.exhausted ? { exhausted: true as const } : {}),
    checks: about.checks,
    notes: [...about.notes, ...result.warnings],
    ...(result.interrupted ? { interrupted: true as const } : {}),
    verdict: about.unmet.length === 0 ? result.verdict : 'violated',
    ...(violations.length === 0 ? {} : { violation: violations[0] }),
    ...(about.keepGoing ? { violations } : {}),
    command: about.command,
  }
}

/** What a violation's report says besides the description. */
export type ViolationAbout = Pick<
  ViolationReport,
  'execution' | 'count' | 'seconds' | 'seed' | 'schedule' | 'draws' | 'replay' | 'command'
> & {
  readonly shrunk?: Omit<ShrinkReport, 'accesses'>
}

/** Makes the part of a violation. `verbose`: every step is a row. */
export function violationReport(
  description: Description,
  about: ViolationAbout,
  verbose: boolean,
): ViolationReport {
  const { shrunk, ...rest } = about
  const { rows, causes, constraints } = interleavingOf(description, verbose)
  const accesses = rows.filter((row) => row.step.pending === undefined).length
  return {
    check: description.finding.check,
    // A BUG says what it is by its place.
    message: /^BUG \d+( while the tasks exit)?$/.test(description.finding.message)
      ? description.splat[0]
      : description.finding.message,
    ...(description.ofScenario ? { ofScenario: true as const } : {}),
    ...rest,
    interleaving: rows.map(stepOf),
    ...(causes.length === 0 ? {} : { causes }),
    constraints,
    report: description.splat,
    cpus: description.cpus,
    ...(shrunk === undefined ? {} : { shrunk: { ...shrunk, accesses } }),
  }
}

function stepOf({ step, label }: Row): InterleavingStep {
  return {
    label,
    cpu: step.cpu,
    ...(step.irq ? { irq: true as const } : {}),
    function: step.function,
    ...(step.helper === undefined ? {} : { helper: step.helper }),
    file: step.file,
    line: step.line,
    access: step.access,
    address: step.address,
    object: step.object,
    old: step.old,
    value: step.value,
    text: step.text,
    ...(step.pending === undefined ? {} : { pending: step.pending }),
  }
}

function rounded(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits
}
