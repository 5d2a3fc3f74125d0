/**
 * PCT (Burckhardt et al., ASPLOS 2010): random priorities, and depth - 1 random moments at which whoever runs falls to
 * the bottom. A bug of depth d in n CPUs and k steps is met with a probability of at least 1/(n k^(d-1)).
 */
import type { Pending, Random, Scheduler } from '../../step/scheduler.ts'
import type { Profile, SchedulerOptions } from './scheduler.ts'

export class PctScheduler implements Scheduler {
  readonly name: string
  readonly #profile: Profile
  readonly #depth: number
  readonly #priority: Int32Array
  readonly #changes: Int32Array
  #asked = 0
  #bottom = 0
  #streak = 0
  #last = -1

  constructor({ cpus, profile, depth = 3 }: SchedulerOptions) {
    this.name = `pct-${depth}`
    this.#profile = profile
    this.#depth = depth
    this.#priority = new Int32Array(2 * cpus)
    this.#changes = new Int32Array(depth - 1)
  }

  begin(_execution: number, random: Random, _pending: Pending): void {
    const priority = this.#priority
    for (let e = 0; e < priority.length; e++) {
      const other = random.below(e + 1)
      priority[e] = priority[other]
      priority[other] = this.#depth + e
    }
    const length = Math.max(1, this.#profile.choices)
    for (let i = 0; i < this.#changes.length; i++) this.#changes[i] = 1 + random.below(length)
    this.#asked = 0
    this.#bottom = this.#depth - 1
    this.#streak = 0
    this.#last = -1
  }

  next(runnable: Int32Array, n: number, current: number): number {
    this.#asked++
    for (let i = 0; i < this.#changes.length; i++)
      if (this.#changes[i] === this.#asked) this.#priority[current] = this.#bottom--
    let best = this.#best(runnable, n)
    // Priorities are not fair: somebody who tries again and again would do so for ever.
    if (best !== this.#last) this.#streak = 0
    else if (++this.#streak > 4 * this.#profile.choices + 1000) {
      this.#priority[best] = this.#bottom--
      this.#streak = 0
      best = this.#best(runnable, n)
    }
    this.#last = best
    return best
  }

  #best(runnable: Int32Array, n: number): number {
    let best = runnable[0]
    for (let i = 1; i < n; i++) if (this.#priority[runnable[i]] > this.#priority[best]) best = runnable[i]
    return best
  }
}
