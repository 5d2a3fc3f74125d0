import { expect, test } from 'vitest'
import { ExecutionRandom } from '../../src/step/random.ts'

test('200,000 executions of two seeds begin with different numbers', () => {
  const random = new ExecutionRandom()
  const seen = new Set<number>()
  for (const seed of [1, 2])
    for (let execution = 0; execution < 100_000; execution++) {
      random.restart(seed, execution)
      seen.add((random.next() >>> 0) * 2 ** 21 + (random.next() >>> 11))
    }
  expect(seen.size).toBe(200_000)
})

test('64 coin throws of 20,000 executions are 20,000 different sequences', () => {
  const random = new ExecutionRandom()
  const seen = new Set<string>()
  for (let execution = 0; execution < 20_000; execution++) {
    random.restart(7, execution)
    let bits = ''
    for (let i = 0; i < 64; i++) bits += random.below(2)
    seen.add(bits)
  }
  expect(seen.size).toBe(20_000)
})

test('below() draws all values about equally often, also as the first number of neighbouring executions', () => {
  for (const bound of [2, 3, 7, 64]) {
    const counts = new Array<number>(bound).fill(0)
    const random = new ExecutionRandom()
    const draws = 10_000 * bound
    for (let execution = 0; execution < draws; execution++)
      counts[random.restart(1, execution).below(bound)]++
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500)
  }
})

test('golden: the numbers of an execution are the same everywhere', () => {
  const random = new ExecutionRandom(1, 0)
  expect(Array.from({ length: 6 }, () => random.next())).toMatchInlineSnapshot(`
    [
      2096236407,
      -1474694886,
      584550647,
      1632518514,
      2140135208,
      -1198472186,
    ]
  `)
  random.restart(42, -3)
  expect(Array.from({ length: 6 }, () => random.below(1000))).toMatchInlineSnapshot(`
    [
      907,
      803,
      136,
      734,
      382,
      588,
    ]
  `)
})
