// Runs a scenario on the clock for each number of CPUs and each configuration: options to a plan, a plan to its
// document. Leaves out the clock itself: src/machine/clock; and the document's text: src/report.
import { relative } from 'node:path'
import { CONFIG_KEYS, type Configuration, keyOf, sweepConfig, withDefaults } from '../kbuild/config.ts'
import { kbuild, type KernelImage, loadSteppedImage } from '../kbuild/index.ts'
import { ClockMachine, NoOperation } from '../machine/clock/machine.ts'
import { compileTopology } from '../machine/clock/topology.ts'
import { setupFailure } from '../machine/smp/diagnose.ts'
import { KernelBug, SetupFailed, type SteppedBoot } from '../machine/stepped/machine.ts'
import { Violation } from '../step/observer.ts'
import { formatLockStat } from '../inspect/lock_stat.ts'
import { symbol } from '../inspect/symbols.ts'
import { clockPoint } from './point.ts'
import { curves, type ScalePoint, type ScaleReport } from './report.ts'
import { baselineOf, rowLabel, rowLabels } from '../kbuild/labels.ts'
import { count, plural } from '../base/text.ts'
import { simulatedTimeArgument } from './simulated_time.ts'
import { shellQuote } from '../base/shell.ts'
import { UsageError } from '../base/errors.ts'
import { explainThrown } from '../machine/explain.ts'
import { pointFailure, withStacks } from './failure.ts'
import type { Conduct } from '../base/conduct.ts'
import { type ProfileOptions, profileOf, profileTexts } from './profile_texts.ts'
import { scenarioSettings } from '../catalog/scenarios.ts'
import {
  chooseKernel,
  type ChosenKernel,
  type KernelChoices,
  namedSettings,
  patchArguments,
  patchNames,
} from '../catalog/kernel_choice.ts'
import type { TraceRun } from '../run/trace_run.ts'
import {
  type ChosenTopology,
  DEFAULT_TOPOLOGY,
  findTopology,
  MOST_CPUS,
  withCosts,
} from '../catalog/topologies.ts'

/** What may be chosen of a sweep over CPUs. Names as on the command line; what is left out takes its default. */
export interface ScaleChoices extends KernelChoices {
  /** Ascending numbers of CPUs. */
  readonly cpus?: readonly number[]
  readonly topology?: string
  readonly spread?: boolean
  readonly operations?: number
  /** Seconds of the measured window, in place of operations. */
  readonly simulatedTime?: number
  readonly lag?: number
  readonly pages?: number
  readonly section?: number
  readonly think?: number
  readonly cost?: readonly string[]
  readonly trace?: string
  readonly lockstat?: boolean
  readonly profile?: boolean
  readonly annotate?: readonly string[]
  readonly c2c?: boolean
}

export const DEFAULT_OPERATIONS = 200
const DEFAULT_SCENARIO = 'page-fault-disjoint'
/**
 * Linux's spinlock where each CPU is a core, memory for 128 CPUs, and a tick every few milliseconds, as HZ=250 has it.
 */
const USUAL = ['SPINLOCK=qspinlock', 'MEMORY=512M', 'TICK=4000']
const DEFAULT_SEED = 1
/** Cycles of --lag are of this many picoseconds. */
const CYCLE = 400

/** What is to be run, checked as far as it can be without building anything. */
export interface ScalePlan extends ChosenKernel {
  readonly configs: readonly Configuration[]
  readonly cpus: readonly number[]
  readonly topology: ChosenTopology
  /** CPUs as far apart as there is room. */
  readonly spread: boolean
  /** Costs that are not the topology's own, as the user wrote them. */
  readonly costs: readonly string[]
  readonly seed: number
  /** Operations a CPU; Infinity with a simulated time. */
  readonly operations: number
  /** Seconds; Infinity with operations. */
  readonly time: number
  readonly lag: number
  readonly pages: number
  readonly section: number
  readonly think: number
  readonly lockstat: boolean
  readonly profiling: ProfileOptions
  /** Whether the user has set MEMORY; else a recording gets what it needs. */
  readonly memoryChosen: boolean
}

/** Throws UsageError for what the options have wrong. */
export function planScale(name: string | undefined, options: ScaleChoices): ScalePlan {
  if (options.operations !== undefined && options.simulatedTime !== undefined)
    throw new UsageError('--operations and --simulated-time both say when a point ends; give one of them.')
  const kernel = chooseKernel(name, options, DEFAULT_SCENARIO)
  const { scenario, settings, trace } = kernel
  const topology = withCosts(findTopology(options.topology ?? DEFAULT_TOPOLOGY), options.cost ?? [])
  const most = Math.min(topology.cpus, MOST_CPUS)
  const cpus = options.cpus ?? doublings(most)
  const greatest = Math.max(...cpus)
  if (greatest > topology.cpus)
    throw new UsageError(
      `--cpus ${greatest}: ${topology.label} has ${topology.cpus} CPUs; ` +
        `${topology.label.replace(/x\d+$/, '')}x${Math.ceil(greatest / topology.topology.cpus)} ` +
        'has enough.',
    )
  const usual = withDefaults(settings, [...USUAL, `NR_CPUS=${greatest}`])
  const configs = sweepConfig(withDefaults(usual, scenarioSettings(scenario)))
  for (const config of configs)
    if (config.NR_CPUS < greatest)
      throw new UsageError(
        `--cpus ${greatest}: the kernel is built for NR_CPUS=${config.NR_CPUS} CPUs at most.`,
      )
  const timed = options.simulatedTime !== undefined
  return {
    ...kernel,
    configs,
    cpus,
    topology,
    spread: options.spread === true,
    costs: options.cost ?? [],
    seed: options.seed ?? DEFAULT_SEED,
    // A recording is replayed to its end.
    operations: timed
      ? Infinity
      : (options.operations ?? (trace === undefined ? DEFAULT_OPERATIONS : Infinity)),
    time: options.simulatedTime ?? Infinity,
    lag: options.lag ?? 0,
    pages: options.pages ?? 0,
    section: options.section ?? 0,
    think: options.think ?? 0,
    lockstat: options.lockstat === true,
    memoryChosen: (options.config ?? []).some((setting) => keyOf(setting) === 'MEMORY'),
    profiling: {
      profile: options.profile === true,
      annotate: options.annotate ?? [],
      c2c: options.c2c === true,
    },
  }
}

/**
 * Runs every point of the plan. An interrupted point is left out.
 * Throws UsageError when the scenario does no operation.
 */
export async function scalePlan(plan: ScalePlan, conduct: Conduct = {}): Promise<ScaleReport> {
  const { signal, progress = () => {} } = conduct
  const points: ScalePoint[] = []
  // As the images have them: a recording gets the memory that it needs.
  const configs: Configuration[] = []
  for (const wanted of plan.configs) {
    if (signal?.aborted === true) break
    const replay =
      plan.trace === undefined ? undefined : await replayOf(plan.trace, wanted, plan.memoryChosen)
    const config = replay?.config ?? wanted
    configs.push(config)
    const image = await kbuild(config, {
      scenario: plan.scenario.file,
      patches: plan.patches,
      image: 'stepped',
    })
    const built: Built = {
      image,
      config,
      ...(replay === undefined ? {} : { replay }),
      boot: await loadSteppedImage(image),
    }
    for (const cpus of plan.cpus) {
      const begin = performance.now()
      const point = await runPoint(plan, built, cpus, signal)
      if (point === undefined) break
      points.push(point)
      const label = rowLabel(wanted, plan.configs)
      const rate = ((point.accesses ?? 0) / (performance.now() - begin)) * 1000
      progress(
        `${label === '' ? '' : `${label}, `}${plural(cpus, 'CPU')}: ` +
          (point.failure ?? `${count(point.operationsPerSecond)} operations/s; ${count(rate)} accesses/s`),
      )
    }
  }
  const timed = plan.time !== Infinity
  return {
    schema: 'mmtorture/scale@1',
    scenario: plan.label,
    ...patchNames(plan),
    topology: plan.topology.label,
    topologyDescription: describeTopology(plan.topology),
    spread: plan.spread,
    costs: plan.costs,
    seed: plan.seed,
    ...(timed ? { simulatedTime: plan.time } : {}),
    ...(plan.operations === Infinity ? {} : { operations: plan.operations }),
    lag: plan.lag,
    points,
    ...(signal?.aborted ? { interrupted: true as const } : {}),
    verdict: points.some((point) => point.violated) ? 'violated' : 'held',
    command: commandLine({ ...plan, configs: [...configs, ...plan.configs.slice(configs.length)] }),
  }
}

/**
 * Runs the points of several plans, which differ in their kernels or seeds, and makes one document of them.
 * @param baseline words of the label of the curve that the others are compared with; default: the first
 * Throws UsageError as scalePlan does, and for a baseline that there is not.
 */
export async function scalePlans(
  plans: readonly ScalePlan[],
  conduct: Conduct = {},
  baseline?: string,
): Promise<ScaleReport> {
  const kernels = plans.flatMap((plan) =>
    plan.configs.map((config) => ({ ...patchNames(plan), config, seed: plan.seed })),
  )
  const base = baselineOf(rowLabels(kernels), baseline)
  const reports: ScaleReport[] = []
  for (const plan of plans)
    if (conduct.signal?.aborted !== true || reports.length === 0) reports.push(await scalePlan(plan, conduct))
  const [first] = reports
  const points = reports.flatMap((report) =>
    plans.length === 1
      ? report.points
      : report.points.map((point) => ({
          ...point,
          ...{ reverts: report.reverts, patches: report.patches, seed: report.seed },
        })),
  )
  const all = curves(points)
  if (all.length === 1 || (plans.length === 1 && baseline === undefined)) return first
  const baselinePoints = all[base] ?? []
  return {
    ...first,
    points: points.map((point) => ({ ...point, ...ofBaseline(point, baselinePoints) })),
    baseline: base,
    ...(reports.some((report) => report.interrupted) ? { interrupted: true as const } : {}),
    verdict: reports.some((report) => report.verdict === 'violated') ? 'violated' : 'held',
  }
}

function ofBaseline(
  { cpus, operationsPerSecond }: ScalePoint,
  baseline: readonly ScalePoint[],
): { ofBaseline?: number } {
  const base = baseline.find((point) => point.cpus === cpus)?.operationsPerSecond ?? 0
  return base === 0 ? {} : { ofBaseline: Math.round((operationsPerSecond / base) * 1e4) / 1e4 }
}

async function replayOf(trace: string, config: Configuration, memoryChosen: boolean): Promise<TraceRun> {
  const { traceRun } = await import('../run/trace_run.ts')
  return traceRun(trace, config, !memoryChosen)
}

/** An image that was loaded, and its memory after boot once a machine has made it. */
interface Built {
  readonly image: KernelImage
  readonly boot: SteppedBoot
  /** The image's. */
  readonly config: Configuration
  readonly replay?: TraceRun
  booted?: Int32Array
}

/** Lets signals come through; whether one has ended the sweep. */
async function isAborted(signal: AbortSignal | undefined): Promise<boolean> {
  await new Promise((resolve) => setImmediate(resolve))
  return signal?.aborted === true
}

/** Undefined: interrupted. */
async function runPoint(
  plan: ScalePlan,
  built: Built,
  cpus: number,
  signal: AbortSignal | undefined,
): Promise<ScalePoint | undefined> {
  if (await isAborted(signal)) return undefined
  const { image, boot, booted, config, replay } = built
  const { topology, boxes } = plan.topology
  const failed = (failure: string): ScalePoint => ({
    ...{ cpus, config, operationsPerSecond: 0, locks: [], failure },
  })
  const violated = (failure: string): ScalePoint => ({
    ...{ ...failed(failure), violated: true, hunt: huntCommand(plan, config) },
  })
  let machine: ClockMachine | undefined
  try {
    const hardware = compileTopology(topology, boxes, cpus, plan.spread)
    const { seed, pages, section, think } = plan
    const profile = profileOf(plan.profiling, image)
    const options = {
      ...{ hardware, seed, lag: plan.lag * CYCLE, pages, section, think },
      ...(booted === undefined ? {} : { booted }),
      ...(profile === undefined ? {} : { observer: profile }),
      ...(replay === undefined ? {} : { bootData: replay.bootData, bootScratch: replay.bootScratch }),
    }
    const clock = withStacks(() => new ClockMachine(boot, image.symbols, options))
    machine = clock
    built.booted = clock.booted
    clock.start({ operations: plan.operations, time: plan.time * 1e12 })
    while (!withStacks(() => clock.advance())) if (await isAborted(signal)) return undefined
    const { figures, window, ended } = clock.result()
    const faults = machine.stat[image.symbols['PGFAULT']]
    const short = machine.stat[image.symbols['ALLOC_FAILED']]
    if (short > (config.FAIL_ALLOC > 0 ? 1 : 0) && !leavesLittle(machine))
      return failed(
        `memory ran out (${plural(short, 'allocation')} failed): give more than MEMORY=${config.MEMORY}`,
      )
    const point = clockPoint(machine, figures, faults, cpus, window)
    const texts = {
      ...(plan.lockstat ? { lockstat: formatLockStat(point.locks) } : {}),
      ...(profile === undefined
        ? {}
        : profileTexts(plan.profiling, profile, image, machine, plan.scenario.name)),
    }
    return {
      ...{ cpus, config, ...point },
      ...(replay === undefined ? {} : replayed(replay, machine, image, ended)),
      ...(Object.keys(texts).length > 0 ? { texts } : {}),
    }
  } catch (error) {
    if (error instanceof SetupFailed) {
      if (config.FAIL_ALLOC > 0) return failed(setupFailure(image, cpus, error.errno).message)
      const why =
        error.errno === -12
          ? `the machine's memory is too small for it; give more than MEMORY=${config.MEMORY}`
          : `errno ${-error.errno}`
      return failed(`setup of the scenario failed: ${why}`)
    }
    if (error instanceof RangeError && /allocation|array length/i.test(error.message))
      return failed(`this host has no memory for the machine: ${error.message}`)
    if (error instanceof NoOperation)
      throw new UsageError(
        `${plan.label}: no CPU of ${cpus} ${error.message}; scale counts operations, and this program does none.`,
      )
    if (error instanceof Violation) return violated(`${error.check}: ${error.message}`)
    if (error instanceof KernelBug && machine !== undefined) {
      const bug = pointFailure(machine, image, cpus, error)
      return bug.kind === 'scenario' ? failed(bug.message) : { ...violated(bug.message), bug }
    }
    throw explainThrown(image, cpus, error)
  }
}

/** What a point says of a recording's replay: the table, its checks, and whether it differs too much. */
function replayed(
  { inspect, table }: TraceRun,
  { memory }: ClockMachine,
  image: KernelImage,
  ended: boolean,
): Partial<ScalePoint> {
  const checks = inspect({ memory, image }, ended)
  const failed = checks.filter(({ ok }) => ok === false)
  const failure = failed.map(({ name, detail }) => `${name}: ${detail}`).join('; ')
  return { trace: table(), checks, ...(failed.length === 0 ? {} : { failure, violated: true }) }
}

/**
 * Whether the scenario itself leaves little memory: its setup has changed the watermarks, so that more memory is of no
 * help.
 */
function leavesLittle({ memory, booted, symbols }: ClockMachine): boolean {
  const min = symbol(symbols, 'ZONES') + symbol(symbols, 'zone$watermark_min')
  return memory[min] !== booted[min]
}

function describeTopology({ topology, boxes }: ChosenTopology): string {
  return boxes === 1 ? topology.description : `${boxes} boxes of ${topology.description}`
}

/** 1, 2, 4 … and the most there are. */
function doublings(most: number): number[] {
  const list: number[] = []
  for (let cpus = 1; cpus <= most; cpus *= 2) list.push(cpus)
  return list.at(-1) === most ? list : [...list, most]
}

/** The command that looks for what a point ran into: of its kernel, in a hunt's sizes. */
function huntCommand(plan: ScalePlan, config: Configuration): string {
  const sizes = new Set([...USUAL.map(keyOf), 'NR_CPUS'])
  const settings = namedSettings(config, plan).filter((setting) => !sizes.has(keyOf(setting)))
  const options = [...patchArguments(plan), ...settings.flatMap((setting) => ['--config', setting])]
  return ['mmtorture hunt', shellQuote(plan.label), ...options.map(shellQuote)].join(' ')
}

function commandLine(plan: ScalePlan): string {
  const varying = CONFIG_KEYS.filter(
    ({ name }) => new Set(plan.configs.map((config) => config[name])).size > 1,
  )
  const settings = [
    ...namedSettings(plan.configs[0], plan).filter(
      (setting) => !varying.some(({ name }) => setting.startsWith(`${name}=`)),
    ),
    ...varying.map(
      ({ name }) => `${name}=${[...new Set(plan.configs.map((config) => config[name]))].join(',')}`,
    ),
  ]
  const option = (name: string, value: number): string[] => (value > 0 ? [name, String(value)] : [])
  return [
    'mmtorture scale',
    ...(plan.trace === undefined ? [plan.label] : ['--trace', relative('', plan.trace)]),
    ...['--cpus', plan.cpus.join(',')],
    ...['--topology', plan.topology.label],
    ...(plan.spread ? ['--spread'] : []),
    ...plan.costs.flatMap((cost) => ['--cost', cost]),
    ...(plan.time !== Infinity ? ['--simulated-time', simulatedTimeArgument(plan.time)] : []),
    ...(plan.operations !== Infinity ? ['--operations', String(plan.operations)] : []),
    ...['--seed', String(plan.seed)],
    ...option('--lag', plan.lag),
    ...option('--pages', plan.pages),
    ...option('--section', plan.section),
    ...option('--think', plan.think),
    ...settings.flatMap((setting) => ['--config', setting]),
    ...patchArguments(plan),
  ]
    .map((part, index) => (index === 0 ? part : shellQuote(part)))
    .join(' ')
}
