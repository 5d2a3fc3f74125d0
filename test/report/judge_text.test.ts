// The text of a judgement, from a document.
import { describe, expect, test } from 'vitest'
import type { Judged, JudgeReport } from '../../src/judge/report.ts'
import { formatJudge } from '../../src/report/judge_text.ts'

const HELD: Judged = {
  name: 'my-lock.ts',
  kind: 'design',
  verdict: 'held',
  hunt: {
    ...{ seconds: 60, rounds: 2, executions: 320, learning: 80, steps: 9000, distinctSchedules: 300 },
    scenarios: [
      { scenario: 'same-page', settings: [], reaches: true, executions: 320, rounds: 2, verdict: 'held' },
      { scenario: 'lock-torture', settings: [], reaches: false, executions: 64, rounds: 1, verdict: 'held' },
    ],
    left: ['exec', 'oom'],
    refused: [{ scenario: 'vma-lock', why: 'there is no room for it' }],
    places: { reached: ['my-lock.ts:3', 'my-lock.ts:4'], unreached: ['my-lock.ts:9'] },
    conflictPairs: 1200,
    fresh: { executions: 256, pairs: 64 },
  },
  runs: [],
  scale: [
    {
      ...{ load: 'faults', scenario: 'page-fault-disjoint', topology: 'milan' },
      curves: [
        { name: 'my-lock.ts', points: [{ cpus: 64, operationsPerSecond: 500 }] },
        { name: 'pmd', points: [{ cpus: 64, operationsPerSecond: 1000 }] },
        { name: 'mm', points: [{ cpus: 64, operationsPerSecond: 400 }] },
      ],
    },
  ],
  binds: [
    {
      ...{ load: 'faults', cpus: 64, bound: 'at 64 CPUs it waits for A' },
      lock: { class: '&mm->mmap_lock', waiting: 0.5 },
      keys: [
        { settings: 'VMA_LOCK=y', ratio: 3.5, bound: 'at 64 CPUs it waits for B' },
        { settings: 'NODES=4', ratio: 1, bound: 'at 64 CPUs it waits for A' },
      ],
    },
  ],
  memory: { machine: 0, table: 6, spinlock: 1 },
}

const report = (judged: readonly Judged[]): JudgeReport => ({
  ...{ schema: 'mmtorture/judge@1', budget: 120, seconds: 100, seed: 1, workers: 1, cpus: [64] },
  ...{ topologies: ['milan'], settings: [], judged, verdict: judged[0].verdict, command: 'mmtorture judge' },
})

describe('a verdict', () => {
  const text = formatJudge(report([HELD]), [undefined])

  test('says what was covered, and what is left', () => {
    expect(text).toContain('2 of 3 lines of it, 1,200 conflicting pairs of source lines, 300 schedules')
    expect(text).toContain('64 new pairs in 256 executions (0.250 an execution)')
    expect(text).toContain('not reached my-lock.ts:9')
    expect(text).toContain('no time for exec  oom')
    expect(text).toContain('unconcerned lock-torture')
    expect(text).toContain('refused     vma-lock: there is no room for it')
  })

  test('compares with the best of the others at each number of CPUs', () => {
    expect(text).toMatch(/^ +64 +500 +50 % +pmd +1,000$/m)
  })

  test('says what limits it, which key moves that, and what limits it then', () => {
    expect(text).toContain('faults: at 64 CPUs it waits for A')
    expect(text).toContain('VMA_LOCK=y 3.5 x, NODES=4 1 x')
    expect(text).toContain('with VMA_LOCK=y at 64 CPUs it waits for B')
  })

  test('counts the memory of a table', () => {
    expect(text).toContain("6 words (24 bytes) in each table's struct page, nothing for the machine")
  })

  test('fits on a screen, and ends in one line', () => {
    expect(text.split('\n').length).toBeLessThan(40)
    expect(text.trimEnd().split('\n').at(-1)).toBe(
      'verdict: held as far as looked; a longer --budget looks further',
    )
  })
})

test('no key moves what limits it', () => {
  const still = { ...HELD.binds[0], keys: [HELD.binds[0].keys[1]] }
  expect(formatJudge(report([{ ...HELD, binds: [still] }]), [undefined])).toContain(
    'no key moves that: NODES=4 1 x',
  )
})

test('of a violation the text of its hunt follows, and nothing is said to have had no time', () => {
  const violated: Judged = { ...HELD, verdict: 'violated', failed: 'hunt', scale: [], binds: [] }
  const text = formatJudge(report([violated]), ['violation of lockdep in execution 3\n'])
  expect(text).toContain('\n\nviolation of lockdep in execution 3\n\nverdict: violated')
  expect(text).not.toContain('no time for')
})

test('a point that could not go on has no figure, but says why and how to hunt it', () => {
  const [faults] = HELD.scale
  const deadlock = {
    ...{ cpus: 64, operationsPerSecond: 0, failure: 'deadlock: no CPU can go on', violated: true as const },
    hunt: 'mmtorture hunt fork-storm',
  }
  const scale = [{ ...faults, curves: [{ name: HELD.name, points: [deadlock] }, faults.curves[1]] }]
  const text = formatJudge(report([{ ...HELD, verdict: 'violated', failed: 'scale', scale }]), [undefined])
  expect(text).toMatch(/^ +64 +-$/m)
  expect(text).toContain('64 CPUs: deadlock: no CPU can go on')
  expect(text).toContain('to hunt it: mmtorture hunt fork-storm')
  expect(text).toMatch(/verdict: violated in a point of scale\n$/)
})

test('several are told apart in the last line', () => {
  const other: Judged = { ...HELD, name: 'other.ts', verdict: 'inconclusive' }
  expect(formatJudge(report([HELD, other]), [undefined, undefined])).toMatch(
    /verdict: held: my-lock\.ts held, other\.ts inconclusive\n$/,
  )
})
