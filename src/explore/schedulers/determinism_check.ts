/**
 * A scheduler around a scheduler that checks the program under test: every execution is run twice, the second time with
 * the answers of the first, and must come to the same choices. Whoever uses it begins each execution twice.
 */
import { Violation } from '../../step/observer.ts'
import type { Pending } from '../../step/scheduler.ts'
import type { RestartableScheduler } from './scheduler.ts'

/** `scheduler` with the check: the first begin() of an execution records, the second compares. */
export function withDeterminismCheck(scheduler: RestartableScheduler): RestartableScheduler {
  /** By choice: a hash of what was asked, and the answer. */
  const asked: number[] = []
  const answers: number[] = []
  let at = 0
  let recorded: number | undefined
  let comparing = false
  let pending: Pending
  return {
    name: scheduler.name,
    begin(execution, random, state) {
      comparing = recorded === execution
      recorded = comparing ? undefined : execution
      pending = state
      at = 0
      if (comparing) return
      asked.length = 0
      answers.length = 0
      scheduler.begin(execution, random, state)
    },
    next(runnable, n, current) {
      const hash = hashOf(runnable, n, current, pending)
      if (!comparing) {
        const next = scheduler.next(runnable, n, current)
        asked.push(hash)
        answers.push(next)
        return next
      }
      if (asked[at] !== hash)
        throw new Violation(
          'determinism',
          `choice ${at}, before step ${pending.steps}, is another one when the same execution is run again`,
        )
      return answers[at++]
    },
    // Only a whole pair ends an execution.
    ...(scheduler.end === undefined ? {} : { end: () => comparing && scheduler.end!() }),
    ...(scheduler.restart === undefined ? {} : { restart: () => scheduler.restart!() }),
  }
}

function hashOf(runnable: Int32Array, n: number, current: number, pending: Pending): number {
  let hash = Math.imul(pending.steps, 0x9e3779b1) ^ current
  for (let i = 0; i < n; i++) {
    const e = runnable[i]
    hash = Math.imul(hash ^ e ^ (pending.kind[e] << 8), 0x85ebca6b)
    hash = Math.imul(hash ^ pending.addr[e] ^ (pending.site[e] << 16), 0xc2b2ae35)
    hash ^= hash >>> 15
  }
  return hash
}
