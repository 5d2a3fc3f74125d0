import { expect, test } from 'vitest'
import { encodeProgram } from '../../src/trace/encode.ts'
import * as op from '../../src/trace/opcodes.ts'
import { Recording } from './recording.ts'

const P = 4096
const AT = 0x7fb6d2400000

/** The words of the n-th operation of a stream. */
function words(blob: Int32Array, stream: number, nth: number): number[] {
  const entry = blob[op.trace_header$streams]! + stream * op.TRACE_STREAM_WORDS
  const at = blob[op.trace_header$ops]! + (blob[entry + op.trace_stream$first]! + nth) * op.TRACE_OP_WORDS
  return [...blob.subarray(at, at + op.TRACE_OP_WORDS)]
}

test('the header finds every table, and the blob has the size it says', () => {
  const program = new Recording().mmap(1, AT, P, 3, 0x21).fork(1, 2).touch(2, AT).program()
  const blob = encodeProgram(program, 31)
  expect(blob[op.trace_header$magic]).toBe(op.TRACE_MAGIC)
  expect(blob[op.trace_header$words]).toBe(blob.length)
  expect(blob[op.trace_header$nr_streams]).toBe(2)
  expect(blob[op.trace_header$nr_ops]).toBe(6)
  const file = blob[op.trace_header$files]!
  expect([blob[file + op.trace_file$pages], blob[file + op.trace_file$shmem]]).toEqual([1, 1])
  const child = blob[op.trace_header$streams]! + op.TRACE_STREAM_WORDS
  expect([...blob.subarray(child, child + 5)]).toEqual([4, 2, 0, 2, 2])
})

test('a touch carries its folded page, its word, its access and its flags', () => {
  const blob = encodeProgram(
    new Recording()
      .mmap(1, AT, 2 * P)
      .touch(1, AT + P + 12, 'present write')
      .program(),
    31,
  )
  const kind = op.TRACE_TOUCH | op.TRACE_F_PRESENT | op.TRACE_F_USER | op.TRACE_F_ANON
  expect(words(blob, 0, 2)).toEqual([kind, 513, 3, op.TRACE_WRITE, 0, 0, 0, 0])
})

test('an mmap carries range, rights, flags, file and offset', () => {
  const blob = encodeProgram(new Recording().mmap(1, AT, 2 * P, 1, 2, 3, 5 * P).program(), 31)
  expect(words(blob, 0, 1)).toEqual([op.TRACE_MMAP, 512, 2, 1, 2, 0, 5, 0])
})

test('an mremap carries both ranges', () => {
  const program = new Recording()
    .mmap(1, AT, 2 * P)
    .mremap(1, AT, 2 * P, 3 * P, AT + 16 * P)
    .program()
  expect(words(encodeProgram(program, 31), 0, 2)).toEqual([op.TRACE_MREMAP, 512, 2, 3, 528, 1, 0, 0])
})

test('exec carries the start of the heap and brk its new end', () => {
  const blob = encodeProgram(new Recording().brk(1, 0, 0x600000).brk(1, 0x603000).program(), 31)
  expect(words(blob, 0, 1)[op.trace_op$page]! - words(blob, 0, 0)[op.trace_op$page]!).toBe(3)
})

test('an operation that waits points to its list, and the one waited for is marked', () => {
  const program = new Recording().mmap(1, AT, P).thread(1, 2).touch(2, AT).madvise(1, AT, P, 4).program()
  const blob = encodeProgram(program, 31)
  const list = words(blob, 0, 3)[op.trace_op$deps]!
  expect([...blob.subarray(list, list + 3)]).toEqual([1, 1, 0])
  expect(words(blob, 1, 0)[0]! & op.TRACE_F_WAITED).not.toBe(0)
  expect(words(blob, 0, 1)[op.trace_op$deps]).toBe(0)
})
