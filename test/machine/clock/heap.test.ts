import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ClockHeap } from '../../../src/machine/clock/heap.ts'

const ranks = (n: number): Uint16Array => Uint16Array.from({ length: n }, (_, cpu) => n - 1 - cpu)

function filled(times: readonly number[]): ClockHeap {
  const heap = new ClockHeap(Float64Array.from(times), ranks(times.length))
  times.forEach((_, cpu) => heap.insert(cpu))
  heap.settle()
  return heap
}

test('CPUs come in the order of their clocks, equal ones by rank', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 40 }), (times) => {
      const heap = filled(times)
      const order: number[] = []
      while (heap.size > 0) {
        order.push(heap.first)
        heap.leave()
      }
      const expected = times.map((_, cpu) => cpu).toSorted((a, b) => times[a] - times[b] || b - a)
      expect(order).toEqual(expected)
    }),
  )
})

test('the CPU that runs stays first until it settles', () => {
  const heap = filled([1, 5, 7])
  heap.clock[0] = 6
  expect(heap.first).toBe(0)
  expect(heap.second).toBe(5)
  heap.settle()
  expect(heap.first).toBe(1)
})

test('a CPU that comes in while another runs does not take its place', () => {
  const heap = new ClockHeap(Float64Array.of(10, 3), ranks(2))
  heap.insert(0)
  heap.insert(1)
  expect(heap.first).toBe(0)
  expect(heap.second).toBe(3)
})

test('nobody is second where one is alone', () => {
  expect(filled([4]).second).toBe(Infinity)
})
