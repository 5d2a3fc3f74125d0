// What a hunt is to do, from the options: the scenario, the configurations, the checks, the sizes. Leaves out doing it:
// hunt.ts.
import { relative } from 'node:path'
import type { Sizes } from '../explore/shrink.ts'
import { DEFAULT_SCHEDULER, SCHEDULERS } from '../explore/schedulers/index.ts'
import {
  CONFIG_KEYS,
  type Configuration,
  configSettings,
  keyOf,
  parseConfig,
  sweepConfig,
  withDefaults,
} from '../kbuild/config.ts'
import { didYouMean } from '../base/nearest.ts'
import {
  chooseKernel,
  type ChosenKernel,
  type KernelChoices,
  patchArguments,
} from '../catalog/kernel_choice.ts'
import { shellQuote } from '../base/shell.ts'
import { existingFile } from '../base/paths.ts'
import { chooseChecks } from '../catalog/checks.ts'
import { UsageError } from '../base/errors.ts'
import { type Declaration, scenarioDeclaration, type ScenarioForm } from '../catalog/forms.ts'
import { type ScenarioFile, scenarioSettings } from '../catalog/scenarios.ts'

/** What may be chosen of a hunt. Names as on the command line; what is left out takes its default. */
export interface HuntChoices extends KernelChoices {
  readonly cpus?: number
  readonly seconds?: number
  readonly scheduler?: string
  readonly depth?: number
  readonly preemptions?: number
  readonly executions?: number
  readonly workers?: number
  readonly keepGoing?: boolean
  readonly operations?: number
  readonly pages?: number
  readonly check?: readonly string[]
  /** Of --no-check. */
  readonly off?: readonly string[]
  readonly stepLimit?: number
  readonly determinismCheck?: boolean
  /** Every step of an interleaving, in the report. */
  readonly verbose?: boolean
  /** Folder of replay files. */
  readonly out?: string
}

/** A hunt, as far as it can be checked without building anything. */
export interface HuntPlan extends ChosenKernel {
  readonly configs: readonly Configuration[]
  readonly cpus: number
  readonly seed: number
  readonly seconds: number
  readonly operations: number
  readonly pages: number
  readonly stepLimit: number
  readonly workers: number
  /** A name of the table, or the absolute path of a user's file. */
  readonly scheduler: string
  /** Names of checks that are off. */
  readonly off: readonly string[]
  /** What the scenario declares. */
  readonly declaration: Declaration
  /** Whether sizes, settings and scheduler are what the scenario takes by itself: then its expectations are judged. */
  readonly asDeclared: boolean
  /** Default: no end. */
  readonly executions?: number
  /** Whether time may be up before all is learned. */
  readonly brief: boolean
  /** Executions that learn at most; default: all that learning takes. */
  readonly learning?: number
  /** The same in larger forms, which have a part of the executions and of the time. */
  readonly larger: readonly HuntPlan[]
  /** What the user chose. */
  readonly options: HuntChoices
}

export const DEFAULT_CPUS = 2
export const DEFAULT_SECONDS = 20
export const DEFAULT_SEED = 1
export const DEFAULT_OPERATIONS = 2
export const DEFAULT_PAGES = 3
/**
 * Steps without the end of a turn that are a livelock in the default form: four times what the longest turn of a
 * built-in scenario takes (memcg-limit, 5,200).
 */
export const DEFAULT_STEP_LIMIT = 20_000
/** Without a scenario and without a revert that names one. */
const DEFAULT_SCENARIO = 'same-page'

/** The same in another form: CPUs take their steps in turn, and a turn may go through all pages. */
export function stepLimitOf(cpus: number, pages: number): number {
  return Math.max(1, Math.ceil((cpus * pages) / (DEFAULT_CPUS * DEFAULT_PAGES))) * DEFAULT_STEP_LIMIT
}

/** A kernel of a size that can be hunted: small, and with spinlocks that wait instead of spinning. */
export function huntDefaults(cpus: number): readonly string[] {
  return ['SPINLOCK=abstract', 'MEMORY=1M', 'PTRS_PER_TABLE=8', 'PGTABLE_LEVELS=3', `NR_CPUS=${cpus}`]
}

/** The settings of a hunt: the scenario's and a hunt's for keys that the user leaves alone, then the user's. */
export function huntSettings(cpus: number, own: readonly string[], scenario?: ScenarioFile): string[] {
  const ofScenario = scenario === undefined ? [] : scenarioSettings(scenario)
  return withDefaults(withDefaults(own, huntDefaults(cpus)), ofScenario)
}

/** `KEY=VALUE` for each key that is not what a hunt takes by itself. */
export function huntChanges(config: Configuration, cpus: number): string[] {
  const usual = parseConfig(huntDefaults(cpus))
  return CONFIG_KEYS.filter(({ name }) => config[name] !== usual[name]).map(
    ({ name }) => `${name}=${config[name]}`,
  )
}

/** `KEY=VALUE` of a configuration that a heading shows: what a hunt takes by itself, and what differs from that. */
export function huntSettingsShown(config: Configuration, cpus: number): string[] {
  const settings = configSettings(config)
  return [...huntDefaults(cpus).filter((setting) => settings.includes(setting)), ...huntChanges(config, cpus)]
}

/**
 * A hunt of each scenario named; without one, of what a revert names, or the default. Throws UsageError as planHunt
 * does.
 */
export function planHunts(names: readonly string[], options: HuntChoices): HuntPlan[] {
  return names.length === 0 ? [planHunt(undefined, options)] : names.map((name) => planHunt(name, options))
}

/** Throws UsageError for what the options have wrong. */
export function planHunt(name: string | undefined, options: HuntChoices): HuntPlan {
  const kernel = chooseKernel(name, options, DEFAULT_SCENARIO)
  const { scenario, form, settings } = kernel
  const declaration = scenarioDeclaration(scenario)
  // A revert is found in a form of its own.
  const usual = usualForm(form ?? declaration.forms[0])
  const cpus = options.cpus ?? usual.cpus
  const operations = options.operations ?? usual.operations
  const pages = options.pages ?? usual.pages
  refuseIdleOptions(options)
  const scheduler = chooseScheduler(options.scheduler ?? DEFAULT_SCHEDULER)
  const configs = sweepConfig(huntSettings(cpus, withDefaults(settings, usual.config), scenario))
  // Who chooses a form means that one, and a revert is found in its own.
  const chosen = options.cpus ?? options.operations ?? options.pages ?? form
  const larger =
    chosen === undefined && scheduler === DEFAULT_SCHEDULER
      ? largerPlans(name, options, { cpus, operations, pages })
      : []
  for (const config of configs)
    if (config.NR_CPUS < cpus)
      throw new UsageError(`--cpus ${cpus}: the kernel is built for NR_CPUS=${config.NR_CPUS} CPUs at most.`)
  return {
    ...kernel,
    configs,
    cpus,
    seed: options.seed ?? DEFAULT_SEED,
    operations,
    pages,
    stepLimit: options.stepLimit ?? stepLimitOf(cpus, pages),
    workers: options.workers ?? 1,
    scheduler,
    off: chooseChecks(options.check ?? [], options.off ?? []),
    ...share(options, larger.length),
    brief: false,
    larger,
    declaration,
    asDeclared:
      settings.length === 0 &&
      scheduler === DEFAULT_SCHEDULER &&
      sameSizes(usualForm(declaration.forms[0]), { cpus, operations, pages }),
    options,
  }
}

/** More CPUs, more operations, and more of all. */
function largerForms({ cpus, operations, pages }: Sizes): Sizes[] {
  return [
    { cpus: cpus + 1, operations, pages },
    { cpus, operations: 4 * operations, pages },
    { cpus: cpus + 1, operations: 2 * operations, pages: 2 * pages },
  ]
}

/** Each larger form has one part of so many; a hunt of few executions has none. */
const PARTS = 16
const LEAST_EXECUTIONS = 16

function largerPlans(name: string | undefined, options: HuntChoices, sizes: Sizes): HuntPlan[] {
  if ((options.executions ?? Infinity) < PARTS * LEAST_EXECUTIONS) return []
  // What has no room for more CPUs is hunted as it is.
  if ((options.config ?? []).some((setting) => keyOf(setting) === 'NR_CPUS')) return []
  const seconds = secondsOf(options) / PARTS
  const part = {
    ...(options.executions === undefined ? {} : { executions: Math.floor(options.executions / PARTS) }),
    ...(Number.isFinite(seconds) ? { seconds } : {}),
  }
  return largerForms(sizes).map((form) => ({
    ...planHunt(name, { ...options, ...part, ...form }),
    brief: true,
  }))
}

function secondsOf({ seconds, executions }: HuntChoices): number {
  return seconds ?? (executions === undefined ? DEFAULT_SECONDS : Infinity)
}

/** What is left of executions and time beside so many larger forms. */
function share(options: HuntChoices, larger: number): Pick<HuntPlan, 'seconds' | 'executions'> {
  const { executions } = options
  return {
    seconds: (secondsOf(options) * (PARTS - larger)) / PARTS,
    ...(executions === undefined ? {} : { executions: executions - larger * Math.floor(executions / PARTS) }),
  }
}

function sameSizes(one: Sizes, other: Sizes): boolean {
  return one.cpus === other.cpus && one.operations === other.operations && one.pages === other.pages
}

/** Sizes and settings of a form, with the defaults of what it leaves out. */
function usualForm(form: Partial<ScenarioForm> | undefined): Required<ScenarioForm> {
  return {
    cpus: form?.cpus ?? DEFAULT_CPUS,
    operations: form?.operations ?? DEFAULT_OPERATIONS,
    pages: form?.pages ?? DEFAULT_PAGES,
    config: form?.config ?? [],
  }
}

/** Options of a scheduler that the chosen one does not read. A user's own file may read both. */
function refuseIdleOptions({ scheduler = DEFAULT_SCHEDULER, depth, preemptions }: HuntChoices): void {
  const readers = { '--depth': ['pct', 'portfolio'], '--preemptions': ['dfs'] } as const
  const own = SCHEDULERS.every(({ name }) => name !== scheduler)
  for (const [option, names] of Object.entries(readers)) {
    const given = option === '--depth' ? depth : preemptions
    if (given !== undefined && !own && !(names as readonly string[]).includes(scheduler))
      throw new UsageError(
        `${option} ${given}: scheduler ${scheduler} has no such option; it is for ${names.join(' and ')}.`,
      )
  }
}

function chooseScheduler(name: string): string {
  const names = SCHEDULERS.map((scheduler) => scheduler.name)
  if (names.includes(name)) return name
  if (/[\\/]|\.[mc]?[jt]s$/.test(name)) return existingFile('--scheduler', name)
  const hint = didYouMean(name, names)
  throw new UsageError(
    `--scheduler ${name}: there is no such scheduler${hint}; there are ${names.join(', ')}, or give ` +
      'the path of your own .ts or .js file.',
  )
}

/**
 * `KEY=VALUE` for each key that is not what a hunt takes by itself, or not what the scenario and the revert would set.
 */
function ownSettings({ cpus, scenario, form, declaration }: HuntPlan, config: Configuration): string[] {
  const changed = new Set(huntChanges(config, cpus).map(keyOf))
  const taken = parseConfig(huntSettings(cpus, usualForm(form ?? declaration.forms[0]).config, scenario))
  return CONFIG_KEYS.filter(({ name }) => changed.has(name) || config[name] !== taken[name]).map(
    ({ name }) => `${name}=${config[name]}`,
  )
}

/** The command that hunts one configuration again. */
export function huntCommand(plan: HuntPlan, config: Configuration): string {
  const { options } = plan
  const flag = (name: string, value: number | string | undefined): string[] =>
    value === undefined ? [] : [name, String(value)]
  const path = (file: string): string => relative('', file)
  const named = SCHEDULERS.some((scheduler) => scheduler.name === plan.scheduler)
  return [
    'mmtorture hunt',
    plan.label,
    ...patchArguments(plan),
    ...flag('--cpus', options.cpus),
    ...flag('--operations', options.operations),
    ...flag('--pages', options.pages),
    ...flag('--seconds', options.seconds),
    ...flag('--executions', options.executions),
    ...['--seed', String(plan.seed)],
    ...(plan.scheduler === DEFAULT_SCHEDULER
      ? []
      : ['--scheduler', named ? plan.scheduler : path(plan.scheduler)]),
    ...flag('--depth', options.depth),
    ...flag('--preemptions', options.preemptions),
    ...flag('--step-limit', options.stepLimit),
    ...(options.check ?? []).flatMap((check) => ['--check', check]),
    ...(options.off ?? []).flatMap((check) => ['--no-check', check]),
    ...(options.determinismCheck === true ? ['--determinism-check'] : []),
    ...(options.keepGoing === true ? ['--keep-going'] : []),
    ...ownSettings(plan, config).flatMap((setting) => ['--config', setting]),
  ]
    .map((part, index) => (index === 0 ? part : shellQuote(part)))
    .join(' ')
}
