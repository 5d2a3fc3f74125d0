/**
 * Replays a schedule given as segments. A segment whose context cannot go on is left out; behind the last one the
 * context goes on that is there, then the lowest. The machine must ask at every step (exact).
 */
import type { Pending, Random, Scheduler } from '../../step/scheduler.ts'
import type { Segment } from '../segments.ts'

export class ReplayScheduler implements Scheduler {
  readonly name = 'replay'
  /** Switches away from a context that could go on, in the last execution. */
  preemptions = 0
  readonly #segments: readonly Segment[]
  #at = -1
  #points: Int32Array = new Int32Array(0)

  constructor(segments: readonly Segment[]) {
    this.#segments = segments
  }

  begin(_execution: number, _random: Random, pending: Pending): void {
    this.#at = -1
    this.preemptions = 0
    this.#points = pending.points
  }

  next(runnable: Int32Array, n: number, current: number): number {
    const next = this.#choose(runnable, n, current)
    if (next !== current && this.#points[current] > 0 && contains(runnable, n, current)) this.preemptions++
    return next
  }

  #choose(runnable: Int32Array, n: number, current: number): number {
    const segments = this.#segments
    if (this.#at >= 0) {
      const { context, until } = segments[this.#at]
      // If somebody else has run, without a choice, it could not go on: the segment is over.
      if (context === current && this.#points[context] < until && contains(runnable, n, context))
        return context
    }
    for (let i = this.#at + 1; i < segments.length; i++) {
      const { context, until } = segments[i]
      if (this.#points[context] >= until || !contains(runnable, n, context)) continue
      this.#at = i
      return context
    }
    return contains(runnable, n, current) ? current : runnable[0]
  }
}

function contains(runnable: Int32Array, n: number, context: number): boolean {
  for (let i = 0; i < n; i++) if (runnable[i] === context) return true
  return false
}
