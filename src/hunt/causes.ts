// Finds the steps that a check names as what led to a violation (Cause). Leaves out which checks name some: those of
// src/checks/steps that hand them to fail().
import type { Cause } from '../step/observer.ts'
import type { OraclePlace } from '../inspect/oracle_report.ts'
import { hex } from '../inspect/names.ts'
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

/** The load that found a wrong value, the walk that its CPU read by, and the store of what it found. */
export function wrongValueSteps(
  steps: readonly DescribedStep[],
  { cpu, mmId, page }: OraclePlace,
): CausingStep[] {
  const load = steps.findLast((step) => step.cpu === cpu && step.object.includes(' of the contents of page '))
  if (load === undefined) return []
  const { object } = load
  const loads: Cause = { what: 'loads what is wrong', cpu, object }
  const entry = `pte[mm ${mmId}, ${hex(page)}]`
  const walk: Cause = { what: 'walks to it', cpu, object: entry, function: 'tlb_walk' }
  const store: Cause = { what: 'stored that', object, writes: true }
  const found = [walk, store].flatMap((cause) => causingSteps(steps, [loads, cause]))
  return [...new Map(found.map((step) => [step.index, step])).values()].toSorted((x, y) => x.index - y.index)
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
