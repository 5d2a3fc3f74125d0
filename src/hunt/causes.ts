// Finds the steps that a check names as what led to a violation (Cause). Leaves out which checks name some: those of
// src/checks/steps that hand them to fail().
import type { Cause } from '../step/observer.ts'
import type { DescribedStep } from './narrator.ts'

/** A step that led to the violation. */
export interface CausingStep {
  /** Its position in the execution. */
  readonly index: number
  /** `fills the TLB of CPU 1`. */
  readonly what: string
}

/**
 * The steps of `causes`, which name the latest first, in the order of time. Each is the last that fits before the one
 * found behind it; the step that failed, `steps.at(-1)`, is none. What no step fits happened before the execution.
 */
export function causingSteps(steps: readonly DescribedStep[], causes: readonly Cause[]): CausingStep[] {
  const found: CausingStep[] = []
  let end = steps.length - 1
  for (const cause of causes) {
    const index = steps.slice(0, Math.max(0, end)).findLastIndex((step) => fits(step, cause))
    if (index < 0) continue
    found.unshift({ index, what: cause.what })
    end = index
  }
  return found
}

function fits(step: DescribedStep, { object, cpu, site, writes, function: name }: Cause): boolean {
  return (
    (object === undefined || step.object === object) &&
    (cpu === undefined || step.cpu === cpu) &&
    (site === undefined || step.site === site) &&
    (name === undefined || step.function === name) &&
    (writes === undefined || step.writes)
  )
}
