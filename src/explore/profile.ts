/**
 * What is learned before the first execution: which words CPUs share, and how long an execution is. A fixed batch of
 * executions of their own numbers (negative), the same for every worker; later rounds add to it (explorer.ts).
 */
import type { Ending, SteppedMachine } from '../machine/stepped/machine.ts'
import type { Scheduler } from '../step/scheduler.ts'
import { equalShares } from './schedulers/portfolio.ts'
import { RandomScheduler } from './schedulers/random.ts'
import { emptyProfile, type Profile } from './schedulers/scheduler.ts'
import { StickyScheduler } from './schedulers/sticky.ts'

/** Executions that learn the shared words: every access is a choice, few are switches. */
export const LEARNING = 64
/** Executions that measure what is left, with accesses to shared words as choices. */
export const MEASURING = 8
export const BATCH = LEARNING + MEASURING

/** If none of so many first executions comes to its end, the others are not awaited. */
const TRIED = 4

/** A profile that the rounds may change; the schedulers hold it. */
export type LiveProfile = { -readonly [Key in keyof Profile]: Profile[Key] }

export function newProfile(): LiveProfile {
  return { ...emptyProfile(), shares: equalShares() }
}

/**
 * Runs the batch and fills `profile`; the machine knows the shared words afterwards.
 * @param run runs one execution, and says what it ended in
 * @param enough asked behind each: true leaves the rest out
 */
export function learn(
  machine: SteppedMachine,
  profile: LiveProfile,
  run: (scheduler: Scheduler, execution: number) => Ending,
  enough: () => boolean = () => false,
): void {
  machine.exact = true
  machine.learning = true
  const sticky = new StickyScheduler()
  let ended = false
  let measures = true
  for (let execution = -BATCH; execution < -MEASURING; execution++) {
    if (!ended && execution === TRIED - BATCH) break
    if (run(sticky, execution).kind !== 'cut off') ended = true
    if (enough()) {
      measures = false
      break
    }
  }
  machine.exact = false
  machine.learning = false
  machine.share(machine.learned)
  const random = new RandomScheduler()
  const measured = new Measurements(machine)
  for (let execution = ended && measures ? -MEASURING : 0; execution < 0; execution++) {
    const ending = run(random, execution)
    if (ending.kind === 'held') measured.add()
    if (enough()) break
  }
  measured.into(profile)
}

/** Lengths of executions, summed up: integers, so that their order does not matter. */
export class Measurements {
  count = 0
  choices = 0
  points: number[] = []
  readonly #machine: SteppedMachine

  constructor(machine: SteppedMachine) {
    this.#machine = machine
  }

  /** Adds the execution that has just ended. */
  add(): void {
    const { points, choices, cpus } = this.#machine
    this.count++
    this.choices += choices
    // The end of a CPU is a point too, but no step.
    for (let e = 0; e < points.length; e++)
      this.points[e] = (this.points[e] ?? 0) + (e < cpus && points[e] > 0 ? points[e] - 1 : points[e])
  }

  into(profile: LiveProfile): void {
    setLengths(profile, this)
  }
}

/** Sets the lengths of executions in `profile` to the mean of what was summed up. */
export function setLengths(
  profile: LiveProfile,
  sums: { readonly count: number; readonly choices: number; readonly points: readonly number[] },
): void {
  if (sums.count === 0) return
  profile.points = sums.points.map((sum) => Math.round(sum / sums.count))
  profile.choices = Math.max(1, Math.round(sums.choices / sums.count))
}
