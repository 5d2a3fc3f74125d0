/**
 * Makes a failing execution small: fewest switches first, then the simplest draws, then fewest operations, CPUs and
 * pages, then fewest steps; the same check fails all along. In the end every switch that is left was shown to be
 * necessary. What it comes to depends on the schedule alone, not on the host: executions bound it, not time.
 */
import { type Attempt, attempt, type Subject } from './attempt.ts'
import { type Course, courseOf, type Ran } from './course.ts'
import { Explorer } from './explorer.ts'
import { BATCH } from './profile.ts'
import { SCHEDULERS } from './schedulers/index.ts'
import { filterSegments, type Segment } from './segments.ts'
import { compareDraws, simplifications } from './simpler_draws.ts'

/** How large a scenario is run; 0: as large as it is by itself. */
export interface Sizes {
  readonly cpus: number
  readonly operations: number
  readonly pages: number
}

export interface ShrinkOptions {
  readonly sizes: Sizes
  /** Makes a machine of other sizes; undefined if the scenario does not allow them. None: sizes stay. */
  readonly make?: (sizes: Sizes) => Subject | undefined
  /** Executions to spend at most, before the proofs (default SHRINK_EXECUTIONS). */
  readonly executions?: number
  /** Ends it sooner, with what has been reached; nothing is proved any more. */
  readonly signal?: AbortSignal | undefined
}

/** Executions that shrinking takes at most: enough for the reverts, and a few seconds. */
export const SHRINK_EXECUTIONS = 1000

/** A switch that is left, and what happens without it. */
export interface NecessarySwitch {
  /** The step before which it is made (steps announced), who stops and who goes on. */
  readonly step: number
  readonly from: number
  readonly to: number
  /** 'waiting': whoever stops could not go on, or had ended, so there is nothing to prove. */
  readonly reason: 'preempted' | 'waiting'
  /** For a preemption: what the execution ends in when it is left out: 'held', or the check that fails then. */
  readonly without?: string
}

export interface Shrunk extends Ran {
  /** The machine of the sizes that were reached, to record the execution on. */
  readonly subject: Subject
  readonly sizes: Sizes
  readonly switches: number
  readonly proofs: readonly NecessarySwitch[]
  /** Executions spent. */
  readonly executions: number
}

/** Executions that look for the same failure on a smaller machine, behind those of the profile. */
const SEARCH = 128
/** ms of executions without a pause. */
const PAUSE = 100

/**
 * Shrinks an execution that violated `check`. Undefined if it does not fail so when it runs by itself. Others may go
 * on with their work in between.
 */
export async function shrink(
  subject: Subject,
  check: string,
  ran: Ran,
  options: ShrinkOptions,
): Promise<Shrunk | undefined> {
  const budget = new Budget(options.executions ?? SHRINK_EXECUTIONS, options.signal)
  let best = await Candidate.of(subject, check, courseOf(ran), budget)
  if (best === undefined) return undefined
  best = await simplestDraws(await fewestSwitches(best, budget), budget)
  let { sizes } = options
  if (options.make !== undefined)
    for (const dimension of ['operations', 'cpus', 'pages'] as const)
      for (const size of smaller(dimension, sizes[dimension])) {
        const wanted = { ...sizes, [dimension]: size }
        const found = await resize(best, options.make(wanted), budget)
        // A size that the scenario does not heed stays what it was.
        if (found === undefined) continue
        const { attempt: now } = found
        if (dimension === 'pages' && now.steps === best.attempt.steps) break
        best = found
        sizes = wanted
        break
      }
  best = await fewestSteps(best, budget)
  const proofs = await prove(best, budget)
  const { subject: reached, attempt: last } = best
  const { switches } = last
  return {
    subject: reached,
    sizes,
    schedule: last.schedule,
    draws: last.draws,
    steps: last.steps,
    switches,
    proofs,
    executions: budget.spent,
  }
}

class Budget {
  spent = 0
  /** Whether the checks at rest are needed to see the failure. */
  atRest = true
  readonly #executions: number
  readonly #signal: AbortSignal | undefined
  #paused = performance.now()

  constructor(executions: number, signal: AbortSignal | undefined) {
    this.#executions = executions
    this.#signal = signal
  }

  get left(): boolean {
    return this.spent < this.#executions && !this.aborted
  }

  get aborted(): boolean {
    return this.#signal?.aborted === true
  }

  /** Lets other work of this thread run, now and then: else nobody could abort. */
  async pause(): Promise<void> {
    if (performance.now() - this.#paused < PAUSE) return
    await new Promise((resolve) => {
      setTimeout(resolve, 0)
    })
    this.#paused = performance.now()
  }
}

/** A course that fails as wanted. */
class Candidate {
  readonly subject: Subject
  readonly check: string
  readonly course: Course
  readonly attempt: Attempt

  private constructor(subject: Subject, check: string, done: Attempt) {
    this.subject = subject
    this.check = check
    this.course = courseOf(done)
    this.attempt = done
  }

  get segments(): readonly Segment[] {
    return this.course.segments
  }

  /** Undefined if it does not fail so. Its course is what really ran. */
  static async of(
    subject: Subject,
    check: string,
    course: Course,
    budget: Budget,
  ): Promise<Candidate | undefined> {
    await budget.pause()
    budget.spent++
    const { machine, observers } = subject
    const done = attempt(budget.atRest ? subject : { machine, observers }, course)
    if (done.finding?.check !== check) return undefined
    budget.atRest = done.atRest
    return new Candidate(subject, check, done)
  }

  /** With another part of the course. */
  with(change: Partial<Course>, budget: Budget): Promise<Candidate | undefined> {
    return Candidate.of(this.subject, this.check, { ...this.course, ...change }, budget)
  }

  /** Below 0: this one is smaller. */
  compare(other: Candidate): number {
    const { attempt: mine } = this
    const { attempt: its } = other
    return mine.switches - its.switches || mine.preemptions - its.preemptions || mine.steps - its.steps
  }
}

/** Takes out ever smaller groups of segments, then single ones until none can go (delta debugging). */
async function fewestSwitches(best: Candidate, budget: Budget): Promise<Candidate> {
  let size = Math.ceil(best.segments.length / 2)
  while (budget.left) {
    let improved = false
    for (let from = 0; from < best.segments.length && budget.left;) {
      const start = from
      const segments = filterSegments(best.segments, (index) => index < start || index >= start + size)
      const found = await best.with({ segments }, budget)
      if (found !== undefined && found.attempt.switches < best.attempt.switches) {
        best = found
        improved = true
      } else from += size
    }
    if (size > 1) size = Math.ceil(size / 2)
    else if (!improved) break
  }
  return best
}

/** Draws that say as little as they can, with no more switches. */
async function simplestDraws(best: Candidate, budget: Budget): Promise<Candidate> {
  for (let improved = true; improved && budget.left;) {
    improved = false
    for (const simplify of simplifications(best.attempt.draws)) {
      if (!budget.left) break
      const draws = simplify(best.attempt.draws)
      const found = draws === undefined ? undefined : await best.with({ draws }, budget)
      if (found === undefined || found.attempt.switches > best.attempt.switches) continue
      if (found.attempt.preemptions > best.attempt.preemptions) continue
      if (compareDraws(found.attempt.draws, best.attempt.draws) >= 0) continue
      best = found
      improved = true
    }
  }
  return best
}

/** Sizes to try, smallest first. */
function smaller(dimension: keyof Sizes, size: number): number[] {
  const least = dimension === 'cpus' ? 2 : 1
  const most = size === 0 ? 9 : size
  return [1, 2, 3, 4, 6, 8].filter((n) => n >= least && n < most)
}

/** The same failure on another machine, with no more switches. */
async function resize(
  best: Candidate,
  subject: Subject | undefined,
  budget: Budget,
): Promise<Candidate | undefined> {
  if (subject === undefined || !budget.left) return undefined
  const { cpus } = subject.machine
  const fits = best.segments.every(({ context }) => context < cpus)
  const found =
    (fits ? await Candidate.of(subject, best.check, best.course, budget) : undefined) ??
    (await search(subject, best.check, budget))
  if (found === undefined) return undefined
  const few = await simplestDraws(await fewestSwitches(found, budget), budget)
  return few.attempt.switches <= best.attempt.switches ? few : undefined
}

async function search(subject: Subject, check: string, budget: Budget): Promise<Candidate | undefined> {
  const explorer = new Explorer(subject, { seed: 1, scheduler: SCHEDULERS[0], keepGoing: true, sites: 0 })
  let slice = explorer.learn()
  budget.spent += BATCH
  for (let from = 0; from <= SEARCH && budget.left; from += 64) {
    budget.spent += slice.done
    const violation = slice.violations.find((one) => one.check === check && one.reproduced)
    if (violation !== undefined) return Candidate.of(subject, check, courseOf(violation), budget)
    await budget.pause()
    slice = explorer.explore(from, from + 64)
  }
  return undefined
}

/** Moves switches to where fewer steps are made, and away from where somebody could have gone on. */
async function fewestSteps(best: Candidate, budget: Budget): Promise<Candidate> {
  for (let improved = true; improved && budget.left;) {
    improved = false
    for (let index = 0; index < best.segments.length && budget.left; index++)
      for (const segments of variations(best.segments, index)) {
        const found = await best.with({ segments }, budget)
        if (found === undefined || found.compare(best) >= 0) continue
        best = found
        improved = true
        break
      }
  }
  return best
}

/** The schedule without one segment, with it as long as possible, and with it shorter. */
function* variations(segments: readonly Segment[], index: number): Generator<Segment[]> {
  yield filterSegments(segments, (at) => at !== index)
  const { context, until } = segments[index]
  yield segments.with(index, { context, until: Infinity })
  const before = segments.findLast((segment, at) => at < index && segment.context === context)?.until ?? 0
  for (let length = 1; before + length < until; length *= 2)
    yield segments.with(index, { context, until: before + length })
  for (let less = 1; less <= 4 && until - less > before; less++)
    yield segments.with(index, { context, until: until - less })
}

/** Runs once more for each preemption that is left, without it. */
async function prove(best: Candidate, budget: Budget): Promise<NecessarySwitch[]> {
  const { segments, course, attempt: last, subject, check } = best
  const proofs: NecessarySwitch[] = []
  let step = 0
  for (let index = 0; index + 1 < segments.length; index++) {
    const { context, until } = segments[index]
    await budget.pause()
    if (budget.aborted) break
    step +=
      until - (segments.findLast((segment, at) => at < index && segment.context === context)?.until ?? 0)
    const common = { step, from: context, to: segments[index + 1].context }
    const run = (changed: readonly Segment[]): Attempt => {
      budget.spent++
      return attempt(subject, { ...course, segments: changed })
    }
    const goesOn = run(segments.with(index, { context, until: Infinity }))
    if (goesOn.preemptions === last.preemptions && sameSchedule(goesOn.schedule, last.schedule)) {
      proofs.push({ ...common, reason: 'waiting' })
      continue
    }
    // Without the switch, whoever stops goes on; or, if that only moves the switch, who would go on does not get this
    // turn.
    const failing = goesOn.finding?.check === check
    const without = failing ? run(filterSegments(segments, (at) => at !== index + 1)) : goesOn
    proofs.push({ ...common, reason: 'preempted', without: without.finding?.check ?? 'held' })
  }
  return proofs
}

function sameSchedule(x: readonly number[], y: readonly number[]): boolean {
  return x.length === y.length && x.every((value, index) => value === y[index])
}
