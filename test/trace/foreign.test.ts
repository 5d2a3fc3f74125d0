// Small recordings, each of something that real programs do and that a replay has to get right.
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parseConfig } from '../../src/kbuild/config.ts'
import { traceRun } from '../../src/run/trace_run.ts'
import { runScenario, type RunResult } from '../../src/run/scenario.ts'
import { differenceText, type TraceTable } from '../../src/trace/index.ts'

const SCENARIO = fileURLToPath(new URL('../../scenarios/trace-replay.ts', import.meta.url))

async function replay(name: string): Promise<{ result: RunResult; table: TraceTable }> {
  const path = fileURLToPath(new URL(`fixtures/${name}.script`, import.meta.url))
  const { table, ...options } = traceRun(path, parseConfig([]), true)
  const run = { scenario: SCENARIO, patches: [], cpus: 1, seconds: Infinity, seed: 1, warmup: 0 }
  const result = await runScenario({ ...run, ...options })
  return { result, table: table()! }
}

/** The columns of the rows that have faults: faults, then those of the same kind. */
function kinds({ rows }: TraceTable): Record<string, [number, number]> {
  return Object.fromEntries(
    rows.filter(({ faults }) => faults > 0).map((row) => [row.recorded, [row.faults, row.sameKind]]),
  )
}

function failed({ checks }: RunResult): string[] {
  return checks.filter(({ ok }) => ok === false).map(({ name, detail }) => `${name}: ${detail}`)
}

describe('a replay has every fault as it was recorded', () => {
  const writes = 'write faults in areas whose anonymous mmap was recorded'
  test.each<[string, string, Record<string, [number, number]>]>([
    [
      'aslr',
      'the loader is a file',
      { 'absent read': [1, 1], 'absent write': [2, 2], 'absent fetch': [1, 1] },
    ],
    ['crlf', 'lines end in CR LF', { 'absent write': [4, 4], [writes]: [4, 4] }],
    ['madv-populate', 'MADV_POPULATE_READ maps zero pages', { 'present write': [2, 2], [writes]: [2, 2] }],
    ['map-populate', 'MAP_POPULATE makes pages present', { 'present write': [4, 4], [writes]: [4, 4] }],
    [
      'merge-account',
      'VMAs with and without VM_ACCOUNT stay apart',
      { 'absent read': [2, 2], 'absent write': [1, 1], [writes]: [1, 1] },
    ],
    [
      'merge-noreserve',
      'VMAs with and without VM_NORESERVE stay apart',
      { 'absent read': [2, 2], 'absent write': [1, 1], [writes]: [1, 1] },
    ],
    [
      'mprotect-hole',
      'mprotect has changed what lies below a hole',
      { 'absent write': [2, 2], [writes]: [2, 2] },
    ],
    [
      'no-aslr',
      'without randomisation the loader is a file too',
      { 'absent read': [1, 1], 'absent write': [2, 2], 'absent fetch': [1, 1] },
    ],
    [
      'software-event',
      'samples of other events lie between',
      { 'absent read': [2, 2], 'absent write': [1, 1], [writes]: [1, 1] },
    ],
  ])('%s: %s', async (name, _, expected) => {
    const { result, table } = await replay(name)
    expect(kinds(table)).toEqual(expected)
    expect(failed(result)).toEqual([])
    expect(table.failedCalls).toEqual([])
    expect(table.differences.count).toBe(0)
  })
})

test('samples of other events are counted by name', async () => {
  const { table } = await replay('software-event')
  expect(table.unknownEvents).toEqual([{ name: 'cpu-clock', count: 1 }])
})

test('a fault in kernel mode that was not allowed is EFAULT of the call, no signal', async () => {
  const { result, table } = await replay('kernel-efault')
  const row = table.rows.find(({ recorded }) => recorded === 'absent write')!
  expect(row.passedOver).toEqual([
    { why: 'a fault in kernel mode: the call returned EFAULT, no signal', count: 1 },
  ])
  expect(failed(result)).toEqual([])
})

test('shared memory that mremap made larger ends where its object does', async () => {
  const { result, table } = await replay('shared-mremap')
  const row = table.rows.find(({ recorded }) => recorded === 'absent write')!
  expect(row).toMatchObject({ faults: 2, sameKind: 1, signal: 0 })
  expect(row.passedOver).toEqual([{ why: 'a SIGBUS in the recording as well', count: 1 }])
  expect(failed(result)).toEqual([])
})

test('faults of areas with something that is not modelled are shown apart and do not count', async () => {
  const { result, table } = await replay('madv-hugepage')
  expect(kinds(table)).toEqual({ 'faults in areas with MADV_HUGEPAGE, not modelled': [2, 1] })
  expect(table.calls).toEqual([{ what: 'madvise', why: 'MADV_HUGEPAGE is not modelled', count: 1 }])
  expect(failed(result)).toEqual([])
})

test('what 6.1 refuses and a later kernel did is named with its call and its line', async () => {
  const { result, table } = await replay('mremap-many-vmas')
  const call = 'line 6: mremap: in the recording it succeeded, in the model it failed with errno 14'
  expect(table.differences.first.map(differenceText)).toEqual([
    call,
    'line 8: absent read: in the model a SIGSEGV',
  ])
  expect(failed(result)).toEqual([
    `trace signals: 1 fault ended in a signal that the recording does not have; what differed first: ${call}`,
  ])
})
