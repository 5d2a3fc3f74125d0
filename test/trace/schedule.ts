// Runs a trace program's streams in any order that its lists permit, chosen by a seed: what several CPUs might do.
import type { Operation, TraceProgram } from '../../src/trace/operations.ts'

/**
 * A random linear extension of the program's order.
 * @param stubborn chance (0 to 1) to go on with the stream that ran last: near 1, streams run far ahead of each other
 */
export function randomOrder(program: TraceProgram, seed: number, stubborn: number): Operation[] {
  const random = mulberry32(seed)
  const done = program.streams.map(() => 0)
  const sorted: Operation[] = []
  const isReady = (stream: number): boolean => {
    const next = program.streams[stream]!.operations[done[stream]!]
    return next !== undefined && next.after.every((before) => done[before.stream]! > before.index)
  }
  const total = program.streams.reduce((sum, stream) => sum + stream.operations.length, 0)
  let last = 0
  while (sorted.length < total) {
    if (random() >= stubborn || !isReady(last)) {
      const ready = program.streams.map((_, stream) => stream).filter(isReady)
      if (ready.length === 0) throw new Error('nobody can go on')
      last = ready[Math.floor(random() * ready.length)]!
    }
    sorted.push(program.streams[last]!.operations[done[last]!]!)
    done[last] = done[last]! + 1
  }
  return sorted
}

function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
