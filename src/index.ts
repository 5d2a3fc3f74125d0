// The library: `import { hunt, replay, run, scale } from 'mmtorture'`. Options as on the command line, results as plain data; nothing is
// printed, and no file is written but under `out`. The command line is its first user. Leaves out text for people: src/report.
import * as v from 'valibot'
import type { Conduct } from './base/conduct.ts'
import { UsageError } from './base/errors.ts'
import { integer, qualify } from './base/qualify.ts'
import { type HuntDocument, huntPlans } from './hunt/hunt.ts'
import { type HuntChoices, planHunt } from './hunt/plan.ts'
import { type ReplayReport, replayRecorded } from './hunt/replay.ts'
import type { RunReport } from './run/report.ts'
import { planRun, type RunChoices, runPlan } from './run/run.ts'
import type { ScaleReport } from './scale/report.ts'
import { planScale, type ScaleChoices, scalePlan } from './scale/scale.ts'

export { UsageError } from './base/errors.ts'
export type { Conduct } from './base/conduct.ts'
export type { HuntDocument, ReplayReport, RunReport, ScaleReport }

/** A name (`mmtorture list scenarios`) or the path of a file of one's own. */
interface WithScenario extends Conduct {
  readonly scenario?: string
}
export interface RunOptions extends RunChoices, WithScenario {}
export interface HuntOptions extends HuntChoices, WithScenario {}
export interface ScaleOptions extends ScaleChoices, WithScenario {}
export type ReplayOptions = Pick<HuntChoices, 'verbose'>

const text = v.optional(v.string('expected a text'))
const texts = v.optional(v.array(v.string('expected a text'), 'expected a list of texts'))
const flag = v.optional(v.boolean('expected true or false'))
const count = (min: number, max: number) => v.optional(integer(min, max))
const SECONDS = 'expected a number of seconds greater than 0'
const seconds = v.optional(
  v.pipe(v.number(SECONDS), v.gtValue(0, SECONDS), v.maxValue(86_400, 'expected at most 86400 seconds')),
)
const common = {
  scenario: text,
  signal: v.optional(v.instance(AbortSignal, 'expected an AbortSignal')),
  progress: v.optional(v.function('expected a function')),
  seed: count(0, 2 ** 31 - 1),
  config: texts,
  patch: texts,
  revert: texts,
}
const RUN = v.strictObject({ ...common, cpus: count(1, 64), seconds, trace: text })
const HUNT = v.strictObject({
  ...common,
  ...{ cpus: count(1, 64), seconds, operations: count(1, 1e6), pages: count(1, 1e6), workers: count(1, 64) },
  ...{
    executions: count(1, 1e9),
    scheduler: text,
    depth: count(1, 100),
    preemptions: count(0, 100),
    stepLimit: count(1, 1e9),
  },
  ...{ check: texts, off: texts, keepGoing: flag, determinismCheck: flag, verbose: flag, out: text },
})
const SCALE = v.strictObject({
  ...common,
  cpus: v.optional(
    v.pipe(v.array(integer(1, 256), 'expected a list of numbers of CPUs'), v.minLength(1, 'is empty')),
  ),
  simulatedTime: v.optional(
    v.pipe(v.number(SECONDS), v.gtValue(0, SECONDS), v.maxValue(10, 'expected at most 10 seconds')),
  ),
  ...{ topology: text, spread: flag, operations: count(1, 1e9), lag: count(0, 1e6), pages: count(1, 1e6) },
  ...{ section: count(0, 1e9), think: count(0, 1e9), cost: texts, trace: text },
  ...{ lockstat: flag, profile: flag, annotate: texts, c2c: flag },
})
const REPLAY = v.strictObject({ verbose: flag })

/**
 * Runs one configuration of a scenario on worker threads. A failed check is a result (`verdict`).
 * Throws UsageError for bad options, a list of values in `config`, and what is wrong in the user's own files.
 */
export async function run(options: RunOptions = {}): Promise<RunReport> {
  qualify('run', RUN, options)
  const { scenario, signal, progress, ...choices } = options
  const plan = planRun(scenario, choices)
  one('run', plan.configs)
  return (await runPlan(plan, conduct(signal, progress))).rows[0]
}

/**
 * Hunts one configuration of a scenario, stepped, until a check fails. A violation is a result (`verdict`, `violation`), with what replay()
 * takes in `replays`. Equal options give equal counts. Throws UsageError as run() does.
 */
export async function hunt(options: HuntOptions = {}): Promise<HuntDocument> {
  qualify('hunt', HUNT, options)
  const { scenario, signal, progress, ...choices } = options
  const plan = planHunt(scenario, choices)
  one('hunt', plan.configs)
  const [{ report, replays }] = (await huntPlans([plan], conduct(signal, progress))).hunted
  return { ...report, replays }
}

/** Runs a scenario on the coherence clock: a point for each number of CPUs and each configuration. Throws UsageError as run() does. */
export async function scale(options: ScaleOptions = {}): Promise<ScaleReport> {
  qualify('scale', SCALE, options)
  const { scenario, signal, progress, ...choices } = options
  return scalePlan(planScale(scenario, choices), conduct(signal, progress))
}

/**
 * Replays a violation step by step.
 * @param file the path of a replay file, or an element of hunt()'s `replays`
 * Throws UsageError for a file that is none, and for the first difference, if the kernel is another by now.
 */
export async function replay(file: string | object, options: ReplayOptions = {}): Promise<ReplayReport> {
  qualify('replay', REPLAY, options)
  return (await replayRecorded(file, options.verbose)).report
}

function conduct(signal: AbortSignal | undefined, progress: Conduct['progress']): Conduct {
  return { ...(signal && { signal }), ...(progress && { progress }) }
}

function one(what: string, configs: readonly unknown[]): void {
  if (configs.length > 1)
    throw new UsageError(
      `${what}(): config: ${configs.length} configurations; call it once for each, with one value for each key.`,
    )
}
