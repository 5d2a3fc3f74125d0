// The golden report of a frozen program.
import { expect, test } from 'vitest'
import type { NecessarySwitch } from '../../src/explore/shrink.ts'
import { violationReport } from '../../src/hunt/report.ts'
import { formatViolation } from '../../src/report/hunt_text.ts'
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
