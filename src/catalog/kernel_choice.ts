// What a run, a hunt and a point of scale choose alike: a scenario and a kernel, with its reverts, patches and
// configuration. Leaves out what each of them chooses besides, and the configuration's defaults.
import { relative } from 'node:path'
import { UsageError } from '../base/errors.ts'
import { existingFile } from '../base/paths.ts'
import { CONFIG_KEYS, type Configuration, keyOf, withDefaults } from '../kbuild/config.ts'
import { readRevert, type Revert } from './reverts.ts'
import { type ScenarioFile, scenarioLabel, scenarioOrTrace, scenarioSettings } from './scenarios.ts'

/**
 * Options that run, hunt and scale have in common. Names as on the command line; what is left out takes its default.
 */
export interface KernelChoices {
  readonly seed?: number
  /** `KEY=VALUE`, or `KEY=VALUE,VALUE…`. */
  readonly config?: readonly string[]
  /** Names of reverts: `mmtorture list reverts`. */
  readonly revert?: readonly string[]
  /** Paths of unified diffs of the kernel. */
  readonly patch?: readonly string[]
}

/** The changes of a kernel: what its image is built with, and how a command line and a report name them. */
export interface KernelPatches {
  readonly reverts: readonly string[]
  /** Absolute paths: those of reverts, then the user's. */
  readonly patches: readonly string[]
  readonly userPatches: readonly string[]
}

/** A scenario and the kernel for it. */
export interface ChosenKernel extends KernelPatches {
  readonly scenario: ScenarioFile
  /** How the scenario is named on a command line. */
  readonly label: string
  /** Absolute path of a recording that it replays. */
  readonly trace?: string
  /** The revert that is found in this scenario: the form and the settings that it needs. */
  readonly form?: Revert
  /** The user's settings, and for keys that they leave alone those of the revert. */
  readonly settings: readonly string[]
}

/**
 * What `choices` choose.
 * @param name of a scenario; without one that which a revert names, or `initial`
 * @param trace a recording, in place of a scenario
 * Throws UsageError for a scenario, a revert or a file that is not there, and for a setting that the scenario cannot do
 * with.
 */
export function chooseKernel(
  name: string | undefined,
  choices: KernelChoices & { readonly trace?: string },
  initial: string,
): ChosenKernel {
  const reverts = (choices.revert ?? []).map((id) => readRevert(id))
  const usual = reverts.find((revert) => revert.scenario !== '')?.scenario ?? initial
  const { scenario, trace } = scenarioOrTrace(name, choices.trace, usual)
  const userPatches = (choices.patch ?? []).map((path) => existingFile('--patch', path))
  refuseMissing(choices.config ?? [], scenario)
  const form = reverts.find((revert) => revert.scenario === scenario.name)
  return {
    scenario,
    label: scenarioLabel(scenario),
    ...(trace === undefined ? {} : { trace }),
    ...(form === undefined ? {} : { form }),
    settings: withDefaults(choices.config ?? [], form?.config ?? []),
    reverts: reverts.map((revert) => revert.id),
    patches: [...reverts.map((revert) => revert.patch), ...userPatches],
    userPatches,
  }
}

/** Throws UsageError where the user turns off what the scenario cannot do without. */
function refuseMissing(own: readonly string[], scenario: ScenarioFile): void {
  const needed = scenarioSettings(scenario).filter((setting) => setting.endsWith('=y'))
  for (const setting of own) {
    const need = needed.find((one) => keyOf(one) === keyOf(setting))
    if (need !== undefined && /[=,]\s*n\s*(,|$)/.test(setting))
      throw new UsageError(`--config ${setting}: scenario ${scenario.name} needs ${need}.`)
  }
}

/** The changes of a kernel as a document has them: paths from here. */
export function patchNames({ reverts, userPatches }: KernelPatches): {
  readonly reverts: readonly string[]
  readonly patches: readonly string[]
} {
  return { reverts, patches: userPatches.map((path) => relative('', path)) }
}

/** The changes of a kernel as the options that make them. */
export function patchArguments(kernel: KernelPatches): string[] {
  const { reverts, patches } = patchNames(kernel)
  return [...reverts.flatMap((id) => ['--revert', id]), ...patches.flatMap((patch) => ['--patch', patch])]
}

/**
 * `KEY=VALUE` for each key that a command has to name, so that it chooses `config` again: those that are not what the
 * kernel has by itself, and those that the scenario or a revert would set.
 */
export function namedSettings(config: Configuration, { scenario, form }: ChosenKernel): string[] {
  const set = new Set([...scenarioSettings(scenario), ...(form?.config ?? [])].map(keyOf))
  return CONFIG_KEYS.filter(
    ({ name, default: usual }) => String(config[name]) !== usual || set.has(name),
  ).map(({ name }) => `${name}=${config[name]}`)
}
