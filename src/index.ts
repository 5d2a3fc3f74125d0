// The library: `import { hunt, judge, replay, run, scale } from 'mmtorture'`. Options as on the command line, results
// as plain data; nothing is printed, and no file is written but under `out`. The command line is its first user. Leaves
// out text for people: src/report.
import * as v from 'valibot'
import type { Conduct } from './base/conduct.ts'
import { UsageError } from './base/errors.ts'
import { type Bounds, BOUNDS, LONGEST } from './base/bounds.ts'
import { integer, qualify } from './base/qualify.ts'
import { type HuntDocument, huntPlans } from './hunt/hunt.ts'
import { type HuntChoices, planHunt } from './hunt/plan.ts'
import { type ReplayReport, replayRecorded } from './hunt/replay.ts'
import { judgePlan } from './judge/judge.ts'
import { type JudgeChoices, planJudge } from './judge/plan.ts'
import type { JudgeReport } from './judge/report.ts'
import type { RunReport } from './run/report.ts'
import { planRun, type RunChoices, runPlan } from './run/run.ts'
import type { ScaleReport } from './scale/report.ts'
import { planScale, type ScaleChoices, scalePlan } from './scale/scale.ts'

export { UsageError } from './base/errors.ts'
export type { Conduct } from './base/conduct.ts'
export type { HuntDocument, JudgeReport, ReplayReport, RunReport, ScaleReport }

/** A name (`mmtorture list scenarios`) or the path of a file of one's own. */
interface WithScenario extends Conduct {
  readonly scenario?: string
}
export interface RunOptions extends RunChoices, WithScenario {}
export interface HuntOptions extends HuntChoices, WithScenario {}
export interface ScaleOptions extends ScaleChoices, WithScenario {}
export interface JudgeOptions extends JudgeChoices, Conduct {}
export type ReplayOptions = Pick<HuntChoices, 'verbose'>

const text = v.optional(v.string('expected a text'))
const texts = v.optional(v.array(v.string('expected a text'), 'expected a list of texts'))
const flag = v.optional(v.boolean('expected true or false'))
/** The options of a command that take an integer. */
const integers = (command: keyof typeof BOUNDS) =>
  Object.fromEntries(
    Object.entries<Bounds>(BOUNDS[command]).map(([name, bounds]) => [name, v.optional(integer(bounds))]),
  )
const SECONDS = 'expected a number of seconds greater than 0'
const time = (most: number) =>
  v.optional(
    v.pipe(v.number(SECONDS), v.gtValue(0, SECONDS), v.maxValue(most, `expected at most ${most} seconds`)),
  )
const seconds = time(LONGEST.seconds)
const common = {
  scenario: text,
  signal: v.optional(v.instance(AbortSignal, 'expected an AbortSignal')),
  progress: v.optional(v.function('expected a function')),
  config: texts,
  patch: texts,
  revert: texts,
}
const RUN = v.strictObject({ ...common, ...integers('run'), seconds, trace: text })
const HUNT = v.strictObject({
  ...common,
  ...integers('hunt'),
  ...{ seconds, scheduler: text },
  ...{ check: texts, off: texts, keepGoing: flag, determinismCheck: flag, verbose: flag, out: text },
})
const cpuList = v.optional(
  v.pipe(
    v.array(integer(BOUNDS.scale.cpus), 'expected a list of numbers of CPUs'),
    v.minLength(1, 'is empty'),
  ),
)
const SCALE = v.strictObject({
  ...common,
  ...integers('scale'),
  cpus: cpuList,
  simulatedTime: time(LONGEST.simulatedTime),
  ...{ topology: text, spread: flag, cost: texts, trace: text },
  ...{ lockstat: flag, profile: flag, annotate: texts, c2c: flag },
})
const JUDGE = v.strictObject({
  ...integers('judge'),
  ...{ signal: common.signal, progress: common.progress, config: texts },
  ...{ budget: seconds, cpus: cpuList, topology: text, scenario: texts, out: text },
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
 * Hunts one configuration of a scenario, stepped, until a check fails. A violation is a result (`verdict`,
 * `violation`), with what replay() takes in `replays`. Equal options give equal counts. Throws UsageError as run()
 * does.
 */
export async function hunt(options: HuntOptions = {}): Promise<HuntDocument> {
  qualify('hunt', HUNT, options)
  const { scenario, signal, progress, ...choices } = options
  const plan = planHunt(scenario, choices)
  one('hunt', plan.configs)
  const [{ report, replays }] = (await huntPlans([plan], conduct(signal, progress))).hunted
  return { ...report, replays }
}

/**
 * Runs a scenario on the coherence clock: a point for each number of CPUs and each configuration. Throws UsageError as
 * run() does.
 */
export async function scale(options: ScaleOptions = {}): Promise<ScaleReport> {
  qualify('scale', SCALE, options)
  const { scenario, signal, progress, ...choices } = options
  return scalePlan(planScale(scenario, choices), conduct(signal, progress))
}

/**
 * Judges page-table-lock designs, spinlocks, scenarios and patches: hunts, runs and curves beside the built-in ones. A
 * violation is a result (`verdict`, and `violation` of each that was judged).
 * @param files paths, and names of built-in ones to compare with
 * Throws UsageError as run() does.
 */
export async function judge(files: readonly string[], options: JudgeOptions = {}): Promise<JudgeReport> {
  qualify('judge', JUDGE, options)
  const { signal, progress, ...choices } = options
  return (await judgePlan(planJudge(files, choices), conduct(signal, progress))).report
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
