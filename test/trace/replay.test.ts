import { beforeAll, describe, expect, test } from 'vitest'
import { fileURLToPath } from 'node:url'
import { traceRun } from '../../src/run/trace_run.ts'
import { type Configuration, parseConfig } from '../../src/kbuild/config.ts'
import { runScenario, type RunResult } from '../../src/run/scenario.ts'
import { MODEL_LIMITS } from '../../src/trace/limits.ts'
import { ANONYMOUS_WRITES, sameKindShare, type TraceTable } from '../../src/trace/index.ts'
import * as op from '../../src/trace/opcodes.ts'
import { encodeProgram } from '../../src/trace/encode.ts'
import { traceTable } from '../../src/trace/table.ts'
import { Recording } from './recording.ts'

const SCENARIO = fileURLToPath(new URL('../../scenarios/trace-replay.ts', import.meta.url))
const FIXTURE = fileURLToPath(new URL('fixtures/httpd-small.script.gz', import.meta.url))
const P = 4096
const AT = 0x7fb6d2400000

interface Replay {
  result: RunResult
  table: TraceTable
}

async function replayFile(
  path: string,
  config: Configuration,
  cpus: number,
  seconds = Infinity,
  sizeMemory = true,
): Promise<Replay> {
  const { table, config: sized, ...options } = traceRun(path, config, sizeMemory)
  const run = { scenario: SCENARIO, config: sized, patches: [], cpus, seconds, seed: 1, warmup: 0 }
  const result = await runScenario({ ...run, ...options })
  return { result, table: table()! }
}

/** Replays a recording made in a test; the results are by stream and operation. */
async function replay(
  recording: Recording,
  settings: string[] = [],
): Promise<Replay & { results: number[][] }> {
  const program = recording.program()
  const bootData = encodeProgram(program, 31)
  const operations = program.streams.reduce((sum, stream) => sum + stream.operations.length, 0)
  let words: number[] = []
  const result = await runScenario({
    scenario: SCENARIO,
    config: parseConfig(settings),
    patches: [],
    cpus: 2,
    seconds: Infinity,
    seed: 1,
    warmup: 0,
    bootData,
    bootScratch: operations,
    inspect(machine) {
      const first = machine.image.symbols['BOOT_DATA']! + bootData.length
      words = [...machine.memory.subarray(first, first + operations)]
      return []
    },
  })
  let first = 0
  const results = program.streams.map((stream) => words.slice(first, (first += stream.operations.length)))
  return { result, table: traceTable(program, words), results }
}

function expectHeld({ result }: Replay): void {
  expect(result.failure).toBeUndefined()
  expect(result.checks.filter((check) => check.ok === false)).toEqual([])
  expect(result.checks.length).toBeGreaterThan(0)
}

describe('the recording of Apache', () => {
  let whole: Replay

  beforeAll(async () => {
    whole = await replayFile(FIXTURE, parseConfig([]), 4)
  })

  test('ends on its own, and every check holds', () => {
    expectHeld(whole)
    expect(whole.result.finished).toBe(true)
  })

  test('has at least 95 % of the write faults in recorded anonymous areas of the same kind', () => {
    const row = whole.table.rows.find(({ recorded }) => recorded === ANONYMOUS_WRITES)!
    expect(row.faults).toBeGreaterThan(50)
    expect(sameKindShare(row)).toBeGreaterThanOrEqual(0.95)
  })

  test('raises no signal that was not recorded, and no call fails', () => {
    expect(whole.table.rows.filter(({ signal }) => signal > 0)).toEqual([])
    expect(whole.table.failedCalls).toEqual([])
  })

  test('leaves nothing behind when it is cut short', async () => {
    const cut = await replayFile(FIXTURE, parseConfig([]), 2, 0.005)
    expectHeld(cut)
  })

  test('runs out of memory as an outcome of faults, not as a defect', async () => {
    const { config, ...options } = traceRun(FIXTURE, parseConfig(['MEMORY=1M']), false)
    expect(config.MEMORY).toBe('1M')
    const run = { scenario: SCENARIO, config, patches: [], cpus: 2, seconds: Infinity, seed: 1, warmup: 0 }
    const result = await runScenario({ ...run, bootData: options.bootData, bootScratch: options.bootScratch })
    expectHeld({ result, table: whole.table })
    expect(result.finished).toBe(true)
    expect(result.events['oom_faults']).toBeGreaterThan(0)
  })

  test('is refused with a MEMORY that it does not fit in', async () => {
    await expect(replayFile(FIXTURE, parseConfig(['MEMORY=1M']), 2, Infinity, false)).rejects.toThrow(
      /^MEMORY=1M is too small for the recording \(\d+ faults and \d+ calls found no memory\)/,
    )
  })

  test('says nothing about signals after a call that FAIL_ALLOC made fail', async () => {
    const failed = await replayFile(FIXTURE, parseConfig(['FAIL_ALLOC=200']), 2)
    expectHeld(failed)
  })

  test('chooses MEMORY by itself where the user did not', () => {
    expect(traceRun(FIXTURE, parseConfig(['MEMORY=1M']), true).config.MEMORY).toBe('256M')
  })

  test('needs no more than the limits that the kernel has', () => {
    const { symbols } = whole.result.image
    for (const name of ['NR_TASKS', 'NR_MMS', 'NR_ADDRESS_SPACES', 'XA_INDICES'] as const)
      expect([name, symbols[name]]).toEqual([name, MODEL_LIMITS[name]])
  })
})

describe('a replayed task', () => {
  test('finds a page absent at first, present when it writes after reading, and then not at all', async () => {
    const recording = new Recording()
      .mmap(1, AT, 4 * P)
      .touch(1, AT, 'absent read')
      .touch(1, AT, 'present write')
      .touch(1, AT, 'present write')
    const { results } = await replay(recording)
    expect(results[0]!.slice(2)).toEqual([
      op.TRACE_RESULT_ABSENT,
      op.TRACE_RESULT_PRESENT,
      op.TRACE_RESULT_NO_FAULT,
      op.TRACE_RESULT_DONE,
    ])
  })

  test('copies on write on both sides of a fork', async () => {
    const recording = new Recording()
      .mmap(1, AT, 4 * P)
      .touch(1, AT)
      .fork(1, 2)
      .touch(1, AT, 'present write')
      .touch(2, AT, 'present write')
    const replayed = await replay(recording)
    expectHeld(replayed)
    const row = replayed.table.rows.find(({ recorded }) => recorded === 'present write')!
    expect([row.faults, row.sameKind]).toEqual([2, 2])
  })

  test('that the recording saw fail fails, and that is not counted as a signal', async () => {
    const recording = new Recording().mmap(1, AT, P, 1).touch(1, AT, 'absent write')
    const { table, results } = await replay(recording)
    expect(results[0]![2]).toBe(op.TRACE_RESULT_SEGV)
    expect(table.rows.every(({ signal }) => signal === 0)).toBe(true)
  })

  test('waits for the thread that maps what it touches', async () => {
    const recording = new Recording().thread(1, 2)
    for (let round = 0; round < 50; round++)
      recording
        .mmap(1, AT, 2 * P)
        .touch(2, AT)
        .touch(2, AT + P)
        .munmap(1, AT, 2 * P)
    const replayed = await replay(recording)
    expectHeld(replayed)
    const row = replayed.table.rows.find(({ recorded }) => recorded === 'absent write')!
    expect([row.faults, row.sameKind]).toEqual([100, 100])
  })

  test('leaves its vfork parent asleep until it executes another program, in an address space of its own', async () => {
    const recording = new Recording()
      .mmap(1, AT, P)
      .vfork(1, 2)
      .touch(2, AT)
      .exec(2)
      .mmap(2, AT, P)
      .touch(2, AT)
      .exit(2)
      .touch(1, AT, 'present write')
    const { table, results } = await replay(recording)
    // The child touched the page for both, so the parent finds it there.
    expect(results[0]).toContain(op.TRACE_RESULT_NO_FAULT)
    expect(table.rows.find(({ recorded }) => recorded === 'absent write')!.sameKind).toBe(2)
  })

  test('grows and shrinks the heap that its image began with', async () => {
    const recording = new Recording().exec(1).brk(1, 0, 0x500000)
    recording.brk(1, 0x504000).touch(1, 0x503000).brk(1, 0x501000).brk(1, 0x504000).touch(1, 0x503000)
    const replayed = await replay(recording)
    expectHeld(replayed)
    expect(replayed.table.failedCalls).toEqual([])
    expect(replayed.table.rows.find(({ recorded }) => recorded === 'absent write')!.sameKind).toBe(2)
  })

  test('moves its pages with mremap', async () => {
    const recording = new Recording()
      .mmap(1, AT, 2 * P)
      .touch(1, AT)
      .mremap(1, AT, 2 * P, 4 * P, AT - 64 * P)
      .touch(1, AT - 64 * P, 'present write')
      .touch(1, AT - 61 * P)
    const { table, results } = await replay(recording)
    expect(table.failedCalls).toEqual([])
    expect(results[0]!.slice(-3)).toEqual([
      op.TRACE_RESULT_NO_FAULT,
      op.TRACE_RESULT_ABSENT,
      op.TRACE_RESULT_DONE,
    ])
  })
})
