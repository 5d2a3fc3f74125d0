import { expect, test } from 'vitest'
import { formatRatio, formatSummary } from '../../bench/format.ts'
import { ratio } from '../../bench/ratio.ts'

test('a ratio that must be large is met from its target on', () => {
  expect(ratio('faults', 6, 'at least', 6, '').met).toBe(true)
  expect(ratio('faults', 5.99, 'at least', 6, '').met).toBe(false)
})

test('a ratio that must be small is met up to its target', () => {
  expect(ratio('fork', 1, 'at most', 1, '').met).toBe(true)
  expect(ratio('fork', 1.01, 'at most', 1, '').met).toBe(false)
})

test('the text of a ratio shows figure, target and what it was made of', () => {
  expect(formatRatio(ratio('boot', 1234.5, 'at most', 1000, 'of 3', 'ms'))).toBe(
    'NOT MET boot\n        1235 ms (target: at most 1000 ms); of 3\n',
  )
})

test('a ratio without a figure says why', () => {
  expect(formatRatio(ratio('fork', Number.NaN, 'at most', 1, 'no C compiler'))).toBe(
    'skipped fork\n        no C compiler\n',
  )
})

test('the summary leaves skipped ratios out of the count and warns of a busy machine', () => {
  const results = [ratio('a', 2, 'at least', 1, ''), ratio('b', Number.NaN, 'at least', 1, 'no C compiler')]
  expect(formatSummary(results, 12, 1, 2)).toBe('1 of 1 targets met, 1 skipped, in 12 s.\n')
  expect(formatSummary(results, 12, 9, 2)).toContain('busy with something else (load 9.0 on 2 cores)')
})
