import { describe, expect, test } from 'vitest'
import { bucketStart, percentile } from '../../src/inspect/histogram.ts'

describe('a bucket', () => {
  test.each([
    [8, 4],
    [9, 5],
    [11, 7],
    [12, 8],
    [13, 10],
    [40, 1024],
    [41, 1280],
  ])('%i begins at %i ns, a quarter of its doubling after the one before', (index, start) => {
    expect(bucketStart(index)).toBe(start)
  })
})

describe('a percentile', () => {
  test('is zero when nothing was counted', () => {
    expect(percentile(new Float64Array(160), 0.5, 0)).toBe(0)
  })

  test('is interpolated within its bucket', () => {
    const buckets = new Float64Array(160)
    buckets[40] = 10
    expect(percentile(buckets, 0.5, 5000)).toBe(1024 + 128)
  })

  test('counts the buckets below', () => {
    const buckets = new Float64Array(160)
    buckets[40] = 98
    buckets[48] = 2
    expect(percentile(buckets, 0.99, 1e6)).toBe(4096 + 512)
  })

  test('is never more than the maximum', () => {
    const buckets = new Float64Array(160)
    buckets[40] = 1
    expect(percentile(buckets, 0.99, 1030)).toBe(1030)
  })
})
