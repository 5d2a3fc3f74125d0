// Hunts a scenario in a drawn form, in this thread: the batch that every hunt begins with, until a number of steps, or
// all of a hunt. Leaves out drawing (draw.ts).
import { type ScenarioFile } from '../../src/catalog/scenarios.ts'
import type { Finding, Subject } from '../../src/explore/attempt.ts'
import { hunt } from '../../src/explore/hunt.ts'
import { BATCH, MEASURING } from '../../src/explore/profile.ts'
import { SCHEDULERS } from '../../src/explore/schedulers/index.ts'
import { StickyScheduler } from '../../src/explore/schedulers/sticky.ts'
import { buildHunt } from '../../src/hunt/build.ts'
import { huntCommand, planHunt } from '../../src/hunt/plan.ts'
import { ExecutionRandom } from '../../src/step/random.ts'
import type { DrawnForm } from './draw.ts'

export interface FormHunt {
  /** What runs it again. */
  readonly command: string
  readonly executions: number
  /** `check: message` of what failed. */
  readonly found?: string
}

/** How much of a form is hunted: until so many steps of the batch, or so many executions behind it. */
export interface Amount {
  readonly steps?: number
  readonly executions?: number
}

/** Throws UsageError where the scenario cannot be set up in the form. */
export async function huntForm(scenario: ScenarioFile, form: DrawnForm, amount: Amount): Promise<FormHunt> {
  const { executions = 1, steps } = amount
  const plan = planHunt(scenario.name, { ...form, executions })
  const [config] = plan.configs
  const { seed, stepLimit } = plan
  const built = await buildHunt({
    ...{ config, scenario: scenario.file, patches: [], seed, stepLimit, off: [] },
  })
  const subject = built.make(form)
  const command = huntCommand(plan, config)
  if (steps !== undefined) return { command, ...huntBatch(subject, seed, steps) }
  const sites = built.image.sites.length
  const { violations, executions: done } = hunt(subject, {
    seed,
    scheduler: SCHEDULERS[0],
    sites,
    executions,
  })
  const [violation] = violations
  return { command, executions: done, ...(violation && { found: textOf(violation) }) }
}

const textOf = ({ check, message }: Finding): string => `${check}: ${message}`

/** The executions that a hunt learns from, in their order: what one of them finds, the hunt reports. */
function huntBatch(
  { machine, observers, atRest }: Subject,
  seed: number,
  most: number,
): Omit<FormHunt, 'command'> {
  machine.observe(observers)
  machine.exact = true
  machine.learning = true
  const sticky = new StickyScheduler()
  const random = new ExecutionRandom()
  let steps = 0
  let executions = 0
  for (let i = -BATCH; i < -MEASURING && steps < most; i++) {
    const ending = machine.run(sticky, i, random.restart(seed, i), i)
    executions++
    steps += machine.steps
    const finding =
      ending.kind === 'violation' ? ending : ending.kind === 'held' ? (atRest?.() ?? null) : null
    if (finding !== null) return { executions, found: textOf(finding) }
  }
  return { executions }
}
