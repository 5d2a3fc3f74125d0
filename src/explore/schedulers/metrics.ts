/** A scheduler around a scheduler that counts what it is asked and what it answers. */
import type { Scheduler } from '../../step/scheduler.ts'

export interface Metrics {
  executions: number
  /** Choices among contexts that could go on. */
  choices: number
  /** Answers that name another context than the one that ran last. */
  switches: number
  /** Of them, those where it could have gone on. */
  preemptions: number
  /** The most contexts that could go on at one choice. */
  widest: number
}

/** `scheduler`, and what it does counted in `metrics`. */
export function withMetrics(scheduler: Scheduler): Scheduler & { readonly metrics: Metrics } {
  const metrics: Metrics = { executions: 0, choices: 0, switches: 0, preemptions: 0, widest: 0 }
  return {
    name: scheduler.name,
    metrics,
    begin(execution, random, pending) {
      metrics.executions++
      scheduler.begin(execution, random, pending)
    },
    next(runnable, n, current) {
      const next = scheduler.next(runnable, n, current)
      metrics.choices++
      if (n > metrics.widest) metrics.widest = n
      if (next !== current) {
        metrics.switches++
        for (let i = 0; i < n; i++) if (runnable[i] === current) metrics.preemptions++
      }
      return next
    },
    ...(scheduler.end === undefined ? {} : { end: () => scheduler.end!() }),
  }
}
