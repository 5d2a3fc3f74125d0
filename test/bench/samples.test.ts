import { expect, test } from 'vitest'
import { interleave, median, medianRatio } from '../../bench/samples.ts'

test('the median of an even number of values is the mean of the two in the middle', () => {
  expect(median([4, 1, 3, 2])).toBe(2.5)
  expect(median([9, 1, 5])).toBe(5)
})

test('there is no median of nothing', () => {
  expect(median([])).toBeNaN()
})

test('measurements take turns, and rounds of warm-up do not count', async () => {
  const order: string[] = []
  const take = (name: string) => (): number => order.push(name)
  const samples = await interleave(2, 1, { a: take('a'), b: take('b') })
  expect(order).toEqual(['b', 'a', 'a', 'b', 'b', 'a'])
  expect(samples).toEqual({ a: [3, 6], b: [4, 5] })
})

test('a ratio compares the samples of one round with each other', () => {
  expect(medianRatio([2, 20, 9], [1, 10, 3])).toBe(2)
})
