import { expect, test } from 'vitest'
import { drawCalls } from '../../../validation/kernel/calls.ts'
import { disagreement, shrinkCalls } from '../../../validation/kernel/compare.ts'
import type { Outcome, Outcomes } from '../../../validation/kernel/outcome.ts'

const calls = drawCalls(2, 3)
const outcome: Outcome = { result: 0, fault: false, signal: 0, value: 0 }
const mapping = { process: 0, start: 0, end: 4, rss: 1, anonymous: 1, flags: 'rd wr' }
const same: Outcomes = { calls: [outcome, outcome, outcome], mappings: [mapping] }

test('the first call that came out otherwise is named', () => {
  const other = { ...same, calls: [outcome, { ...outcome, fault: true }, { ...outcome, result: -12 }] }
  expect(disagreement(calls, same, same)).toBeUndefined()
  const found = disagreement(calls, same, other)
  expect(found?.call).toBe(1)
  expect(found?.text).toMatch(/^call 1, process 0: \w+ .*"fault":false.*the model .*"fault":true/)
})

test.each([
  ['boundary', { end: 5 }],
  ['rss', { rss: 2 }],
  ['flags', { flags: 'ac rd wr' }],
])('a mapping with another %s is named', (_, part) => {
  const found = disagreement(calls, same, { ...same, mappings: [{ ...mapping, ...part }] })
  expect(found).toMatchObject({ call: undefined })
})

test('a mapping that only one of them has is named', () => {
  expect(disagreement(calls, same, { ...same, mappings: [] })?.text).toMatch(/the model nothing$/)
})

test('calls are left out as long as they still differ, and a process keeps its fork', () => {
  const many = drawCalls(4, 150)
  const last = many.findLast(({ process }) => process !== 0)!
  const few = shrinkCalls(many, (some) => some.includes(last))
  expect(few).toHaveLength(1 + few.filter(({ kind }) => kind === 7).length)
  expect(few.at(-1)).toBe(last)
})
