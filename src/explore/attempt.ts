/** Runs one given course on a machine under test: to record it, to shrink it, to replay it. */
import type { SteppedMachine } from '../machine/stepped/machine.ts'
import type { Observer } from '../step/observer.ts'
import { ExecutionRandom } from '../step/random.ts'
import type { Course, Ran } from './course.ts'
import { ReplayScheduler } from './schedulers/replay.ts'
import { switchesOf } from './segments.ts'

/** A check that failed. */
export interface Finding {
  readonly check: string
  readonly message: string
}

/** A check that failed at rest. */
export interface RestFinding extends Finding {
  /** What was thrown while the tasks exited, for its stack. */
  readonly error?: Error
}

/** A machine with what watches it. */
export interface Subject {
  readonly machine: SteppedMachine
  /** The checks at every step. */
  readonly observers: readonly Observer[]
  /** The checks at rest, after an execution that held: what fails first, or null. May run the machine on. */
  readonly atRest?: () => RestFinding | null
}

/** What a course ended in. */
export interface Attempt extends Ran {
  /** What failed, or null. */
  readonly finding: Finding | null
  /** The error that was thrown, for its stack. */
  readonly error?: Error
  /** Whether it failed at rest, or while the tasks exited behind it. */
  readonly atRest: boolean
  readonly switches: number
  /** Of them, those away from a context that could have gone on. */
  readonly preemptions: number
}

/** Runs `course` with every step a choice, and the checks; `first` sees each step before the checks do. */
export function attempt(
  subject: Subject,
  { segments, draws }: Course,
  first: readonly Observer[] = [],
): Attempt {
  const { machine } = subject
  const { learning, exact } = machine
  const scheduler = new ReplayScheduler(segments)
  machine.learning = false
  machine.exact = true
  machine.observe([...first, ...subject.observers])
  try {
    const ending = machine.run(scheduler, 0, new ExecutionRandom(), draws)
    const schedule = machine.schedule.slice()
    const { steps } = machine
    const { preemptions } = scheduler
    const common = { steps, switches: switchesOf(schedule), preemptions, schedule, draws: machine.draws }
    if (ending.kind === 'violation') {
      const { check, message, error } = ending
      return { finding: { check, message }, error, atRest: false, ...common }
    }
    const found = ending.kind === 'held' ? (subject.atRest?.() ?? null) : null
    if (found === null) return { finding: null, atRest: false, ...common }
    const { check, message, error } = found
    return { finding: { check, message }, ...(error && { error }), atRest: true, ...common }
  } finally {
    machine.learning = learning
    machine.exact = exact
    machine.observe(subject.observers)
  }
}
