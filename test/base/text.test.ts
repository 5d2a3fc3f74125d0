import { expect, test } from 'vitest'
import { block, count, duration, flow, percent, table, wrap } from '../../src/base/text.ts'

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

test.each([
  ['60', 60],
  ['200', 200],
  // Too narrow for a report, and no number.
  ['3', 112],
  ['wide', 112],
])('lines heed COLUMNS=%s', (columns, most) => {
  const before = process.env.COLUMNS
  process.env.COLUMNS = columns
  try {
    const words = Array.from({ length: 100 }, (_, index) => `word-${index}`)
    for (const lines of [wrap(words.join(' ')), block('label', flow(words))]) {
      const longest = Math.max(...lines.map((line) => line.length))
      expect(longest).toBeLessThanOrEqual(most)
      expect(longest).toBeGreaterThan(most - 20)
    }
  } finally {
    if (before === undefined) delete process.env.COLUMNS
    else process.env.COLUMNS = before
  }
})
