/** Random walk: every context that can go on is equally likely, at every choice. */
import type { Random, Scheduler } from '../../step/scheduler.ts'

export class RandomScheduler implements Scheduler {
  readonly name = 'random'
  #random!: Random

  begin(_execution: number, random: Random): void {
    this.#random = random
  }

  next(runnable: Int32Array, n: number): number {
    return runnable[this.#random.below(n)]
  }
}
