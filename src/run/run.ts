// Runs a scenario, or each configuration of a sweep, on the smp machine: options to a plan, a plan to its document. Leaves out the
// machine itself: src/machine/smp; and the document's text: src/report.
import { availableParallelism } from 'node:os'
import { join, relative, sep } from 'node:path'
import { type Configuration, configSettings, keyOf, sweepConfig, withDefaults } from '../kbuild/config.ts'
import type { RunOptions } from './scenario.ts'
import type { Conduct } from '../base/conduct.ts'
import { type RunReport, runReport } from './report.ts'
import { type SweepReport, sweepReport } from './sweep.ts'
import { rowLabel } from '../kbuild/labels.ts'
import type { TraceTable } from '../trace/index.ts'
import { shellQuote } from '../base/shell.ts'
import { existingFile } from '../base/paths.ts'
import {
  DEFAULT_SCENARIO,
  type ScenarioFile,
  scenarioOrTrace,
  scenarioSettings,
} from '../catalog/scenarios.ts'
import { packageRoot } from '../base/root.ts'

/** What may be chosen of a run. Names as on the command line; what is left out takes its default. */
export interface RunChoices {
  readonly cpus?: number
  readonly seconds?: number
  readonly seed?: number
  readonly config?: readonly string[]
  readonly patch?: readonly string[]
  readonly trace?: string
}

const DEFAULT_SECONDS = 3
const DEFAULT_SEED = 1

/**
 * Runs every configuration of the plan, one after the other. Throws UsageError for bad input that shows only when the image is built or
 * booted; a failed check is a result.
 */
export async function runPlan(plan: RunPlan, conduct: Conduct = {}): Promise<SweepReport> {
  const { signal, progress = () => {} } = conduct
  const { runScenario } = await import('./scenario.ts')
  const reports: RunReport[] = []
  for (const [index, config] of plan.configs.entries()) {
    if (signal?.aborted === true) break
    const sweeping = plan.configs.length > 1
    if (sweeping) progress(`${index + 1} of ${plan.configs.length}: ${rowLabel(config, plan.configs)}`)
    const { request, table } = await prepare(plan, config, progress)
    const result = await runScenario({
      ...request,
      ...(signal && { signal }),
      ...(sweeping ? {} : { progress }),
    })
    const { cpus, seed } = plan
    const command = commandLine(plan, config)
    reports.push(runReport({ scenario: plan.label, cpus, seed, command, trace: table() }, result))
  }
  const interrupted =
    signal?.aborted === true && (reports.length < plan.configs.length || isInterrupted(reports))
  return sweepReport(reports, interrupted)
}

/** What is to be run, checked as far as it can be without building anything. */
export interface RunPlan {
  readonly scenario: ScenarioFile
  /** As the user named it. */
  readonly label: string
  readonly configs: readonly Configuration[]
  readonly patches: readonly string[]
  readonly cpus: number
  readonly seed: number
  readonly trace?: string
  /** Length of the measured window; without one a recording is replayed to its end. */
  readonly seconds?: number
  /** Whether the user has set MEMORY; else a recording gets what it needs. */
  readonly memoryChosen: boolean
}

/** Throws UsageError for what the options have wrong. */
export function planRun(name: string | undefined, options: RunChoices): RunPlan {
  const { scenario, trace } = scenarioOrTrace(name, options.trace, DEFAULT_SCENARIO)
  const seconds = options.seconds ?? (trace === undefined ? DEFAULT_SECONDS : undefined)
  return {
    scenario,
    label: scenario.name,
    configs: sweepConfig(withDefaults(options.config ?? [], scenarioSettings(scenario))),
    patches: (options.patch ?? []).map((path) => existingFile('--patch', path)),
    cpus: options.cpus ?? Math.min(4, Math.max(2, availableParallelism())),
    seed: options.seed ?? DEFAULT_SEED,
    memoryChosen: (options.config ?? []).some((setting) => keyOf(setting) === 'MEMORY'),
    ...(trace === undefined ? {} : { trace }),
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
  const inPackage = plan.scenario.file.startsWith(join(packageRoot(), 'scenarios') + sep)
  const { seconds } = plan
  return [
    'mmtorture run',
    ...(plan.trace === undefined
      ? [inPackage ? plan.scenario.name : relative('', plan.scenario.file)]
      : ['--trace', relative('', plan.trace)]),
    ...['--cpus', String(plan.cpus)],
    ...(seconds === undefined ? [] : ['--seconds', String(seconds)]),
    ...['--seed', String(plan.seed)],
    ...configSettings(config).flatMap((setting) => ['--config', setting]),
    ...plan.patches.flatMap((patch) => ['--patch', relative('', patch)]),
  ]
    .map((part, index) => (index === 0 ? part : shellQuote(part)))
    .join(' ')
}
