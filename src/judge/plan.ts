// What a judgement is to do, from the options: who is judged and beside whom, in which scenarios, and how the time is
// divided. Leaves out doing it: judge.ts.
import { UsageError } from '../base/errors.ts'
import { DEFAULT_SCENARIO, type ScenarioFile, findScenario, scenarioLabel } from '../catalog/scenarios.ts'
import { DEFAULT_TOPOLOGY, findTopology } from '../catalog/topologies.ts'
import { sweepConfig } from '../kbuild/config.ts'
import { type Candidate, identify } from './candidate.ts'
import { type Change, changeOf } from './change.ts'
import { huntOrder } from './order.ts'

/** What may be chosen of a judgement. Names as on the command line; what is left out takes its default. */
export interface JudgeChoices {
  /** Seconds for all of it. */
  readonly budget?: number
  readonly seed?: number
  readonly workers?: number
  /** Executions of each hunted scenario; default: as many as there is time for. */
  readonly executions?: number
  /** Operations a CPU of each point of scale. */
  readonly operations?: number
  /** Ascending numbers of CPUs of scale. */
  readonly cpus?: readonly number[]
  /** A name, or several: `milan,icelake`. */
  readonly topology?: string
  /** Scenarios to hunt in, and in no others. */
  readonly scenario?: readonly string[]
  /** `KEY=VALUE`, for all kernels alike. */
  readonly config?: readonly string[]
  /** Folder of replay files. */
  readonly out?: string
}

export interface JudgePlan {
  readonly judged: readonly JudgedPlan[]
  /** Built-in ones that stand beside files; empty: all of the kind. */
  readonly rivals: readonly Candidate[]
  readonly budget: number
  readonly seed: number
  readonly workers: number
  readonly executions: number
  readonly operations: number
  readonly cpus: readonly number[]
  readonly topologies: readonly string[]
  readonly settings: readonly string[]
  readonly out?: string
  readonly files: readonly string[]
  readonly options: JudgeChoices
}

/** One that is judged. */
export interface JudgedPlan {
  readonly candidate: Candidate
  readonly change: Change
  /** In the order of their hunts. */
  readonly scenarios: readonly ScenarioFile[]
}

/** Shares of the budget that hunts and runs have; curves have what is left. */
export const SHARES = { hunt: 0.5, run: 0.1 } as const

export const DEFAULT_BUDGET = 120
const DEFAULT_SEED = 1
const DEFAULT_CPUS = [1, 2, 8, 64]
/** Enough for a curve: a point with more costs time and says the same. */
const DEFAULT_OPERATIONS = 24

/**
 * Throws UsageError for what the options have wrong, a file that is none of a design, a spinlock, a scenario and a
 * patch, and a patch that does not apply.
 */
export function planJudge(files: readonly string[], options: JudgeChoices): JudgePlan {
  if (files.length === 0)
    throw new UsageError('judge takes a FILE: a page-table-lock design, a spinlock, a scenario or a patch.')
  const candidates = [...new Set(files)].map(identify)
  const settings = options.config ?? []
  if (sweepConfig(settings).length > 1)
    throw new UsageError(
      `judge --config ${settings.join(' ')}: one value for each key; judge each of them by itself.`,
    )
  const scenarios = candidates.filter(({ kind }) => kind === 'scenario')
  const others = candidates.filter(({ kind }) => kind !== 'scenario')
  // Beside something of the user's a built-in one is compared with, and a scenario is one more to judge it in.
  const own = others.filter(({ builtIn }) => !builtIn)
  const judged = own.length > 0 ? own : others.length > 0 ? others : scenarios
  const first = others.length > 0 ? scenarios.map(({ name }) => findScenario(name)) : []
  const only = options.scenario?.map((name) => findScenario(name))
  const topologies = (options.topology ?? DEFAULT_TOPOLOGY).split(',')
  const cpus = options.cpus ?? DEFAULT_CPUS
  const [{ label, cpus: most }] = topologies.map((name) => findTopology(name))
  if (Math.max(...cpus) > most)
    throw new UsageError(`--cpus ${Math.max(...cpus)}: ${label} has ${most} CPUs.`)
  return {
    judged: judged.map((candidate) => judgedPlan(candidate, first, only)),
    rivals: own.length > 0 ? others.filter(({ builtIn }) => builtIn) : [],
    budget: options.budget ?? DEFAULT_BUDGET,
    seed: options.seed ?? DEFAULT_SEED,
    workers: options.workers ?? 1,
    executions: options.executions ?? Infinity,
    operations: options.operations ?? DEFAULT_OPERATIONS,
    ...{ cpus, topologies, settings, files, options },
    ...(options.out === undefined ? {} : { out: options.out }),
  }
}

function judgedPlan(
  candidate: Candidate,
  first: readonly ScenarioFile[],
  only: readonly ScenarioFile[] | undefined,
): JudgedPlan {
  const change = changeOf(candidate)
  if (candidate.kind === 'scenario') return { candidate, change, scenarios: [findScenario(candidate.name)] }
  // Where processes fork at once, the pairs of tables that they lock cross: an order of them that is wrong shows there.
  const begins = candidate.kind === 'design' ? [...first, findScenario(DEFAULT_SCENARIO)] : first
  return { candidate, change, scenarios: only ?? huntOrder(begins, change.functions) }
}

/** How a scenario is named in a document. */
export function nameOf(scenario: ScenarioFile): string {
  return scenarioLabel(scenario)
}
