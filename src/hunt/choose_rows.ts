// Which steps of an execution are rows of its report: the pairs that make the order, the causes, and what is needed to
// read them. Leaves out what the pairs are: order_pairs.ts.
import { Kind } from '../step/kinds.ts'
import type { CausingStep } from './causes.ts'
import { isWalk, lastConflicts } from './conflicts.ts'
import type { DescribedStep } from './narrator.ts'
import { type Pair, switchesOf } from './order_pairs.ts'

/** Rows of the short form are not many more. */
const ENOUGH = 40
/** With fewer rows, and where nothing says what it is about, conflicts on other words are shown too. */
const LITTLE = 12

/**
 * The indices of the steps that are shown.
 * @param pairs what orderPairs found
 * @param causes steps that the check names
 */
export function chooseSteps(
  steps: readonly DescribedStep[],
  pairs: readonly Pair[],
  deadlock: boolean,
  causes: readonly CausingStep[],
): Set<number> {
  const kept = new Set<number>()
  const keep = (index: number): void => {
    if (index >= 0 && index < steps.length) kept.add(index)
  }
  for (const [index, step] of steps.entries()) if (step.pending !== undefined) keep(index)
  const performed = steps.length - kept.size
  // Where nothing says what a change of CPU is about, the steps on either side of it may.
  for (const at of switchesOf(steps))
    if (!pairs.some(([before, after]) => before < at && at <= after))
      for (const edge of [at - 1, at]) if (!steps[edge].housekeeping && !isWalk(steps[edge])) keep(edge)
  for (const pair of pairs) pair.forEach(keep)
  for (const { index } of causes) keep(index)
  const known = pairs.length > 0 || causes.length > 0
  const met = lastConflicts(steps)
  // The last step of a deadlock is only where it ended.
  if (!deadlock || !known) {
    keep(performed - 1)
    const explained = pairs.some(([, after]) => after === performed - 1)
    if (!explained && !(known && steps[performed - 1]?.housekeeping)) keep(met[performed - 1] ?? -1)
  }
  // Conflicts that were not yet shown, the latest first: each CPU's of each word once in each direction. Those on what
  // the pairs and the failed step touch; others only to fill a short table.
  const about = new Set([...kept].map((index) => steps[index].address))
  for (const index of commonLocks(steps, pairs)) if (kept.size < ENOUGH) keep(index)
  const shown = new Set<string>()
  for (const most of known ? [ENOUGH] : [ENOUGH, LITTLE])
    for (let after = performed - 1; after >= 0 && kept.size < most; after--) {
      const step = steps[after]
      const before = met[after]
      if (before < 0 || step.housekeeping || (most === ENOUGH && !about.has(step.address))) continue
      if (isWalk(step)) continue
      const key = `${step.address} ${step.cpu} ${steps[before].cpu} ${step.writes}`
      if (shown.has(key)) continue
      shown.add(key)
      keep(before)
      keep(after)
    }
  // What leads from one to the next, if there is room: neighbours on the same object.
  for (const index of [...kept]) {
    if (kept.size >= ENOUGH) break
    for (const near of [index - 1, index + 1]) {
      const step = steps[near]
      if (step === undefined || step.context !== steps[index].context || step.housekeeping) continue
      if (step.address >> 4 === steps[index].address >> 4) keep(near)
    }
  }
  return kept
}

/**
 * Where the two steps of a pair were made under the same lock: the steps that took it, and the one that let it go
 * between them. The pair alone looks as if its order could be any.
 */
function commonLocks(steps: readonly DescribedStep[], pairs: readonly Pair[]): number[] {
  const found: number[] = []
  for (const [before, after] of pairs) {
    const first = heldAt(steps, before)
    for (const [lock, taken] of heldAt(steps, after)) {
      const other = first.get(lock)
      if (other === undefined) continue
      const released = steps.findIndex(
        (step, index) =>
          index > before &&
          step.kind === Kind.UNLOCK &&
          step.address === lock &&
          step.cpu === steps[before].cpu,
      )
      found.push(other, taken, ...(released >= 0 && released < after ? [released] : []))
    }
  }
  return found
}

/** The abstract spinlocks that the CPU of step `at` holds there, each with the step that took it. */
function heldAt(steps: readonly DescribedStep[], at: number): Map<number, number> {
  const held = new Map<number, number>()
  for (let index = 0; index < at; index++) {
    const { cpu, kind, address, old, pending } = steps[index]
    if (cpu !== steps[at].cpu || pending !== undefined) continue
    if (kind === Kind.LOCK || (kind === Kind.TRYLOCK && old === 0)) held.set(address, index)
    if (kind === Kind.UNLOCK) held.delete(address)
  }
  return held
}
