// The golden report of a frozen program.
import { describe, expect, test } from 'vitest'
import type { NecessarySwitch } from '../../src/explore/shrink.ts'
import { type HuntReport, violationReport } from '../../src/hunt/report.ts'
import { defaultConfig } from '../../src/kbuild/config.ts'
import { formatHunt, formatViolation } from '../../src/report/hunt_text.ts'
import { describedProgram } from '../hunt/described.ts'

const about = {
  ...{ execution: 3, count: 1, seconds: 0.5, seed: 1 },
  schedule: [
    [0, 0],
    [1, 1],
    [4, 0],
  ] as const,
  draws: [],
  replay: 'mmtorture-out/lost.json',
  command: 'mmtorture replay mmtorture-out/lost.json',
  shrunk: {
    sizes: { cpus: 2, operations: 1, pages: 0 },
    ...{ steps: 6, switches: 2, executions: 12 },
    necessary: [
      { step: 1, from: 0, to: 1, reason: 'preempted', without: 'held' },
      { step: 4, from: 1, to: 0, reason: 'waiting' },
    ] as const,
  },
}

const description = describedProgram('lostUpdate', [
  [0, 2],
  [1, 3],
  [0, 3],
])

test('the report of the lost update', async () => {
  const report = violationReport(description, about, false)
  await expect(formatViolation(report, description, false)).toMatchFileSnapshot('fixtures/lost_update.txt')
})

test('its part of the JSON', async () => {
  const report = violationReport(description, about, false)
  await expect(`${JSON.stringify(report, null, 2)}\n`).toMatchFileSnapshot('fixtures/lost_update.json.txt')
})

test('a report ends with the command that replays it', () => {
  const text = formatViolation(violationReport(description, about, true), description, true)
  expect(text.trimEnd().split('\n').at(-1)).toBe('to replay it: mmtorture replay mmtorture-out/lost.json')
})

test('interrupts among the switches are told apart, and switches that come by themselves are one line', () => {
  const waits = (step: number, from: number, to: number): NecessarySwitch => {
    return { step, from, to, reason: 'waiting' }
  }
  const necessary = [
    { step: 1, from: 1, to: 0, reason: 'preempted', without: 'held' } as const,
    ...[waits(2, 0, 3), waits(3, 3, 0), waits(4, 0, 1)],
  ]
  const shrunk = { ...about.shrunk, switches: 4, necessary }
  const text = formatViolation(violationReport(description, { ...about, shrunk }, false), description, false)
  const lines = text.split('\n')
  const at = lines.findIndex((line) => line.startsWith('Shrunk'))
  expect(lines.slice(at, at + 3)).toEqual([
    'Shrunk to 4 switches (2 between CPUs, 1 interrupt) in 6 steps: 2 CPUs, 1 operation a task.',
    'Without switch 1 (CPU 1 to CPU 0 after step 1) everything holds.',
    'Switches 2 to 4 come by themselves, here or later.',
  ])
})

describe('the verdict', () => {
  const hunted: HuntReport = {
    ...{ schema: 'mmtorture/hunt@1', scenario: 'same-page', config: defaultConfig() },
    ...{ reverts: [], patches: [], cpus: 2, operations: 1, pages: 1, scheduler: 'dfs-1', seed: 1 },
    ...{ workers: 1, seconds: 1, executions: 399, learning: 72, executionsPerSecond: 399, steps: 10 },
    ...{ stepsPerSecond: 10, distinctSchedules: 399, sharedWords: 3, conflictPairs: 4, watched: 1 },
    ...{ lines: { reached: 1, setup: 0, of: 2 }, coverage: {}, sourceLines: {}, notReached: [] },
    ...{ retries: {}, checks: { on: [], off: [] }, notes: [], verdict: 'held', command: 'mmtorture hunt' },
  }
  const verdict = (report: Partial<HuntReport>): string[] =>
    formatHunt({ ...hunted, ...report }, [], [])
      .split('\n')
      .filter((line) => /^(verdict|to run it again):/.test(line))

  test('of an exhaustive search says that tasks drew the same in all of it', () => {
    expect(verdict({ exhausted: true })).toEqual([
      'verdict: held, 399 executions: all schedules of one set of draws',
    ])
  })

  test('of a hunt that was interrupted while it learned says so, and how far it had come', () => {
    expect(verdict({ interrupted: true, verdict: 'inconclusive', executions: 0, learning: 12 })).toEqual([
      'verdict: interrupted while learning, after 12 executions in which nothing was found',
      'to run it again: mmtorture hunt',
    ])
  })

  test('of a hunt that was interrupted later counts its executions', () => {
    expect(verdict({ interrupted: true })[0]).toBe('verdict: held (interrupted), 399 executions')
  })
})
