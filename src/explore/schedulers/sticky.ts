/**
 * Random walk with few switches: whoever runs goes on, except in one of `length` choices. Two CPUs get far in each
 * other's way, rarely at every step: to learn which words they share.
 */
import type { Random, Scheduler } from '../../step/scheduler.ts'

export class StickyScheduler implements Scheduler {
  readonly name = 'sticky'
  #random!: Random
  #length = 1

  begin(execution: number, random: Random): void {
    this.#random = random
    // 16 to 128, by the execution.
    this.#length = 16 << (execution & 3)
  }

  next(runnable: Int32Array, n: number, current: number): number {
    if (this.#random.below(this.#length) !== 0)
      for (let i = 0; i < n; i++) if (runnable[i] === current) return current
    return runnable[this.#random.below(n)]
  }
}
