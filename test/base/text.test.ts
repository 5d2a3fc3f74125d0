import { expect, test } from 'vitest'
import { count, duration, flow, percent, table, wrap } from '../../src/base/text.ts'

test.each([
  [0, '0'],
  [999, '999'],
  [1234567, '1,234,567'],
])('%i is written %s', (value, text) => {
  expect(count(value)).toBe(text)
})

test.each([
  [0, '0 %'],
  [0.0034, '0.3 %'],
  [0.25, '25 %'],
  [1, '100 %'],
])('a share of %f is %s', (share, text) => {
  expect(percent(share)).toBe(text)
})

test.each([
  [310, '310 ns'],
  [4500, '4.5 us'],
  [2_300_000, '2.3 ms'],
  [1.5e9, '1.50 s'],
])('%f ns are %s', (ns, text) => {
  expect(duration(ns)).toBe(text)
})

test('a table aligns numbers to the right and words to the left', () => {
  expect(
    table([
      ['name', 'n'],
      ['a', '1,000'],
      ['long name', '2'],
    ]),
  ).toEqual(['name           n', 'a          1,000', 'long name      2'])
})

test('items flow into lines of at most 100 characters', () => {
  const lines = flow(Array.from({ length: 30 }, (_, index) => `item${index}`))
  expect(lines.length).toBeGreaterThan(1)
  expect(lines.every((line) => line.length <= 100)).toBe(true)
  expect(lines.join('  ').split('  ')).toHaveLength(30)
})

test('a sentence is wrapped between words', () => {
  const lines = wrap('word '.repeat(60).trim())
  expect(lines.every((line) => line.length <= 110)).toBe(true)
  expect(lines.join(' ').split(' ')).toHaveLength(60)
})
