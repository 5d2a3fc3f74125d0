// The order that makes a violation: for each change of CPU the pair of steps that it is about. Leaves out which steps
// are shown with them: choose_rows.ts.
import { Kind } from '../step/kinds.ts'
import type { CausingStep } from './causes.ts'
import { conflict, isWalk, lastConflicts } from './conflicts.ts'
import type { DescribedStep } from './narrator.ts'

/** Steps on either side of a change of CPU among which the pair that it is about is looked for. */
const NEAR = 400
/** Changes of CPU that are looked at; a schedule that was shrunk has fewer. */
const SWITCHES = 40

/** Two steps by their indices, of which the first must come first. */
export type Pair = [before: number, after: number]

/** Whether a pair may be of the step at an index. */
type Wanted = (index: number) => boolean

/** Positions at which another context goes on. */
export function switchesOf(steps: readonly DescribedStep[]): number[] {
  const at: number[] = []
  for (let i = 1; i < steps.length; i++)
    if (steps[i].pending === undefined && steps[i].context !== steps[i - 1].context) at.push(i)
  return at
}

/**
 * For each change of CPU the pair of steps that it is about: one of the CPU that left before one of the CPU that came,
 * which conflict. What the violation is about before other data, data before locks; the change was made just behind the
 * one or just before the other. In a deadlock who waits for a lock at the end says by itself what the changes were
 * about; else a wait is what came of the failure, and counts only where there is nothing else.
 * @param causes steps that the check names
 */
export function orderPairs(
  steps: readonly DescribedStep[],
  deadlock: boolean,
  causes: readonly CausingStep[],
): Pair[] {
  const causing = new Set(causes.map(({ index }) => index))
  const about = aboutWords(steps, deadlock, causes)
  const waits = waitPairs(steps)
  const performed = lastPerformed(steps) + 1
  const data: Wanted = (at) => !steps[at].housekeeping && (!isWalk(steps[at]) || causing.has(at))
  const wanted: Wanted[] = [(at) => about.has(steps[at].address) && data(at), data]
  const pairs = deadlock ? [...waits] : acrossSwitches(steps.slice(0, performed), [], wanted)
  if (deadlock) pairs.push(...acrossSwitches(steps, waits, wanted))
  if (pairs.length === 0) pairs.push(...waits)
  if (pairs.length === 0) pairs.push(...acrossSwitches(steps, [], [() => true]))
  const failed = performed - 1
  const met = failed < 0 ? -1 : lastConflicts(steps)[failed]
  if (pairs.length === 0 && met >= 0) pairs.push([met, failed])
  return pairs.toSorted((one, other) => one[1] - other[1] || one[0] - other[0])
}

/** The words that the violation is about: the one that the failed step touched and the causes', but for locks. */
function aboutWords(
  steps: readonly DescribedStep[],
  deadlock: boolean,
  causes: readonly CausingStep[],
): Set<number> {
  const failed = deadlock ? undefined : steps[lastPerformed(steps)]
  const named = [...causes.map(({ index }) => steps[index]), ...(failed === undefined ? [] : [failed])]
  return new Set(named.filter(({ housekeeping }) => !housekeeping).map(({ address }) => address))
}

/** Who waits at the end waits for what somebody else did. */
function waitPairs(steps: readonly DescribedStep[]): Pair[] {
  const pairs: Pair[] = []
  for (const [index, step] of steps.entries()) {
    if (step.pending !== 'waiting') continue
    const before = steps.findLastIndex((other) => other.pending === undefined && conflict(other, step))
    if (before >= 0) pairs.push([before, index])
  }
  return pairs
}

/**
 * The pairs of the switches that no lock waited for (`waits`) explains, without those that are in `waits`.
 * @param wanted which words a pair may be on, the best first
 */
function acrossSwitches(
  steps: readonly DescribedStep[],
  waits: readonly Pair[],
  wanted: readonly Wanted[],
): Pair[] {
  const pairs: Pair[] = []
  const known = new Set(waits.map(String))
  for (const change of changesOf(steps).slice(-SWITCHES)) {
    const crossed = waits.some(
      ([before, after]) =>
        before <= change.left && steps[before].cpu === steps[change.left].cpu && waitsForLock(steps[after]),
    )
    if (crossed) continue
    // An interrupt is about what it does, not about what its CPU does before and behind it.
    const anywhere = { ...change, start: 0, end: steps.length }
    const places = steps[change.left].irq || steps[change.at].irq ? [change] : [change, anywhere]
    const pair = firstOf(
      wanted.flatMap((fits) => places.map((place) => (): Pair | undefined => pairAcross(steps, place, fits))),
    )
    if (pair === undefined || known.has(String(pair))) continue
    known.add(String(pair))
    pairs.push(pair)
  }
  return pairs
}

/** A change of context: who leaves takes steps `start` to `left`, who comes those from `at` to before `end`. */
interface Change {
  readonly start: number
  readonly left: number
  readonly at: number
  readonly end: number
}

/**
 * The changes from one task's context to another's, past the interrupts between them, and those to interrupts and back,
 * in the order of time.
 */
function changesOf(steps: readonly DescribedStep[]): Change[] {
  const bounds = [0, ...switchesOf(steps), steps.length]
  const segments = bounds.slice(1).map((end, nth) => ({ first: bounds[nth], end }))
  const ran = segments.filter(({ first, end }) => first < end)
  const tasks: { first: number; end: number }[] = []
  for (const segment of ran.filter(({ first }) => !steps[first].irq)) {
    const last = tasks.at(-1)
    if (last !== undefined && steps[last.first].context === steps[segment.first].context)
      last.end = segment.end
    else tasks.push({ ...segment })
  }
  const change = (one: { first: number; end: number }, other: { first: number; end: number }): Change => ({
    ...{ start: one.first, left: one.end - 1, at: other.first, end: other.end },
  })
  const among = (all: typeof tasks): Change[] => all.slice(1).map((next, nth) => change(all[nth], next))
  const interrupts = among(ran).filter(({ left, at }) => steps[left].irq || steps[at].irq)
  return [...among(tasks), ...interrupts].toSorted((one, other) => one.at - other.at)
}

function firstOf<Value>(ways: readonly (() => Value | undefined)[]): Value | undefined {
  for (const way of ways) {
    const value = way()
    if (value !== undefined) return value
  }
  return undefined
}

function waitsForLock({ kind, housekeeping }: DescribedStep): boolean {
  return kind === Kind.LOCK || housekeeping
}

function lastPerformed(steps: readonly DescribedStep[]): number {
  return steps.findLastIndex((step) => step.pending === undefined)
}

function pairAcross(
  steps: readonly DescribedStep[],
  { start, left, at, end }: Change,
  wanted: Wanted,
): Pair | undefined {
  const leaving = steps[left].cpu
  const coming = steps[at].cpu
  const failed = lastPerformed(steps)
  let best: Pair | undefined
  let bestNear = Infinity
  let bestFar = Infinity
  let rankBefore = 0
  for (let before = left; before >= start; before--) {
    if (steps[before].cpu !== leaving) continue
    if (!wanted(before)) {
      rankBefore++
      continue
    }
    if (rankBefore > NEAR) break
    let rankAfter = 0
    for (let after = at; after < end; after++) {
      const step = steps[after]
      if (step.cpu !== coming) continue
      if (rankAfter > NEAR && after !== failed) continue
      if (wanted(after) && conflict(steps[before], step)) {
        // Of what the failed step met, the write says more than the reads behind it.
        const read = after === failed && !steps[before].writes
        const near = read ? 0.75 : Math.min(rankBefore, rankAfter, after === failed ? 0.5 : Infinity)
        const far = rankBefore + rankAfter + (read ? steps.length : 0)
        if (near < bestNear || (near === bestNear && far < bestFar)) {
          best = [before, after]
          bestNear = near
          bestFar = far
        }
        break
      }
      rankAfter++
    }
    rankBefore++
  }
  return best
}
