// `mmtorture run`: runs a scenario, or each configuration of a sweep, on the smp machine and prints the report. Leaves out the
// machine itself: src/machine/smp; and the report's form: src/report.
import { availableParallelism } from 'node:os'
import { join, relative, sep } from 'node:path'
import { type Configuration, configSettings, keyOf, sweepConfig, withDefaults } from '../kbuild/config.ts'
import type { RunOptions } from '../machine/smp/run.ts'
import { type RunReport, runReport } from '../report/run_report.ts'
import { formatRun } from '../report/run_text.ts'
import { formatSweep, rowLabel, sweepReport } from '../report/sweep.ts'
import type { TraceTable } from '../trace/index.ts'
import { existingFile, shellQuote } from './arguments.ts'
import { checkWritable, progress, writeReport } from './output.ts'
import { DEFAULT_SCENARIO, type ScenarioFile, scenarioOrTrace, scenarioSettings } from './scenarios.ts'
import { packageRoot } from '../kbuild/root.ts'

/** The options as commander parsed them. */
export interface RunArguments {
  readonly cpus?: number
  readonly seconds?: number
  readonly seed?: number
  readonly config?: readonly string[]
  readonly patch?: readonly string[]
  readonly trace?: string
  /** `-`: stdout. */
  readonly json?: string
  readonly out?: string
}

const DEFAULT_SECONDS = 3
const DEFAULT_SEED = 1

/**
 * Runs and prints; returns the exit status: 0 held, 1 violated, 130 interrupted.
 * @param signal ends the run early; what was done is reported
 */
export async function runCommand(
  name: string | undefined,
  options: RunArguments,
  signal: AbortSignal,
): Promise<number> {
  const plan = planRun(name, options)
  checkWritable('run', options)
  const { runScenario } = await import('../machine/smp/run.ts')
  const reports: RunReport[] = []
  for (const [index, config] of plan.configs.entries()) {
    if (signal.aborted) break
    const sweeping = plan.configs.length > 1
    if (sweeping) progress(`${index + 1} of ${plan.configs.length}: ${rowLabel(config, plan.configs)}`)
    const { request, table } = await prepare(plan, config, options)
    const result = await runScenario({ ...request, signal, ...(sweeping ? {} : { progress }) })
    const { cpus, seed } = plan
    const command = commandLine(plan, config, options)
    reports.push(runReport({ scenario: plan.label, cpus, seed, command, trace: table() }, result))
  }
  const interrupted = signal.aborted && (reports.length < plan.configs.length || isInterrupted(reports))
  const sweep = sweepReport(reports, interrupted)
  const single = plan.configs.length === 1 ? reports[0] : undefined
  const document = `${JSON.stringify(single ?? sweep, null, 2)}\n`
  const text = single ? formatRun(single) : formatSweep(sweep)
  await writeReport('run', { document, text }, options)
  if (interrupted) return 130
  return sweep.verdict === 'held' ? 0 : 1
}

/** What is to be run, checked as far as it can be without building anything. */
interface RunPlan {
  readonly scenario: ScenarioFile
  /** As the user named it. */
  readonly label: string
  readonly configs: readonly Configuration[]
  readonly patches: readonly string[]
  readonly cpus: number
  readonly seed: number
  readonly trace?: string
}

/** Throws UsageError for what the options have wrong. */
export function planRun(name: string | undefined, options: RunArguments): RunPlan {
  const { scenario, trace } = scenarioOrTrace(name, options.trace, DEFAULT_SCENARIO)
  return {
    scenario,
    label: scenario.name,
    configs: sweepConfig(withDefaults(options.config ?? [], scenarioSettings(scenario))),
    patches: (options.patch ?? []).map((path) => existingFile('--patch', path)),
    cpus: options.cpus ?? Math.min(4, Math.max(2, availableParallelism())),
    seed: options.seed ?? DEFAULT_SEED,
    ...(trace === undefined ? {} : { trace }),
  }
}

async function prepare(
  plan: RunPlan,
  config: Configuration,
  options: RunArguments,
): Promise<{ request: RunOptions; table: () => TraceTable | undefined }> {
  const { scenario, patches, cpus, seed, trace } = plan
  const request = { scenario: scenario.file, config, patches, cpus, seed }
  if (trace === undefined)
    return { request: { ...request, seconds: options.seconds ?? DEFAULT_SECONDS }, table: () => undefined }
  const { traceRun } = await import('./trace_run.ts')
  const chosen = (options.config ?? []).some((setting) => keyOf(setting) === 'MEMORY')
  const { table, ...replay } = traceRun(trace, config, !chosen)
  if (replay.config.MEMORY !== config.MEMORY)
    progress(`the recording needs more memory than ${config.MEMORY}: MEMORY=${replay.config.MEMORY}`)
  // A replay ends with its recording; --seconds can only cut it short.
  return { request: { ...request, ...replay, seconds: options.seconds ?? Infinity, warmup: 0 }, table }
}

function isInterrupted(reports: readonly RunReport[]): boolean {
  return reports.some((report) => report.interrupted)
}

/** The command that runs one configuration again. */
function commandLine(plan: RunPlan, config: Configuration, options: RunArguments): string {
  const inPackage = plan.scenario.file.startsWith(join(packageRoot(), 'scenarios') + sep)
  const seconds = options.seconds ?? (plan.trace === undefined ? DEFAULT_SECONDS : undefined)
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
