// A real recording: the start of an Apache server, five forks, and its first CGI request up to the child's exit.
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { ANONYMOUS_WRITES, loadTrace, sameKindShare, traceTable } from '../../src/trace/index.ts'
import * as op from '../../src/trace/opcodes.ts'
import { runReference } from './reference.ts'
import { randomOrder } from './schedule.ts'

const httpd = fileURLToPath(new URL('fixtures/httpd-small.script.gz', import.meta.url))

test('a real recording is read whole: no call is passed over and no event is unknown', () => {
  const { program } = loadTrace(httpd)
  expect(program.streams.map(({ tid }) => tid)).toEqual([7010, 7012, 7013, 7014, 7015, 7016, 7024])
  expect(program.passedOver).toEqual([])
  expect([...program.unknownEvents]).toEqual([])
  expect(
    program.streams.flatMap((stream) => stream.operations).filter(({ kind }) => kind === op.TRACE_FORK),
  ).toHaveLength(6)
})

test('its addresses fit in page numbers of 21 bits', () => {
  const { blob } = loadTrace(httpd, 21)
  expect(blob[op.trace_header$words]).toBe(blob.length)
})

test.each([
  [1, 0],
  [2, 0.99],
  [3, 1],
])(
  'a model of page tables replays it in any permitted order (seed %i): the same kinds, no signal',
  (seed, stubborn) => {
    const { program } = loadTrace(httpd)
    const table = traceTable(program, runReference(program, randomOrder(program, seed, stubborn)))
    const row = table.rows.find(({ recorded }) => recorded === ANONYMOUS_WRITES)!
    expect(row.faults).toBeGreaterThan(300)
    expect(sameKindShare(row)).toBeGreaterThanOrEqual(0.95)
    expect(table.rows.reduce((sum, { signal }) => sum + signal, 0)).toBe(0)
    expect(table.failedCalls).toEqual([])
  },
)
