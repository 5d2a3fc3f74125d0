// What a check at every step is.
import type { Observer } from '../../step/observer.ts'
import type { Watch } from './watch.ts'

/** An observer that says which steps it wants to see. */
export interface StepCheck extends Observer {
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
  create(watch: Watch): StepCheck
}
