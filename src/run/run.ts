// Runs a scenario, or each configuration of a sweep, on the smp machine: options to a plan, a plan to its document.
// Leaves out the machine itself: src/machine/smp; and the document's text: src/report.
import { availableParallelism, loadavg } from 'node:os'
import { relative } from 'node:path'
import { type Configuration, keyOf, sweepConfig, withDefaults } from '../kbuild/config.ts'
import type { RunOptions } from './scenario.ts'
import type { Conduct } from '../base/conduct.ts'
import { type RunReport, runReport } from './report.ts'
import { type SweepReport, sweepReport } from './sweep.ts'
import { baselineOf, rowLabels } from '../kbuild/labels.ts'
import { machineNotes } from './notes.ts'
import type { TraceTable } from '../trace/index.ts'
import { shellQuote } from '../base/shell.ts'
import { DEFAULT_SCENARIO, scenarioSettings } from '../catalog/scenarios.ts'
import {
  chooseKernel,
  type ChosenKernel,
  type KernelChoices,
  namedSettings,
  patchArguments,
  patchNames,
} from '../catalog/kernel_choice.ts'

/** What may be chosen of a run. Names as on the command line; what is left out takes its default. */
export interface RunChoices extends KernelChoices {
  readonly cpus?: number
  readonly seconds?: number
  readonly trace?: string
}

const DEFAULT_SECONDS = 3
const DEFAULT_SEED = 1

/** How the rows of a sweep are run. */
export interface Sweeping {
  /** Runs of each row, one after the other: A B A B. */
  readonly repeat?: number
  /** Words of the label of the row that the others are compared with; default: the first. */
  readonly baseline?: string
}

/**
 * Runs every configuration of the plans, one after the other, and all of them again as often as they are repeated: what
 * changes on the machine meanwhile then shows in all rows. Throws UsageError for bad input that shows only when the
 * image is built or booted; a failed check is a result.
 */
export async function runPlans(
  plans: readonly RunPlan[],
  { repeat = 1, baseline }: Sweeping = {},
  conduct: Conduct = {},
): Promise<SweepReport> {
  const { signal, progress = () => {} } = conduct
  const { runScenario } = await import('./scenario.ts')
  const rows = plans.flatMap((plan) =>
    plan.configs.map((config) => ({ plan, config, runs: [] as RunReport[] })),
  )
  const labels = rowLabels(rows.map(({ plan, config }) => ({ ...patchNames(plan), config, seed: plan.seed })))
  const compared = rows.length > 1 && (plans.length > 1 || repeat > 1 || baseline !== undefined)
  const base = baselineOf(labels, baseline)
  const sweeping = rows.length * repeat > 1
  const load = loadavg()[0]
  const all = Array.from({ length: repeat }, () => [...rows.entries()]).flat()
  for (const [done, [index, { plan, config, runs }]] of all.entries()) {
    if (signal?.aborted === true) break
    if (sweeping) progress(`${done + 1} of ${all.length}: ${labels[index]}`)
    const { request, table } = await prepare(plan, config, progress)
    const result = await runScenario({
      ...request,
      ...(signal && { signal }),
      ...(sweeping ? {} : { progress }),
    })
    const { cpus, seed } = plan
    const command = commandLine(plan, config)
    const about = { scenario: plan.scenario.name, ...patchNames(plan), cpus, seed, command, trace: table() }
    runs.push(runReport(about, result))
  }
  const run = rows.flatMap(({ runs }) => (runs.length > 0 ? [runs] : []))
  const interrupted =
    signal?.aborted === true && (run.flat().length < all.length || run.some((runs) => isInterrupted(runs)))
  const report = sweepReport(run, { interrupted, ...(compared ? { baseline: base } : {}) })
  return { ...report, notes: sweeping ? machineNotes(report.rows, labels, load) : [] }
}

/** Runs every configuration of one plan once. Throws UsageError as runPlans does. */
export function runPlan(plan: RunPlan, conduct: Conduct = {}): Promise<SweepReport> {
  return runPlans([plan], {}, conduct)
}

/** What is to be run, checked as far as it can be without building anything. */
export interface RunPlan extends ChosenKernel {
  readonly configs: readonly Configuration[]
  readonly cpus: number
  readonly seed: number
  /** Length of the measured window; without one a recording is replayed to its end. */
  readonly seconds?: number
  /** Whether the user has set MEMORY; else a recording gets what it needs. */
  readonly memoryChosen: boolean
}

/** Throws UsageError for what the options have wrong. */
export function planRun(name: string | undefined, options: RunChoices): RunPlan {
  const kernel = chooseKernel(name, options, DEFAULT_SCENARIO)
  const { scenario, form, settings } = kernel
  const seconds = options.seconds ?? (kernel.trace === undefined ? DEFAULT_SECONDS : undefined)
  return {
    ...kernel,
    configs: sweepConfig(withDefaults(settings, scenarioSettings(scenario))),
    cpus: options.cpus ?? form?.cpus ?? Math.min(4, Math.max(2, availableParallelism())),
    seed: options.seed ?? DEFAULT_SEED,
    memoryChosen: (options.config ?? []).some((setting) => keyOf(setting) === 'MEMORY'),
    ...(seconds === undefined ? {} : { seconds }),
  }
}

async function prepare(
  plan: RunPlan,
  config: Configuration,
  progress: (text: string) => void,
): Promise<{ request: RunOptions; table: () => TraceTable | undefined }> {
  const { scenario, patches, cpus, seed, trace, seconds = Infinity } = plan
  const request = { scenario: scenario.file, config, patches, cpus, seed }
  if (trace === undefined) return { request: { ...request, seconds }, table: () => undefined }
  const { traceRun } = await import('./trace_run.ts')
  const { table, ...replay } = traceRun(trace, config, !plan.memoryChosen)
  if (replay.config.MEMORY !== config.MEMORY)
    progress(`the recording needs more memory than ${config.MEMORY}: MEMORY=${replay.config.MEMORY}`)
  // A replay ends with its recording; --seconds can only cut it short.
  return { request: { ...request, ...replay, seconds, warmup: 0 }, table }
}

function isInterrupted(reports: readonly RunReport[]): boolean {
  return reports.some((report) => report.interrupted)
}

/** The command that runs one configuration again. */
function commandLine(plan: RunPlan, config: Configuration): string {
  const { seconds } = plan
  return [
    'mmtorture run',
    ...(plan.trace === undefined ? [plan.label] : ['--trace', relative('', plan.trace)]),
    ...['--cpus', String(plan.cpus)],
    ...(seconds === undefined ? [] : ['--seconds', String(seconds)]),
    ...['--seed', String(plan.seed)],
    ...namedSettings(config, plan).flatMap((setting) => ['--config', setting]),
    ...patchArguments(plan),
  ]
    .map((part, index) => (index === 0 ? part : shellQuote(part)))
    .join(' ')
}
