// Hunts in one thread for tests: the kernel with patches, in a scenario's small form. Leaves out the command line.
import { type Built, buildHunt } from '../../src/hunt/build.ts'
import { huntSettings } from '../../src/hunt/plan.ts'
import { findScenario } from '../../src/catalog/scenarios.ts'
import type { Subject } from '../../src/explore/attempt.ts'
import { hunt } from '../../src/explore/hunt.ts'
import type { HuntResult } from '../../src/explore/rounds.ts'
import { SCHEDULERS } from '../../src/explore/schedulers/index.ts'
import { parseConfig } from '../../src/kbuild/config.ts'

/** A scenario in its small form. */
export interface Form {
  readonly scenario: string
  readonly config?: readonly string[]
  /** Absolute paths. */
  readonly patches?: readonly string[]
  readonly cpus?: number | undefined
  readonly operations?: number | undefined
  readonly pages?: number | undefined
}

export interface Hunted extends Form {
  readonly executions: number
}

/** Builds it and boots a machine, with every check. */
export async function subjectOf(form: Form): Promise<{ built: Built; subject: Subject }> {
  const { scenario, config = [], patches = [], cpus = 2, operations = 2, pages = 3 } = form
  const source = findScenario(scenario)
  const built = await buildHunt({
    config: parseConfig(huntSettings(cpus, config, source)),
    scenario: source.file,
    patches,
    seed: 1,
    stepLimit: 20_000,
    off: [],
  })
  return { built, subject: built.make({ cpus, operations, pages }) }
}

/** Hunts with seed 1 and the default scheduler until a check fails or the executions are done. */
export async function hunted({ executions, ...form }: Hunted): Promise<HuntResult> {
  const { built, subject } = await subjectOf(form)
  return hunt(subject, { seed: 1, scheduler: SCHEDULERS[0], sites: built.image.sites.length, executions })
}

/** What the first violation was found by, and in which execution; `held` without one. */
export function verdictOf(result: HuntResult): string {
  const [violation] = result.violations
  return violation === undefined ? 'held' : violation.check
}
