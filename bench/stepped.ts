// Machines for benchmarks of the hunt: boots stepped images as `mmtorture hunt` does, with all checks or with none.
// Leaves out measuring.
import { join } from 'node:path'
import { stepChecks } from '../src/checks/steps/index.ts'
import { huntSettings } from '../src/hunt/plan.ts'
import { findScenario } from '../src/catalog/scenarios.ts'
import type { Subject } from '../src/explore/attempt.ts'
import { Explorer } from '../src/explore/explorer.ts'
import { SCHEDULERS } from '../src/explore/schedulers/index.ts'
import type { Sizes } from '../src/explore/shrink.ts'
import { steppedOptions } from '../src/hunt/build.ts'
import { createSubject } from '../src/explore/subject.ts'
import { kbuild, type KernelImage, loadSteppedImage, parseConfig } from '../src/kbuild/index.ts'
import { packageRoot } from '../src/base/root.ts'
import { SteppedMachine } from '../src/machine/stepped/machine.ts'

export const SEED = 1
export const STEP_LIMIT = 20_000

/** A stepped image that was loaded. */
export interface SteppedImage {
  readonly image: KernelImage
  /** A machine of these sizes after setup. */
  make(sizes: Sizes, checks: boolean): Subject
}

/** The image of a file under the package's root, with what a hunt of it on two CPUs takes by default. */
export async function steppedImage(file: string, ...patches: string[]): Promise<SteppedImage> {
  const scenario = findScenario(join(packageRoot(), file))
  const image = await kbuild(parseConfig(huntSettings(2, [], scenario)), {
    scenario: scenario.file,
    patches: patches.map((patch) => join(packageRoot(), patch)),
    image: 'stepped',
  })
  const boot = await loadSteppedImage(image)
  const make = (sizes: Sizes, checks: boolean): Subject => {
    const options = steppedOptions(sizes, SEED, STEP_LIMIT)
    if (!checks) return { machine: new SteppedMachine(boot, image.symbols, options), observers: [] }
    return createSubject(boot, image, options, (machine) => [stepChecks(machine, image)])
  }
  return { image, make }
}

/** An explorer that has learned which words are shared. */
export function learned(subject: Subject, sites: number, scheduler = 'portfolio'): Explorer {
  const entry = SCHEDULERS.find(({ name }) => name === scheduler)!
  const explorer = new Explorer(subject, { seed: SEED, scheduler: entry, sites })
  explorer.learn()
  return explorer
}
