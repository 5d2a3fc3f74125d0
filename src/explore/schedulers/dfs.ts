/**
 * Depth-first search of all schedules with at most so many preemptions (a switch away from a context that could go on).
 * Ends when there is none left. A choice that a bounded search may not take is not counted as one.
 */
import type { Pending, Random, Scheduler } from '../../step/scheduler.ts'
import type { SchedulerOptions } from './scheduler.ts'

/** Choices of one context in a row after which it has to give way, for free: it may be trying again and again. */
const FAIR = 2000

export class DfsScheduler implements Scheduler {
  readonly name: string
  readonly #bound: number
  /** By choice of the current path: which alternative is taken, and whether it has another. */
  readonly #taken: number[] = []
  readonly #alternatives: number[] = []
  readonly #options: number[] = []
  #points: Int32Array = new Int32Array(0)
  #depth = 0
  #preemptions = 0
  #streak = 0
  #last = -1
  #starting = true

  constructor({ preemptions = 2 }: SchedulerOptions) {
    this.#bound = preemptions
    this.name = `dfs-${preemptions}`
  }

  begin(_execution: number, _random: Random, pending: Pending): void {
    this.#points = pending.points
    this.#starting = true
    this.#depth = 0
    this.#preemptions = 0
    this.#streak = 0
    this.#last = -1
  }

  next(runnable: Int32Array, n: number, current: number): number {
    const options = this.#options
    options.length = 0
    // Until its first access to a shared word a CPU disturbs nobody: all go there first, which is no choice.
    for (let i = 0; i < n; i++)
      if (runnable[i] < this.#points.length >> 1 && this.#points[runnable[i]] === 0) {
        this.#last = -1
        this.#starting = true
        return runnable[i]
      }
    let goesOn = false
    if (!this.#starting) for (let i = 0; i < n; i++) if (runnable[i] === current) goesOn = true
    this.#starting = false
    const fair = goesOn && this.#streak >= FAIR
    if (goesOn && !fair) options.push(current)
    if (!goesOn || fair || this.#preemptions < this.#bound)
      for (let i = 0; i < n; i++) if (!goesOn || runnable[i] !== current) options.push(runnable[i])
    let next = options[0]
    if (options.length > 1) {
      const at = this.#depth++
      if (at === this.#taken.length) {
        this.#taken.push(0)
        this.#alternatives.push(options.length)
      } else if (this.#alternatives[at] !== options.length)
        throw new Error(
          `choice ${at} had ${this.#alternatives[at]} alternatives before and has ${options.length} now`,
        )
      next = options[this.#taken[at]]
    }
    if (goesOn && !fair && next !== current) this.#preemptions++
    this.#streak = next === this.#last ? this.#streak + 1 : 0
    this.#last = next
    return next
  }

  end(): boolean {
    const taken = this.#taken
    taken.length = this.#depth
    this.#alternatives.length = this.#depth
    while (taken.length > 0) {
      const at = taken.length - 1
      if (++taken[at] < this.#alternatives[at]) return false
      taken.pop()
      this.#alternatives.pop()
    }
    return true
  }

  /** Forgets all: the set of scheduling points has changed. */
  restart(): void {
    this.#taken.length = 0
    this.#alternatives.length = 0
  }
}
