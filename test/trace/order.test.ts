import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import * as op from '../../src/trace/opcodes.ts'
import type { Operation } from '../../src/trace/operations.ts'
import { isDemanded, missingOrders } from './demanded.ts'
import { operationOf, Recording } from './recording.ts'
import { runReference } from './reference.ts'
import { randomOrder } from './schedule.ts'

const P = 4096
const AT = 0x7fb6d2400000

/** A process of two threads, 1 and 2, that has mapped some pages. */
const twoThreads = () =>
  new Recording()
    .mmap(1, AT, 16 * P)
    .thread(1, 2)
    .touch(2, 0x400000)

test('touches are never ordered with each other', () => {
  const program = twoThreads().touch(1, AT).touch(2, AT).touch(1, AT, 'present write').program()
  expect(operationOf(program, 2, op.TRACE_TOUCH, 1).after).toEqual([])
  expect(operationOf(program, 1, op.TRACE_TOUCH, 1).after).toEqual([])
})

test('a call follows the touches on its range before its entry and precedes those after its return', () => {
  const program = twoThreads().touch(2, AT).madvise(1, AT, P, 4).touch(2, AT).program()
  const call = operationOf(program, 1, op.TRACE_MADVISE)
  expect(call.after).toEqual([operationOf(program, 2, op.TRACE_TOUCH, 1)])
  expect(operationOf(program, 2, op.TRACE_TOUCH, 2).after).toEqual([call])
})

test('a touch outside the range of a call is free', () => {
  const program = twoThreads()
    .touch(2, AT + P)
    .madvise(1, AT, P, 4)
    .touch(2, AT + P)
    .program()
  expect(operationOf(program, 1, op.TRACE_MADVISE).after).toEqual([])
  expect(operationOf(program, 2, op.TRACE_TOUCH, 2).after).toEqual([])
})

test('a touch between entry and return of a call is free', () => {
  const args = { start: AT, len_in: P, behavior: 4 }
  const recording = twoThreads().enter(1, 'madvise', args).touch(2, AT).return(1, 'madvise', 0)
  const program = recording.program()
  expect(operationOf(program, 1, op.TRACE_MADVISE).after).toEqual([])
  expect(operationOf(program, 2, op.TRACE_TOUCH, 1).after).toEqual([])
})

test('a touch between entry and return that only the call permits comes after it', () => {
  const recording = twoThreads().mmap(1, AT + 32 * P, P, 0)
  recording
    .enter(1, 'mprotect', { start: AT + 32 * P, len: P, prot: 3 })
    .touch(2, AT + 32 * P)
    .return(1, 'mprotect', 0)
  const program = recording.program()
  const touch = operationOf(program, 2, op.TRACE_TOUCH, 1)
  expect(touch.after).toEqual([operationOf(program, 1, op.TRACE_MPROTECT)])
  expect(touch.bits & op.TRACE_F_SEGV).toBe(0)
})

test('a touch between entry and return that the call takes the right from comes before it', () => {
  const recording = twoThreads().enter(1, 'munmap', { addr: AT, len: P }).touch(2, AT).return(1, 'munmap', 0)
  const program = recording.program()
  expect(operationOf(program, 1, op.TRACE_MUNMAP).after).toEqual([operationOf(program, 2, op.TRACE_TOUCH, 1)])
})

test('an mmap that got the address of a munmap still running comes after it', () => {
  const recording = twoThreads()
    .enter(1, 'munmap', { addr: AT, len: P })
    .mmap(2, AT, P)
    .return(1, 'munmap', 0)
    .touch(2, AT)
  const program = recording.program()
  expect(operationOf(program, 2, op.TRACE_MMAP).after).toEqual([operationOf(program, 1, op.TRACE_MUNMAP)])
  expect(operationOf(program, 2, op.TRACE_TOUCH, 1).bits & op.TRACE_F_ANON).not.toBe(0)
})

test('brks of two threads keep their order though their ranges only meet', () => {
  const recording = new Recording().brk(1, 0, 0x600000).thread(1, 2).brk(1, 0x601000).brk(2, 0x602000)
  const program = recording.program()
  expect(operationOf(program, 2, op.TRACE_BRK).after).toEqual([operationOf(program, 1, op.TRACE_BRK)])
})

test('a fork is ordered with the map changes of the other threads, wherever they are', () => {
  const program = twoThreads()
    .mmap(2, AT - P, P)
    .fork(1, 3)
    .munmap(2, AT, P)
    .program()
  const fork = operationOf(program, 1, op.TRACE_FORK)
  expect(fork.after).toEqual([operationOf(program, 2, op.TRACE_MMAP)])
  expect(operationOf(program, 2, op.TRACE_MUNMAP).after).toEqual([fork])
})

test('a fork is not ordered with the touches of the other threads', () => {
  const program = twoThreads().touch(2, AT).fork(1, 3).touch(2, AT, 'present write').program()
  expect(operationOf(program, 1, op.TRACE_FORK).after).toEqual([])
  expect(operationOf(program, 2, op.TRACE_TOUCH, 2).after).toEqual([])
})

test('address spaces are not ordered with each other', () => {
  const program = new Recording()
    .mmap(1, AT, P)
    .fork(1, 2)
    .touch(2, AT)
    .munmap(1, AT, P)
    .touch(2, AT, 'present write')
    .program()
  expect(operationOf(program, 1, op.TRACE_MUNMAP).after).toEqual([])
  expect(operationOf(program, 2, op.TRACE_TOUCH, 1).after).toEqual([])
})

test('a clone comes before the first event of its child', () => {
  const program = twoThreads().program()
  expect(program.streams[1]!.operations[0]!.after).toEqual([operationOf(program, 1, op.TRACE_CLONE_THREAD)])
  expect(operationOf(program, 1, op.TRACE_CLONE_THREAD).bits & op.TRACE_F_WAITED).not.toBe(0)
})

test("a vfork parent goes on after its child's exec", () => {
  const program = new Recording().mmap(1, AT, P).vfork(1, 2).touch(2, AT).exec(2).touch(1, AT).program()
  expect(operationOf(program, 1, op.TRACE_TOUCH).after).toEqual([operationOf(program, 2, op.TRACE_EXEC)])
})

test("a vfork parent goes on after its child's exit when there is no exec", () => {
  const program = new Recording().mmap(1, AT, P).vfork(1, 2).touch(2, AT).exit(2).touch(1, AT).program()
  expect(operationOf(program, 1, op.TRACE_TOUCH).after).toEqual([operationOf(program, 2, op.TRACE_EXIT)])
})

test('the exit of a task comes before the clone that uses its pid again', () => {
  const program = new Recording().fork(1, 2).exit(2).touch(3, 0x400000).fork(3, 2).exit(2).program()
  expect(operationOf(program, 3, op.TRACE_FORK).after).toEqual([program.streams[1]!.operations[0]])
})

test('what follows from other entries is left out', () => {
  const recording = twoThreads()
    .mprotect(1, AT, P, 1)
    .mprotect(1, AT, P, 3)
    .touch(2, AT)
    .touch(2, AT)
    .touch(2, AT + P)
  const program = recording.program()
  const entries = program.streams[1]!.operations.flatMap(({ after }) => after)
  expect(entries).toEqual([
    operationOf(program, 1, op.TRACE_CLONE_THREAD),
    operationOf(program, 1, op.TRACE_MPROTECT, 1),
  ])
})

type Step = [kind: number, task: number, page: number, pages: number]

/** Threads (and a fork) that call and touch at random; a call may stay open over other tasks' events. */
function recordSteps(steps: Step[]): Recording {
  const recording = new Recording()
    .mmap(1, AT, 16 * P)
    .brk(1, 0, 0x600000)
    .thread(1, 2)
    .thread(1, 3)
  const open = new Map<number, () => void>()
  let forks = 0
  let end = 0x600000
  for (const [kind, tid, page, pages] of steps) {
    open.get(tid)?.()
    open.delete(tid)
    const at = AT + page * P
    const call = (name: string, args: Record<string, number>, value = 0): void => {
      recording.enter(tid, name, args)
      open.set(tid, () => recording.return(tid, name, value))
    }
    if (kind < 5) recording.touch(tid, at)
    else if (kind === 5)
      call('mmap', { addr: at, len: pages * P, prot: 3, flags: 0x32, fd: 0xffffffff, off: 0 }, at)
    else if (kind === 6) call('mprotect', { start: at, len: pages * P, prot: 3 })
    else if (kind === 7) call('madvise', { start: at, len_in: pages * P, behavior: 4 })
    else if (kind === 8) recording.brk(tid, (end += P))
    else recording.fork(tid, 10 + forks++)
  }
  for (const close of open.values()) close()
  return recording
}

const stepsOf = fc.array(
  fc.tuple(fc.nat(9), fc.integer({ min: 1, max: 3 }), fc.nat(11), fc.integer({ min: 1, max: 4 })),
  {
    maxLength: 40,
  },
) as fc.Arbitrary<Step[]>

test('every demanded pair is ordered, and every entry is demanded', () => {
  fc.assert(
    fc.property(stepsOf, (steps) => {
      const { program, sorted } = recordSteps(steps).ordered()
      expect(missingOrders(program, sorted)).toEqual([])
      const proven = new Set(program.proven.map(({ before, after }) => `${before.line} ${after.line}`))
      for (const after of sorted) {
        for (const before of after.after) {
          const starts = after.index === 0 && program.streams[after.stream]!.startedBy === before
          expect(starts || isDemanded(before, after) || proven.has(`${before.line} ${after.line}`)).toBe(true)
        }
      }
    }),
  )
})

test('whatever order the lists permit, nobody gets a SIGSEGV that the recording does not have', () => {
  fc.assert(
    fc.property(stepsOf, fc.integer(), fc.constantFrom(0, 0.9, 1), (steps, seed, stubborn) => {
      const program = recordSteps(steps).program()
      const results = runReference(program, randomOrder(program, seed, stubborn))
      const operations: Operation[] = program.streams.flatMap((stream) => stream.operations)
      expect(
        operations.filter((_, index) => results[index] === op.TRACE_RESULT_SEGV || results[index]! < 0),
      ).toEqual([])
    }),
  )
})
