import { expect, test } from 'vitest'
import { UsageError } from '../../src/base/errors.ts'
import * as op from '../../src/trace/opcodes.ts'
import type { Operation, TraceProgram } from '../../src/trace/operations.ts'
import { orderProgram } from '../../src/trace/order.ts'
import { buildProgram } from '../../src/trace/program.ts'
import { parseTrace } from '../../src/trace/read.ts'
import { makeRoom } from '../../src/trace/room.ts'
import { randomOrder } from './schedule.ts'
import { Recording } from './recording.ts'

const MANY = { NR_TASKS: 100, NR_MMS: 100 }

function unordered(recording: Recording): TraceProgram {
  return buildProgram(parseTrace(recording.text(), 'test.script'))
}

/** One parent whose children live one after another, two at a time. */
function children(count: number): Recording {
  const recording = new Recording()
  for (let child = 0; child < count; child++) {
    recording.fork(1, 10 + child)
    if (child > 0) recording.exit(9 + child)
  }
  return recording
}

/** The most tasks that live at once when the operations run in this order. */
function mostLive(order: Operation[]): number {
  let live = 1
  let most = live
  for (const { kind } of order) {
    if (kind === op.TRACE_FORK || kind === op.TRACE_CLONE_THREAD) live++
    if (kind === op.TRACE_EXIT) live--
    most = Math.max(most, live)
  }
  return most
}

test('a recording for which there is room gets no further orders', () => {
  const program = unordered(children(10))
  makeRoom(program, MANY)
  expect(
    program.streams.flatMap(({ operations }) => operations).every(({ after }) => after.length === 0),
  ).toBe(true)
})

test('a recording with more tasks than the model never has more of them at a time than there is room for', () => {
  for (const limits of [
    { NR_TASKS: 6, NR_MMS: 100 },
    { NR_TASKS: 100, NR_MMS: 6 },
  ]) {
    const program = unordered(children(30))
    makeRoom(program, limits)
    orderProgram(program)
    for (let seed = 1; seed <= 20; seed++)
      expect(mostLive(randomOrder(program, seed, 0.9))).toBeLessThanOrEqual(5)
  }
})

test('threads share an address space, so they need room as tasks only', () => {
  const recording = new Recording()
  for (let child = 2; child < 12; child++) recording.thread(1, child)
  recording.exit(2)
  const program = unordered(recording)
  expect(() => makeRoom(program, { NR_TASKS: 100, NR_MMS: 4 })).not.toThrow()
  expect(() => makeRoom(program, { NR_TASKS: 8, NR_MMS: 100 })).toThrow(
    new UsageError('The trace has 11 tasks at a time, the model has room for 7: replay a shorter recording.'),
  )
})

test('an exec needs room for the new address space beside the old one', () => {
  const program = unordered(new Recording().fork(1, 2).exec(2))
  expect(() => makeRoom(program, { NR_TASKS: 100, NR_MMS: 3 })).toThrow(/3 address spaces at a time/)
  expect(() => makeRoom(program, { NR_TASKS: 100, NR_MMS: 4 })).not.toThrow()
})
