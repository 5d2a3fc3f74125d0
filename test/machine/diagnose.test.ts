import { describe, expect, test } from 'vitest'
import { defaultConfig } from '../../src/kbuild/index.ts'
import { bugFailure, lockupFailure, setupFailure } from '../../src/machine/smp/diagnose.ts'
import type { CpuState } from '../../src/inspect/failure.ts'
import { tinyImage } from './tiny.ts'

const symbols = {
  BUG_PLAIN: 0,
  BUG_PAGE: 1,
  BUG_SCENARIO: 4,
  SETUP_TOO_MANY_TASKS: 3,
  MEMMAP: 64,
  PAGE_WORDS: 16,
  page$flags: 0,
  page$_refcount: 1,
  page$_mapcount: 2,
  page$mapping: 3,
  page$index: 4,
  PG_locked: 1,
  PG_uptodate: 4,
}
const frame = (name: string, line: number): CpuState['stack'][number] => ({
  function: name,
  file: 'src/kernel/mm/mm.ts',
  line,
  user: false,
})
const state: CpuState = {
  cpu: 0,
  ended: 'bug',
  operations: 1,
  holds: [],
  stack: [frame('VM_BUG_ON_PAGE', 3), frame('put_page', 40)],
}
const bug = (kind: number, a: number): ReturnType<typeof bugFailure> => {
  const memory = new Int32Array(256)
  memory.set([5, 2, -1, 0x71, 9], 96)
  return bugFailure({ memory, symbols }, new Int32Array(16), 0, { kind, a, b: 0 }, [state])
}

describe('a BUG', () => {
  test('names the caller of the assertion', () => {
    expect(bug(0, 0).message).toBe('CPU 0: kernel BUG at src/kernel/mm/mm.ts:40 in put_page')
  })

  test('of a page dumps the page', () => {
    expect(bug(1, 96).details.slice(0, 2)).toEqual([
      'page:0x60 refcount:2 mapcount:0 mapping:0x71 index:0x9 pfn:0x2',
      'flags: 0x5(locked|uptodate)',
    ])
  })

  test('of a scenario names its reason, and is not a violation', () => {
    expect(bug(4, 3)).toMatchObject({
      kind: 'scenario',
      message: 'the scenario cannot go on at src/kernel/mm/mm.ts:40 in put_page: SETUP_TOO_MANY_TASKS',
    })
  })
})

test('a lockup of a CPU that does not wait says so', () => {
  const { message, details } = lockupFailure(0, 10_000, [{ ...state, task: { pid: 7, mm: 1, program: 2 } }])
  expect(message).toBe('watchdog: BUG: soft lockup - CPU#0 stuck for 10s! [program 2:7]')
  expect(details).toEqual(['CPU 0: it runs and waits for nothing'])
})

describe('a setup that fails', () => {
  const image = { ...tinyImage, symbols: { ENOMEM: 12, EINVAL: 22 } }

  test('for want of memory asks for more', () => {
    expect(setupFailure(image, 4, -12).message).toBe(
      'MEMORY=256M is too small for this scenario on 4 CPUs: give it more with --config MEMORY=SIZE.',
    )
  })

  test.each([
    [64, 'MEMORY=256M is too small for this scenario on 64 CPUs: give it more with --config MEMORY=SIZE.'],
    [512, '/scenarios/tiny.ts: its setup failed with EAGAIN.'],
  ])('for want of a task, of %i, asks for more memory only where that brings more', (tasks, sentence) => {
    const symbols = { ...image.symbols, EAGAIN: 11, MOST_TASKS: 512, TASKS_WANTED: tasks }
    expect(setupFailure({ ...image, symbols }, 64, -11).message).toBe(sentence)
  })

  test('by FAIL_ALLOC asks for another number', () => {
    const config = { ...defaultConfig(), FAIL_ALLOC: 3 }
    expect(setupFailure({ ...image, config }, 4, -12).message).toMatch(/^FAIL_ALLOC=3 fails an allocation/)
  })

  test('otherwise names the error', () => {
    expect(setupFailure(image, 4, -22).message).toBe('/scenarios/tiny.ts: its setup failed with EINVAL.')
  })
})
