// What a check at every step is.
import type { Observer } from '../../step/observer.ts'
import type { Watch } from './watch.ts'

/** A step that was taken. One object for all steps: what is kept of it has to be copied. */
export interface Step {
  /** Which CPU, or which CPU's interrupts (step/scheduler.ts). */
  readonly context: number
  readonly kind: number
  readonly addr: number
  /** Operands by kind, as in Observer.step. */
  readonly a: number
  readonly b: number
  /** What the word held before. */
  readonly old: number
  /** What the access returned. */
  readonly result: number
  readonly site: number
}

/** An observer that says which steps it wants to see. */
export interface StepCheck extends Omit<Observer, 'step'> {
  step(step: Step): void
  /** Classes of words (wordSet of words.ts) whose reads and whose writes concern it. A compare-and-swap is a write. */
  readonly reads: number
  readonly writes: number
  /** Whether it judges a write by what was free and which tables were in a tree before it. */
  readonly early?: boolean
}

/** A check by its name, as in `mmtorture list checks`. */
export interface StepCheckKind {
  /** The invariant's number, where it has one: 'E1'. */
  readonly id: string
  readonly name: string
  /** What holds, in one sentence. */
  readonly description: string
  /** What it costs, in a few words. */
  readonly cost: string
  /** The check that finds less than this one, in whose place it is when that is off and this is not. */
  readonly insteadOf?: string
  create(watch: Watch): StepCheck
}
