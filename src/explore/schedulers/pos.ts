/**
 * Partial order sampling (Yuan, Yang, Gu, CAV 2018): every pending step has a random priority and the highest goes;
 * steps that conflict with it draw anew, so that each order of two racing steps is tried by itself.
 */
import type { Pending, Random, Scheduler } from '../../step/scheduler.ts'
import { conflicts } from './conflict.ts'
import type { SchedulerOptions } from './scheduler.ts'

const PRIORITIES = 2 ** 20

export class PosScheduler implements Scheduler {
  readonly name = 'pos'
  readonly #priority: Int32Array
  /** The point (pending.points) that a context's priority was drawn for; -1: none. */
  readonly #drawn: Int32Array
  #pending!: Pending
  #random!: Random

  constructor({ cpus }: SchedulerOptions) {
    this.#priority = new Int32Array(2 * cpus)
    this.#drawn = new Int32Array(2 * cpus)
  }

  begin(_execution: number, random: Random, pending: Pending): void {
    this.#random = random
    this.#pending = pending
    this.#drawn.fill(-1)
  }

  next(runnable: Int32Array, n: number): number {
    const pending = this.#pending
    const priority = this.#priority
    const drawn = this.#drawn
    let best = -1
    for (let i = 0; i < n; i++) {
      const e = runnable[i]
      if (drawn[e] !== pending.points[e]) {
        drawn[e] = pending.points[e]
        priority[e] = this.#random.below(PRIORITIES)
      }
      if (best < 0 || priority[e] > priority[best]) best = e
    }
    for (let e = 0; e < drawn.length; e++)
      if (e !== best && drawn[e] >= 0 && conflicts(pending, best, e)) drawn[e] = -1
    return best
  }
}
