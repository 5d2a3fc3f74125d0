/** Round robin: everyone in turn, for as many choices as the execution's number says (1, 2, 3, … 16, 1, …). */
import type { Random, Scheduler } from '../../step/scheduler.ts'

const LONGEST = 16

export class RoundRobinScheduler implements Scheduler {
  readonly name = 'round-robin'
  #quantum = 1
  #left = 0
  #last = -1

  begin(execution: number, _random: Random): void {
    this.#quantum = 1 + (((execution % LONGEST) + LONGEST) % LONGEST)
    this.#left = 0
    // Every other time round, the last CPU begins.
    this.#last = Math.floor(execution / LONGEST) % 2 === 0 ? -1 : 0
  }

  next(runnable: Int32Array, n: number, current: number): number {
    let next = -1
    if (this.#left > 0)
      for (let i = 0; i < n; i++) if (runnable[i] === current && current === this.#last) next = current
    if (next < 0) {
      next = runnable[0]
      for (let i = n - 1; i >= 0; i--) if (runnable[i] > this.#last) next = runnable[i]
      this.#left = this.#quantum
    }
    this.#left--
    this.#last = next
    return next
  }
}
