import { expect, test } from 'vitest'
import { lockThroughput, peakOf } from '../../validation/markov.ts'

const A = { section: 100, refetch: 25, think: 2400 }
const D = { section: 40, refetch: 118, think: 1000 }

test('the chain gives the reference figures of ticket locks', () => {
  const at = (model: typeof A, cpus: number): string => lockThroughput(cpus, model, false).toFixed(2)
  expect([1, 8, 16, 24, 48, 128, 256].map((cpus) => at(A, cpus))).toEqual([
    '0.40',
    '3.13',
    '5.69',
    '3.81',
    '1.56',
    '0.60',
    '0.31',
  ])
  expect([4, 12, 32].map((cpus) => at(D, cpus))).toEqual(['3.74', '1.78', '0.54'])
})

test('their peaks are where the references have them', () => {
  expect([peakOf(A, 64), peakOf(D, 64)]).toEqual([18, 7])
})

test('a queue lock keeps one refetch for each hand-over', () => {
  expect(lockThroughput(64, D, true)).toBeCloseTo(1000 / 158, 1)
})
