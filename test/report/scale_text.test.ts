import { expect, test } from 'vitest'
import { parseConfig } from '../../src/kbuild/config.ts'
import type { ScalePoint, ScaleReport } from '../../src/scale/report.ts'
import { formatScale } from '../../src/report/scale_text.ts'

const config = parseConfig(['NR_CPUS=8'])
const TIMES = { min: 0, max: 0, total: 0, average: 0 }
const LOCK = {
  ...{ class: '&mm->mmap_lock-R', acquisitions: 1, acqBounces: 0, contentions: 0, conBounces: 0 },
  ...{ waittime: TIMES, holdtime: TIMES, waiting: 0.25, holding: 0, most: 'mm 1 mmap_lock', mostShare: 1 },
}

function point(cpus: number, operationsPerSecond: number): ScalePoint {
  return {
    ...{ cpus, config, operationsPerSecond, locks: [LOCK], bound: `at ${cpus} CPUs nothing binds` },
    time: { running: 0.5, waiting: 0.25, stalled: 0.25, idle: 0 },
  }
}

function text(points: readonly ScalePoint[], more: Partial<ScaleReport> = {}): string {
  return formatScale({
    ...{ schema: 'mmtorture/scale@1', scenario: 'same-page', topology: 'milan' },
    ...{ topologyDescription: 'a box', spread: false, costs: [], seed: 1, operations: 200, lag: 0 },
    ...{ verdict: 'held', command: '', reverts: [], patches: [] },
    points,
    ...more,
  })
}

const row = (page: string, cpus: number): string[] =>
  page
    .split('\n')
    .find((line) => new RegExp(`^ +${cpus} `).test(line))!
    .trim()
    .split(/ {2,}/)

test('speedup is over one CPU', () => {
  expect(row(text([point(1, 1000), point(8, 4000)]), 8).slice(0, 3)).toEqual(['8', '4,000', '4.00'])
})

test('without a point of one CPU there is none', () => {
  expect(row(text([point(4, 1000), point(8, 4000)]), 8).slice(0, 3)).toEqual(['8', '4,000', '-'])
})

test('CPUs that are spread are said to be', () => {
  expect(text([point(1, 1000)])).not.toContain('spread')
  expect(text([point(1, 1000)], { spread: true })).toContain('CPUs spread over the machine')
})

test('what was changed in the kernel is said', () => {
  const changed = text([point(1, 1000)], { reverts: ['ptl-wrong'], patches: ['mine.patch'] })
  expect(changed).toContain('\nreverted: ptl-wrong\npatched: mine.patch\n')
  expect(text([point(1, 1000)])).not.toMatch(/reverted|patched/)
})
