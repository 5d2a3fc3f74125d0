import { describe, expect, test } from 'vitest'
import { filterSegments, segmentsOf, switchesOf } from '../../src/explore/segments.ts'

describe('the segments of a schedule', () => {
  test('count the steps that each context has announced when it stops', () => {
    expect(segmentsOf([0, 0, 2, 1, 5, 0], 9)).toEqual([
      { context: 0, until: 2 },
      { context: 1, until: 3 },
      { context: 0, until: 7 },
    ])
  })

  test('let the last context take the step it was stopped at, though it announces no more', () => {
    expect(segmentsOf([0, 0, 2, 1, 5, 0], 5)).toEqual([
      { context: 0, until: 2 },
      { context: 1, until: 3 },
      { context: 0, until: 3 },
    ])
  })

  test('of one context become one when what lay between them is left out', () => {
    const segments = segmentsOf([0, 0, 2, 1, 5, 0], 8)
    expect(filterSegments(segments, (index) => index !== 1)).toEqual([{ context: 0, until: 6 }])
  })
})

test('a switch is a change of context', () => {
  expect(switchesOf([0, 0, 3, 0, 5, 1, 9, 0])).toBe(2)
})
