// The rules of src/trace/order.ts a second time, pair by pair and without cleverness: which orders a trace program must
// keep, and which its lists keep.
import * as op from '../../src/trace/opcodes.ts'
import { isMapChange, rangesOf } from '../../src/trace/operations.ts'
import type { Operation, TraceProgram } from '../../src/trace/operations.ts'

/** Whether the recording demands this order between two operations of different streams of one address space. */
export function isDemanded(before: Operation, after: Operation): boolean {
  if (before.stream === after.stream || before.mm !== after.mm || before.endLine >= after.line) return false
  if (isMapChange(before) || isMapChange(after)) {
    if (before.kind === op.TRACE_FORK || after.kind === op.TRACE_FORK) return true
    if (before.kind === op.TRACE_BRK && after.kind === op.TRACE_BRK) return true
    return overlap(before, after)
  }
  return false
}

/** Demanded pairs that do not follow from the lists. Empty for a right program. */
export function missingOrders(program: TraceProgram, sorted: Operation[]): [Operation, Operation][] {
  const clocks = new Map<Operation, Int32Array>()
  for (const operation of sorted) {
    const clock = new Int32Array(program.streams.length)
    const previous = program.streams[operation.stream]!.operations[operation.index - 1]
    for (const earlier of previous ? [previous, ...operation.after] : operation.after) {
      const other = clocks.get(earlier)!
      for (let stream = 0; stream < clock.length; stream++)
        clock[stream] = Math.max(clock[stream]!, other[stream]!)
    }
    clock[operation.stream] = operation.index + 1
    clocks.set(operation, clock)
  }
  const missing: [Operation, Operation][] = []
  const interesting = sorted.filter((operation) => isMapChange(operation) || operation.kind === op.TRACE_FORK)
  const others = sorted.filter(
    (operation) => operation.kind === op.TRACE_TOUCH || interesting.includes(operation),
  )
  const check = (before: Operation, after: Operation): void => {
    if (isDemanded(before, after) && clocks.get(after)![before.stream]! <= before.index)
      missing.push([before, after])
  }
  for (const change of interesting) {
    for (const other of others) {
      check(change, other)
      check(other, change)
    }
  }
  return missing
}

function overlap(one: Operation, other: Operation): boolean {
  return rangesOf(one).some(([start, end]) => rangesOf(other).some(([from, to]) => start < to && from < end))
}
