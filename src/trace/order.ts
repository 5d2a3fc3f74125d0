// Which operations of other streams must come before an operation: what the recording demands, and no more. Within one
// address space a call that changes the map follows every event on its range recorded before its entry and precedes
// every one recorded after its return; a fork is ordered with all map changes of its parent's address space; a clone
// precedes the child's events; a vfork parent goes on after the child's exec or exit; a pid's exit precedes its reuse.
// Two touches are never ordered with each other, and within a stream the recorded order holds without being listed.
// What follows from other entries is left out of the lists.
import {
  TRACE_BRK,
  TRACE_EXEC,
  TRACE_EXIT,
  TRACE_FORK,
  TRACE_F_WAITED,
  TRACE_TOUCH,
  TRACE_VFORK,
} from './opcodes.ts'
import { overlap } from './effects.ts'
import { isMapChange, rangesOf } from './operations.ts'
import type { Operation, TraceProgram } from './operations.ts'

const CHUNK = 512
/** Above this many streams the vector clocks cost more than the entries they save. */
const MOST_CLOCKS = 2048

/** One stream's part in one address space. */
interface Member {
  /** Touches by chunk of the address space, each list in recorded order. */
  touches: Map<number, Operation[]>
  changes: Operation[]
  forks: Operation[]
}

/**
 * Fills `after` of every operation and sets TRACE_F_WAITED where somebody waits.
 * @returns a topological order of all operations (one that satisfies every list), in which a test or a single CPU can
 *   run them
 */
export function orderProgram(program: TraceProgram): Operation[] {
  const demanded = demandedOrder(program)
  for (const operation of eachOperation(program)) operation.after = demanded.get(operation) ?? []
  // A proof that contradicts the rest rests on an event that was lost; the demanded order alone has no cycle.
  for (const { before, after } of program.proven) {
    if (before.stream !== after.stream) after.after.push(before)
  }
  let sorted = topological(program)
  if (!sorted) {
    const proven = new Set(program.proven.map(({ before, after }) => `${key(before)} ${key(after)}`))
    for (const operation of eachOperation(program)) {
      operation.after = operation.after.filter((before) => !proven.has(`${key(before)} ${key(operation)}`))
    }
    sorted = topological(program)
    if (!sorted) throw new Error('the recorded order has a cycle')
  }
  if (program.streams.length <= MOST_CLOCKS) reduce(program, sorted)
  for (const operation of sorted) {
    for (const before of operation.after) before.bits |= TRACE_F_WAITED
  }
  return sorted
}

function key(operation: Operation): string {
  return `${operation.stream}.${operation.index}`
}

function* eachOperation(program: TraceProgram): Generator<Operation> {
  for (const stream of program.streams) yield* stream.operations
}

function demandedOrder(program: TraceProgram): Map<Operation, Operation[]> {
  const after = new Map<Operation, Operation[]>()
  const demand = (before: Operation | undefined, operation: Operation | undefined): void => {
    if (!before || !operation || before.stream === operation.stream) return
    const list = after.get(operation)
    if (list) list.push(before)
    else after.set(operation, [before])
  }

  for (const stream of program.streams) {
    demand(stream.startedBy, stream.operations[0])
    for (const operation of stream.operations) {
      for (const before of operation.after) demand(before, operation)
      if (operation.kind === TRACE_VFORK) {
        const child = program.streams[operation.child]!
        const release = child.operations.find(({ kind }) => kind === TRACE_EXEC || kind === TRACE_EXIT)
        demand(release, stream.operations[operation.index + 1])
      }
    }
  }

  for (const members of membersByMm(program)) {
    if (members.length < 2) continue
    for (const member of members) {
      for (const other of members) {
        if (other === member) continue
        for (const change of member.changes) {
          demand(lastTouchBefore(other, change), change)
          demand(change, firstTouchAfter(other, change))
          demand(lastBefore(other.changes, change, related), change)
          demand(change, firstAfter(other.changes, change, related))
        }
        for (const fork of member.forks) {
          demand(lastBefore(other.changes, fork, anything), fork)
          demand(fork, firstAfter(other.changes, fork, anything))
        }
      }
    }
  }
  return after
}

function membersByMm(program: TraceProgram): Member[][] {
  const members: Map<number, Member>[] = Array.from({ length: program.mms }, () => new Map<number, Member>())
  for (const operation of eachOperation(program)) {
    if (operation.mm < 0) continue
    const ofMm = members[operation.mm]!
    let member = ofMm.get(operation.stream)
    if (!member) ofMm.set(operation.stream, (member = { touches: new Map(), changes: [], forks: [] }))
    if (operation.kind === TRACE_TOUCH) {
      const chunk = Math.floor(operation.page / CHUNK)
      const list = member.touches.get(chunk)
      if (list) list.push(operation)
      else member.touches.set(chunk, [operation])
    } else if (isMapChange(operation)) {
      member.changes.push(operation)
    } else if (operation.kind === TRACE_FORK) {
      member.forks.push(operation)
    }
  }
  return members.map((ofMm) => [...ofMm.values()])
}

function lastTouchBefore(member: Member, change: Operation): Operation | undefined {
  let found: Operation | undefined
  for (const list of touchLists(member, change)) {
    for (let index = firstAt(list, change.line) - 1; index >= 0; index--) {
      const touch = list[index]!
      if (found && touch.line < found.line) break
      if (related(touch, change)) {
        found = touch
        break
      }
    }
  }
  return found
}

function firstTouchAfter(member: Member, change: Operation): Operation | undefined {
  let found: Operation | undefined
  for (const list of touchLists(member, change)) {
    for (let index = firstAt(list, change.endLine + 1); index < list.length; index++) {
      const touch = list[index]!
      if (found && touch.line > found.line) break
      if (related(touch, change)) {
        found = touch
        break
      }
    }
  }
  return found
}

/** The lists of touches in the chunks of a change. */
function* touchLists(member: Member, change: Operation): Generator<Operation[]> {
  for (const [start, end] of rangesOf(change)) {
    const first = Math.floor(start / CHUNK)
    const last = Math.floor((end - 1) / CHUNK)
    if (last - first < member.touches.size) {
      for (let chunk = first; chunk <= last; chunk++) {
        const list = member.touches.get(chunk)
        if (list) yield list
      }
    } else {
      for (const [chunk, list] of member.touches) if (chunk >= first && chunk <= last) yield list
    }
  }
}

/** Index of the first operation at this line or later, in a list in recorded order. */
function firstAt(list: Operation[], line: number): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (list[middle]!.line >= line) high = middle
    else low = middle + 1
  }
  return low
}

type Relation = (one: Operation, other: Operation) => boolean

function lastBefore(list: Operation[], operation: Operation, relation: Relation): Operation | undefined {
  for (let index = firstAt(list, operation.line) - 1; index >= 0; index--) {
    const other = list[index]!
    if (other.endLine < operation.line && relation(other, operation)) return other
  }
  return undefined
}

function firstAfter(list: Operation[], operation: Operation, relation: Relation): Operation | undefined {
  for (let index = firstAt(list, operation.endLine + 1); index < list.length; index++) {
    if (relation(list[index]!, operation)) return list[index]
  }
  return undefined
}

/** Whether two operations have a page in common. Two brks do: each sets the end of the one heap. */
function related(one: Operation, other: Operation): boolean {
  if (one.kind === TRACE_BRK && other.kind === TRACE_BRK) return true
  return overlap(one, other)
}

function anything(): boolean {
  return true
}

/** Kahn's algorithm; undefined when there is a cycle. */
function topological(program: TraceProgram): Operation[] | undefined {
  const waiting = new Map<Operation, number>()
  const successors = new Map<Operation, Operation[]>()
  const ready: Operation[] = []
  let total = 0
  for (const operation of eachOperation(program)) {
    total++
    const count = operation.after.length + (operation.index > 0 ? 1 : 0)
    waiting.set(operation, count)
    if (count === 0) ready.push(operation)
    for (const before of operation.after) {
      const list = successors.get(before)
      if (list) list.push(operation)
      else successors.set(before, [operation])
    }
  }
  const sorted: Operation[] = []
  const release = (operation: Operation | undefined): void => {
    if (!operation) return
    const count = waiting.get(operation)! - 1
    waiting.set(operation, count)
    if (count === 0) ready.push(operation)
  }
  for (let index = 0; index < ready.length; index++) {
    const operation = ready[index]!
    sorted.push(operation)
    release(program.streams[operation.stream]!.operations[operation.index + 1])
    for (const successor of successors.get(operation) ?? []) release(successor)
  }
  return sorted.length === total ? sorted : undefined
}

/** Leaves out what follows from other entries, by vector clocks along a topological order. */
function reduce(program: TraceProgram, sorted: Operation[]): void {
  const streams = program.streams.length
  const now = program.streams.map(() => new Int32Array(streams))
  // The clock of a stream changes only at operations that wait: those moments are kept.
  const moments: { index: number; clock: Int32Array }[][] = program.streams.map(() => [])
  const clockAt = (operation: Operation): Int32Array | undefined => {
    const list = moments[operation.stream]!
    let low = 0
    let high = list.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (list[middle]!.index > operation.index) high = middle
      else low = middle + 1
    }
    return list[low - 1]?.clock
  }
  for (const operation of sorted) {
    if (operation.after.length === 0) continue
    const clock = now[operation.stream]!
    const kept: Operation[] = []
    for (const before of operation.after.toSorted((a, b) => b.endLine - a.endLine)) {
      if (clock[before.stream]! > before.index) continue
      kept.push(before)
      const earlier = clockAt(before)
      if (earlier)
        for (let stream = 0; stream < streams; stream++)
          clock[stream] = Math.max(clock[stream]!, earlier[stream]!)
      clock[before.stream] = before.index + 1
    }
    operation.after = kept
    if (kept.length > 0) moments[operation.stream]!.push({ index: operation.index, clock: clock.slice() })
  }
}
