// The document of a judgement (schema mmtorture/judge@1): one plain object, from which text and JSON are made. Leaves
// out formatting.
import type { HuntVerdict, Verdict } from '../base/verdict.ts'
import type { HuntReport } from '../hunt/report.ts'
import type { RunReport } from '../run/report.ts'
import type { Kind } from './candidate.ts'

export interface JudgeReport {
  readonly schema: 'mmtorture/judge@1'
  /** Seconds that it was to take, and took. */
  readonly budget: number
  readonly seconds: number
  readonly seed: number
  readonly workers: number
  readonly cpus: readonly number[]
  readonly topologies: readonly string[]
  readonly settings: readonly string[]
  readonly judged: readonly Judged[]
  readonly interrupted?: true
  readonly verdict: HuntVerdict
  /** Judges the same again. */
  readonly command: string
}

export interface Judged {
  readonly name: string
  readonly kind: Kind
  readonly verdict: HuntVerdict
  /** The phase in which it failed. */
  readonly failed?: 'hunt' | 'run' | 'scale'
  readonly hunt: HuntSummary
  /** The hunt that found a violation. */
  readonly violation?: HuntReport
  /** On real threads. */
  readonly runs: readonly RunReport[]
  readonly scale: readonly ScaleTable[]
  /** What limits it at the greatest number of CPUs, by scenario. */
  readonly binds: readonly Bound[]
  readonly memory?: Memory
}

/** The hunts of one candidate. */
export interface HuntSummary {
  readonly seconds: number
  /** Rounds that were begun. */
  readonly rounds: number
  readonly executions: number
  /** Executions beside them that learned which words are shared. */
  readonly learning: number
  readonly steps: number
  /** Of each hunt, summed up. */
  readonly distinctSchedules: number
  readonly scenarios: readonly HuntedScenario[]
  /** Scenarios that there was no time for. */
  readonly left: readonly string[]
  /** Scenarios that do not suit the candidate. */
  readonly refused: readonly { readonly scenario: string; readonly why: string }[]
  /** Places (`file:line`) of what is judged: its file, and the functions that call or change it. */
  readonly places: { readonly reached: readonly string[]; readonly unreached: readonly string[] }
  /** Distinct pairs of source lines at which two CPUs met on a word that one of them wrote. */
  readonly conflictPairs: number
  /** Of these, those that the last round met first, and its executions. */
  readonly fresh: { readonly executions: number; readonly pairs: number }
}

export interface HuntedScenario {
  readonly scenario: string
  /** Beside the candidate's own. */
  readonly settings: readonly string[]
  /** Whether it took a step at a place of what is judged. */
  readonly reaches: boolean
  readonly executions: number
  readonly rounds: number
  readonly verdict: HuntVerdict
}

/** Curves of one scenario on one machine. */
export interface ScaleTable {
  /** `faults`, `fork`, `mixed`, or the scenario's name. */
  readonly load: string
  readonly scenario: string
  readonly topology: string
  readonly curves: readonly Curve[]
}

export interface Curve {
  /** Of the candidate, or of what it is compared with. */
  readonly name: string
  readonly points: readonly CurvePoint[]
}

export interface CurvePoint {
  readonly cpus: number
  /** 0: it could not run. */
  readonly operationsPerSecond: number
  readonly failure?: string
  readonly violated?: true
  /** The command that looks for what violated it. */
  readonly hunt?: string
}

/** What limits a candidate in one scenario. */
export interface Bound {
  readonly load: string
  readonly cpus: number
  readonly bound: string
  /** The class that is waited for most, and its share of all CPUs' time. */
  readonly lock?: { readonly class: string; readonly waiting: number }
  /** The same point with other keys, the best first: how many times as fast, and what limits it then. */
  readonly keys: readonly MovedBound[]
}

export interface MovedBound {
  /** `VMA_LOCK=y AREAS=each` */
  readonly settings: string
  readonly ratio: number
  readonly bound: string
}

/** Words of 4 bytes. */
export interface Memory {
  /** Of the design, once for the machine. */
  readonly machine: number
  /** In the struct page of each table; none: the design uses none of it. */
  readonly table: number
  /** Of a spinlock. */
  readonly spinlock: number
}

/** The worst of several verdicts. */
export function worst(verdicts: readonly (HuntVerdict | Verdict)[]): HuntVerdict {
  return (['violated', 'inconclusive'] as const).find((one) => verdicts.includes(one)) ?? 'held'
}
