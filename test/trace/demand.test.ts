import { expect, test } from 'vitest'
import { checkFiles, memoryFor, traceDemand } from '../../src/trace/demand.ts'
import { Recording } from './recording.ts'

const P = 4096
const AT = 0x7fb6d2400000

function demandOf(recording: Recording) {
  return traceDemand(recording.program(), 512, 4)
}

function touched(pages: number, stride = P): Recording {
  const recording = new Recording().mmap(1, AT, pages * stride)
  for (let page = 0; page < pages; page++) recording.touch(1, AT + page * stride)
  return recording
}

test('pages count once, however often they are touched, and so do their tables', () => {
  const demand = demandOf(touched(10).touch(1, AT, 'present write'))
  expect(demand).toEqual({ pages: 14, allPages: 14 })
})

test('a child may write all that its parent has', () => {
  const demand = demandOf(touched(10).fork(1, 2))
  expect(demand.pages).toBe(28)
})

test('an address space that has ended needs nothing', () => {
  const one = demandOf(touched(10).fork(1, 2).exit(2))
  const three = demandOf(touched(10).fork(1, 2).exit(2).fork(1, 3).exit(3).fork(1, 4).exit(4))
  expect(three.pages).toBe(one.pages)
  expect(three.allPages).toBeGreaterThan(one.allPages)
})

test('MEMORY is the default for a small recording and more for a large one', () => {
  expect(memoryFor({ pages: 1000, allPages: 1000 })).toBe('256M')
  expect(memoryFor({ pages: 100_000, allPages: 100_000 })).toBe('512M')
})

test('MEMORY leaves room for a replay in which more lives at once than was recorded', () => {
  expect(memoryFor({ pages: 50_000, allPages: 5_000_000 })).toBe('1024M')
})

test('a recording that no machine has room for is refused', () => {
  expect(() => memoryFor({ pages: 2 ** 20, allPages: 2 ** 20 })).toThrow(
    'The trace needs about 5120M of modelled memory, a machine has at most 4096M: replay a shorter recording.',
  )
})

test('a file that is larger than the model has indices for is refused', () => {
  const recording = new Recording().mmap(1, AT, 2 ** 31, 1, 0x2, 3, 0)
  expect(() => checkFiles(recording.program())).toThrow(/524288 pages of one file/)
})
