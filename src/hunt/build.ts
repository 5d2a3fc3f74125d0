// Builds the image of a hunt or a replay and boots stepped machines of it, and turns what a scenario throws into one
// sentence. Leaves out what is done with the machines.
import type { Subject } from '../explore/attempt.ts'
import type { Sizes } from '../explore/shrink.ts'
import { createSubject } from '../explore/subject.ts'
import { MissingName, stepChecks } from '../checks/steps/index.ts'
import type { Configuration } from '../kbuild/config.ts'
import { kbuild, type KernelImage, loadSteppedImage } from '../kbuild/index.ts'
import { guarded } from '../machine/explain.ts'
import type { SteppedMachine, SteppedOptions } from '../machine/stepped/machine.ts'
import type { Observer } from '../step/observer.ts'
import { UsageError } from '../base/errors.ts'
import type { HuntPlan } from './plan.ts'

/** What decides how an execution goes, besides the schedule. */
export interface BuildRequest {
  readonly config: Configuration
  /** Absolute path. */
  readonly scenario: string
  /** Absolute paths. */
  readonly patches: readonly string[]
  readonly seed: number
  readonly stepLimit: number
  /** Names of checks that are off. */
  readonly off: readonly string[]
}

/** An image that was loaded. */
export interface Built {
  readonly image: KernelImage
  /**
   * A machine of these sizes, set up. Throws UsageError when the scenario's setup fails, and when a patch takes a name
   * away that checks go by.
   */
  make(sizes: Sizes): Subject
}

export async function buildHunt(request: BuildRequest): Promise<Built> {
  const { config, scenario, patches, seed, stepLimit } = request
  const image = await kbuild(config, { scenario, patches, image: 'stepped' })
  const boot = await loadSteppedImage(image)
  const off = new Set(request.off)
  const checks = (machine: SteppedMachine): Observer[] => {
    try {
      return [stepChecks(machine, image, off)]
    } catch (error) {
      // The kernel as it comes has all names.
      if (!(error instanceof MissingName) || patches.length === 0) throw error
      throw new UsageError(`after the patch ${error.message}: it has to keep its name.`)
    }
  }
  const make = (sizes: Sizes): Subject =>
    guarded(image, sizes.cpus, () =>
      createSubject(boot, image, steppedOptions(sizes, seed, stepLimit), checks, off),
    )
  return { image, make }
}

/** Builds what a plan hunts, in one of its configurations. Throws UsageError as kbuild does. */
export function buildPlan(
  { scenario, patches, seed, stepLimit, off }: HuntPlan,
  config: Configuration,
): Promise<Built> {
  return buildHunt({ config, scenario: scenario.file, patches, seed, stepLimit, off })
}

/** The machine calls an operation of a task a turn, as scenarios do. */
export function steppedOptions(
  { cpus, operations, pages }: Sizes,
  seed: number,
  stepLimit: number,
): SteppedOptions {
  return { cpus, turns: operations, pages, seed, stepLimit }
}

/** Machines of other sizes; undefined where the scenario cannot be set up so. */
export function makeSmaller(built: Built): (sizes: Sizes) => Subject | undefined {
  return (sizes) => {
    try {
      return built.make(sizes)
    } catch (error) {
      if (error instanceof UsageError) return undefined
      throw error
    }
  }
}
