/** A hunt in this thread: rounds of executions until a check fails, or time, executions or schedules run out. */
import type { Subject } from './attempt.ts'
import { Explorer, type ExplorerOptions } from './explorer.ts'
import { type HuntResult, roundLength, Rounds } from './rounds.ts'

export interface HuntOptions extends ExplorerOptions {
  /** Default: no end. */
  readonly seconds?: number
  readonly executions?: number
  /** Ends the hunt when aborted; what was done is reported. Only seen between rounds. */
  readonly signal?: AbortSignal
  /** Called between rounds. */
  readonly progress?: (result: HuntResult) => void
}

/**
 * Hunts. Executions beside the profile's are numbered from 0; without keepGoing it ends with the first that fails.
 * Whatever the image, a check or the scheduler throws, other than a Violation or a BUG, ends it.
 */
export function hunt(subject: Subject, options: HuntOptions): HuntResult {
  const started = performance.now()
  const deadline = started + (options.seconds ?? Infinity) * 1000
  const executions = options.executions ?? Infinity
  const explorer = new Explorer(subject, options)
  const rounds = new Rounds(explorer.learn(), options.keepGoing ?? false)
  const elapsed = (): number => (performance.now() - started) / 1000
  const result = (): HuntResult =>
    rounds.result({
      scheduler: explorer.scheduler.name,
      seed: options.seed,
      seconds: elapsed(),
      interrupted: options.signal?.aborted ?? false,
    })
  // A verdict stands on one execution at least, however little time there was.
  const stop = (execution: number): boolean =>
    (execution > 0 && performance.now() >= deadline) || (options.signal?.aborted ?? false)
  for (let round = 0, from = 0; !rounds.over && from < executions && !stop(from); round++) {
    const to = Math.min(executions, from + roundLength(round))
    explorer.enter(rounds.state())
    rounds.add([explorer.explore(from, to, stop)], [to], elapsed())
    from = to
    options.progress?.(result())
  }
  return result()
}
