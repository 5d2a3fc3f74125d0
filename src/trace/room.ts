// The model has room for so many tasks and address spaces at a time. A recording that has more of them, though not at a
// time, gets further orders, the only ones that order.ts does not demand: clones and execs follow each other as
// recorded, and after the recorded exits that make room for them. A smaller recording gets none.
import { UsageError } from '../base/errors.ts'
import { MODEL_LIMITS } from './limits.ts'
import { TRACE_CLONE_THREAD, TRACE_EXEC, TRACE_EXIT, TRACE_FORK, TRACE_VFORK } from './opcodes.ts'
import type { Operation, TraceProgram } from './operations.ts'
import { recordedOrder } from './operations.ts'

/** How the number of live objects of a kind changes, in recorded order. An operation that does both begins first. */
interface Life {
  what: string
  /** Lives that begin with the machine. */
  initial: number
  limit: number
  changes: { operation: Operation; begins: boolean }[]
}

/**
 * Adds orders to the program (before orderProgram) where it has more tasks or address spaces than the model.
 * @throws UsageError when even the recording had more at a time
 */
export function makeRoom(
  program: TraceProgram,
  limits: { NR_TASKS: number; NR_MMS: number } = MODEL_LIMITS,
): void {
  for (const life of livesOf(program, limits)) {
    const begun = life.initial + life.changes.filter(({ begins }) => begins).length
    if (begun <= life.limit) continue
    const most = peakOf(life)
    if (most > life.limit)
      throw new UsageError(
        `The trace has ${most} ${life.what} at a time, the model has room for ${life.limit}: replay ` +
          'a shorter recording.',
      )
    orderBegins(life, life.limit - most)
  }
}

function livesOf(program: TraceProgram, limits: { NR_TASKS: number; NR_MMS: number }): Life[] {
  const roots = program.streams.filter(({ startedBy }) => !startedBy).length
  // One of each is the first task's.
  const tasks: Life = { what: 'tasks', initial: roots, limit: limits.NR_TASKS - 1, changes: [] }
  const mms: Life = { what: 'address spaces', initial: roots, limit: limits.NR_MMS - 1, changes: [] }
  // Each stream's address space, as its number of users; what a root has before its exec is one, too.
  const used = program.streams.map(({ startedBy }) => ({ users: startedBy ? 0 : 1 }))
  const leave = (operation: Operation): void => {
    if (--used[operation.stream]!.users === 0) mms.changes.push({ operation, begins: false })
  }
  for (const operation of recordedOrder(program)) {
    switch (operation.kind) {
      case TRACE_EXEC:
        mms.changes.push({ operation, begins: true })
        leave(operation)
        used[operation.stream] = { users: 1 }
        break
      case TRACE_FORK:
        tasks.changes.push({ operation, begins: true })
        mms.changes.push({ operation, begins: true })
        used[operation.child] = { users: 1 }
        break
      case TRACE_CLONE_THREAD:
      case TRACE_VFORK:
        tasks.changes.push({ operation, begins: true })
        used[operation.stream]!.users++
        used[operation.child] = used[operation.stream]!
        break
      case TRACE_EXIT:
        tasks.changes.push({ operation, begins: false })
        leave(operation)
        break
      default:
    }
  }
  return [tasks, mms]
}

function peakOf(life: Life): number {
  let live = life.initial
  let most = live
  for (const { begins } of life.changes) most = Math.max(most, (live += begins ? 1 : -1))
  return most
}

/**
 * Lets every life begin after the one recorded before it, and after all ends recorded before it but the last `slack`.
 */
function orderBegins(life: Life, slack: number): void {
  const ends: Operation[] = []
  let awaited = 0
  let previous: Operation | undefined
  for (const { operation, begins } of life.changes) {
    if (!begins) {
      ends.push(operation)
      continue
    }
    if (previous) operation.after.push(previous)
    for (; awaited < ends.length - slack; awaited++) operation.after.push(ends[awaited]!)
    previous = operation
  }
}
