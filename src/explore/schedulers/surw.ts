/**
 * Selectively uniform random walk (Zhao et al., ASPLOS 2025): who takes the next interesting step is drawn in
 * proportion to the interesting steps that each still has, which makes all their orders equally likely. Interesting are
 * the accesses to shared words; their numbers come from the profile.
 */
import type { Pending, Random, Scheduler } from '../../step/scheduler.ts'
import type { Profile, SchedulerOptions } from './scheduler.ts'

export class SurwScheduler implements Scheduler {
  readonly name = 'surw'
  readonly #profile: Profile
  #random!: Random
  #points: Int32Array = new Int32Array(0)
  /** Who takes the next interesting step; it is taken when the context stands at a later point than `until`. */
  #intended = -1
  #until = 0

  constructor({ profile }: SchedulerOptions) {
    this.#profile = profile
  }

  begin(_execution: number, random: Random, pending: Pending): void {
    this.#random = random
    this.#points = pending.points
    this.#intended = -1
  }

  next(runnable: Int32Array, n: number): number {
    const points = this.#points
    const intended = this.#intended
    if (intended >= 0 && points[intended] <= this.#until)
      for (let i = 0; i < n; i++) if (runnable[i] === intended) return intended
    const next = this.#draw(runnable, n)
    this.#intended = next
    this.#until = Math.max(points[next], 1)
    return next
  }

  #draw(runnable: Int32Array, n: number): number {
    let total = 0
    for (let i = 0; i < n; i++) total += this.#remaining(runnable[i])
    let at = this.#random.below(total)
    for (let i = 0; i < n - 1; i++) {
      at -= this.#remaining(runnable[i])
      if (at < 0) return runnable[i]
    }
    return runnable[n - 1]
  }

  /** Interesting steps that the context still has, the pending one included; at least 1. */
  #remaining(e: number): number {
    const done = this.#points[e]
    const left = (this.#profile.points[e] ?? 0) - (done === 0 ? 0 : done - 1)
    return left > 1 ? left : 1
  }
}
