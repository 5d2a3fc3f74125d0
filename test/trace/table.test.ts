import { expect, test } from 'vitest'
import * as op from '../../src/trace/opcodes.ts'
import { ANONYMOUS_WRITES, formatTraceTable, sameKindShare, traceTable } from '../../src/trace/table.ts'
import type { TraceRow } from '../../src/trace/table.ts'
import { Recording } from './recording.ts'

const AT = 0x7fb6d2400000

/** One recorded write fault (absent) in an anonymous area whose touch came out so. */
function rowsFor(result: number): Record<string, TraceRow> {
  const program = new Recording().mmap(1, AT, 4096).touch(1, AT).program()
  const done = op.TRACE_RESULT_DONE
  return Object.fromEntries(
    traceTable(program, [done, done, result, done]).rows.map((row) => [row.recorded, row]),
  )
}

test.each([
  [op.TRACE_RESULT_ABSENT, { sameKind: 1 }],
  [op.TRACE_RESULT_PRESENT, { otherKind: 1 }],
  [op.TRACE_RESULT_NO_FAULT, { noFault: 1 }],
  [op.TRACE_RESULT_SEGV, { signal: 1 }],
  [op.TRACE_RESULT_SIGBUS, { signal: 1 }],
  [op.TRACE_RESULT_OOM, { passedOver: [{ why: 'the model was out of memory', count: 1 }] }],
  [op.TRACE_RESULT_NOT_RUN, { passedOver: [{ why: 'the run ended before it', count: 1 }] }],
])(
  'result %i of an absent fault lands in its column, in its row and in the special row',
  (result, columns) => {
    const rows = rowsFor(result)
    const expected = {
      faults: 1,
      sameKind: 0,
      otherKind: 0,
      noFault: 0,
      signal: 0,
      passedOver: [],
      ...columns,
    }
    expect(rows['absent write']).toEqual({ recorded: 'absent write', ...expected })
    expect(rows[ANONYMOUS_WRITES]).toEqual({ recorded: ANONYMOUS_WRITES, ...expected })
    expect(rows['present write']!.faults).toBe(0)
  },
)

test('a SIGSEGV that the recording has as well is passed over', () => {
  const program = new Recording().touch(1, 8, 'absent read').program()
  const row = traceTable(program, [op.TRACE_RESULT_DONE, op.TRACE_RESULT_SEGV]).rows[0]!
  expect(row).toMatchObject({
    signal: 0,
    passedOver: [{ why: 'a SIGSEGV in the recording as well', count: 1 }],
  })
})

test('calls passed over, calls that failed and unknown events are listed apart', () => {
  const program = new Recording()
    .madvise(1, AT, 4096, 8)
    .mprotect(1, AT, 4096, 1)
    .event(1, 'a:b: c')
    .program()
  const results = program.streams[0]!.operations.map(({ kind }) =>
    kind === op.TRACE_MPROTECT ? -12 : op.TRACE_RESULT_DONE,
  )
  const table = traceTable(program, results)
  expect(table.calls).toEqual([{ what: 'madvise', why: 'MADV_FREE is not modelled', count: 1 }])
  expect(table.failedCalls).toEqual([{ errno: 12, count: 1 }])
  expect(table.unknownEvents).toEqual([{ name: 'a:b', count: 1 }])
})

test('the share leaves out what was passed over', () => {
  const row = rowsFor(op.TRACE_RESULT_OOM)['absent write']!
  expect(sameKindShare(row)).toBe(1)
  expect(sameKindShare({ ...row, sameKind: 3, otherKind: 1 })).toBe(0.75)
})

test('the text has one line a row under one heading, then what was passed over', () => {
  const program = new Recording().mmap(1, AT, 4096).touch(1, AT).madvise(1, AT, 4096, 8).program()
  const lines = formatTraceTable(traceTable(program, [7, 7, 2, 7])).split('\n')
  expect(lines).toHaveLength(9)
  expect(lines[0]).toMatch(/^recorded +faults +same kind +other kind +no fault +signal +passed over$/)
  expect(lines[2]).toMatch(/^absent write +1 +1 +0 +0 +0 +0$/)
  expect(lines[8]).toBe('passed over: 1 × madvise: MADV_FREE is not modelled')
})
