import { expect, test } from 'vitest'
import { figureOf, isNoisy } from '../../src/calibrate/figure.ts'

test('a figure has the median and the quartiles, in whatever order the samples come', () => {
  expect(figureOf([5, 1, 4, 2, 3])).toEqual({ median: 3, low: 2, high: 4, rounds: 5 })
  expect(figureOf([2, 1])).toEqual({ median: 1.5, low: 1.25, high: 1.75, rounds: 2 })
})

test('one round far off does not make a figure noisy, half of them do', () => {
  expect(isNoisy(figureOf([10, 10, 10, 10, 1000]))).toBe(false)
  expect(isNoisy(figureOf([10, 10, 14, 14]))).toBe(true)
})
