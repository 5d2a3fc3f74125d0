/** All that decides how an execution goes: who takes steps when, and what tasks draw at random. */
import type { DrawSource, TaskDraws } from '../machine/stepped/draws.ts'
import { type Segment, segmentsOf } from './segments.ts'

/** A course to run. */
export interface Course {
  readonly segments: readonly Segment[]
  /** 'sequence' for those of a time when they were not recorded. */
  readonly draws: Exclude<DrawSource, number>
}

/** A course as it was run. */
export interface Ran {
  /** Pairs of (steps announced before the change, context). */
  readonly schedule: readonly number[]
  /** All steps of the execution. */
  readonly steps: number
  readonly draws: readonly TaskDraws[]
}

/** The course that goes as this one went. */
export function courseOf({ schedule, steps, draws }: Ran): Course {
  return { segments: segmentsOf(schedule, steps), draws }
}
