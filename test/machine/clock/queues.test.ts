import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LineQueues } from '../../../src/machine/clock/queues.ts'

const CPUS = 6
const LINES = 3

/** Draws the last of those that wait. */
const lastOf = (bound: number): number => bound - 1

test('who is next is drawn, not who came first', () => {
  const queues = new LineQueues(LINES, CPUS, lastOf)
  for (const cpu of [3, 1, 4]) queues.join(2, cpu)
  expect(queues.call(2)).toBe(4)
  queues.join(2, 5)
  expect([queues.isNext(2, 4), queues.isNext(2, 5)]).toEqual([true, false])
  expect(queues.serve(2)).toBe(true)
  expect(queues.call(2)).toBe(5)
})

test('a draw is among those that wait for this line', () => {
  const bounds: number[] = []
  const queues = new LineQueues(LINES, CPUS, (bound) => (bounds.push(bound), 0))
  for (const cpu of [0, 1, 2]) queues.join(1, cpu)
  queues.join(0, 3)
  queues.call(1)
  queues.serve(1)
  queues.call(1)
  expect(bounds).toEqual([3, 2])
})

test('a CPU that finds nobody waiting has its turn at once', () => {
  const queues = new LineQueues(LINES, CPUS, lastOf)
  queues.begin(1, 2)
  queues.join(1, 0)
  expect([queues.isNext(1, 2), queues.isNext(1, 0)]).toEqual([true, false])
  expect(queues.serve(1)).toBe(true)
})

test('a line whose waiters have all been served has no queue', () => {
  const queues = new LineQueues(LINES, CPUS, lastOf)
  queues.join(0, 1)
  expect(queues.isEmpty(0)).toBe(false)
  queues.call(0)
  expect(queues.serve(0)).toBe(false)
  expect([queues.isEmpty(0), queues.isNext(0, 1)]).toEqual([true, false])
})

test('whoever joins is served once, at the line it wants', () => {
  const step = fc.record({
    cpu: fc.nat(CPUS - 1),
    line: fc.nat(LINES - 1),
    serves: fc.boolean(),
    draw: fc.nat(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      let drawn = 0
      const queues = new LineQueues(LINES, CPUS, (bound) => drawn % bound)
      const wanted = new Map<number, number>()
      const next = new Map<number, number>()
      for (const { cpu, line, serves, draw } of steps) {
        drawn = draw
        if (!serves) {
          if (wanted.has(cpu)) continue
          const first = queues.isEmpty(line)
          expect(first).toBe(![...wanted.values()].includes(line))
          queues.join(line, cpu)
          wanted.set(cpu, line)
          if (first) next.set(line, queues.call(line))
        } else {
          const served = next.get(line)
          if (served === undefined) continue
          expect(wanted.get(served)).toBe(line)
          expect(queues.isNext(line, served)).toBe(true)
          wanted.delete(served)
          if (queues.serve(line)) next.set(line, queues.call(line))
          else next.delete(line)
        }
      }
    }),
  )
})
