// Hunts a scenario in a drawn form, in this thread: the batch that every hunt begins with, until a number of steps, or
// all of a hunt. Leaves out drawing (draw.ts).
import { type ScenarioFile } from '../../src/catalog/scenarios.ts'
import type { Finding, Subject } from '../../src/explore/attempt.ts'
import { Explorer, type ExplorerOptions } from '../../src/explore/explorer.ts'
import { hunt } from '../../src/explore/hunt.ts'
import { SCHEDULERS } from '../../src/explore/schedulers/index.ts'
import { buildPlan } from '../../src/hunt/build.ts'
import { huntCommand, planHunt } from '../../src/hunt/plan.ts'
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
  const { seed } = plan
  const built = await buildPlan(plan, config)
  const subject = built.make(form)
  const command = huntCommand(plan, config)
  const options = { seed, scheduler: SCHEDULERS[0], sites: built.image.sites.length }
  if (steps !== undefined) return { command, ...huntBatch(subject, options, steps) }
  const { violations, executions: done } = hunt(subject, { ...options, executions })
  const [violation] = violations
  return { command, executions: done, ...(violation && { found: textOf(violation) }) }
}

const textOf = ({ check, message }: Finding): string => `${check}: ${message}`

/** The executions that a hunt learns from, until they have taken so many steps: what one of them finds, it reports. */
function huntBatch(subject: Subject, options: ExplorerOptions, most: number): Omit<FormHunt, 'command'> {
  let taken = 0
  const { violations, schedules } = new Explorer(subject, options).learn(() => {
    taken += subject.machine.steps
    return taken >= most
  })
  const [violation] = violations
  return { executions: schedules.length, ...(violation && { found: textOf(violation) }) }
}
