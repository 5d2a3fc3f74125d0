import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { AreaMap, permits } from '../../src/trace/areas.ts'
import type { Area } from '../../src/trace/areas.ts'

function area(start: number, end: number, prot = 3, file = -1, pgoff = 0): Area {
  return { start, end, prot, flags: 0x22, file, pgoff, recordedAnonymous: true }
}

const shape = (map: AreaMap) => map.areas.map(({ start, end, prot }) => [start, end, prot])

test('unmapping the middle of an area splits it', () => {
  const map = new AreaMap()
  map.map(area(10, 20, 3, 1, 100))
  map.unmap(13, 15)
  expect(shape(map)).toEqual([
    [10, 13, 3],
    [15, 20, 3],
  ])
  expect(map.find(15)?.pgoff).toBe(105)
})

test('mapping over an area replaces that part of it', () => {
  const map = new AreaMap()
  map.map(area(10, 20, 0))
  map.map(area(12, 14, 3))
  expect(shape(map)).toEqual([
    [10, 12, 0],
    [12, 14, 3],
    [14, 20, 0],
  ])
})

test('protecting changes the pages inside only', () => {
  const map = new AreaMap()
  map.map(area(10, 20, 3))
  map.protect(5, 12, 1)
  expect(shape(map)).toEqual([
    [10, 12, 1],
    [12, 20, 3],
  ])
})

test('holes are the parts without an area', () => {
  const map = new AreaMap()
  map.map(area(10, 12))
  map.map(area(15, 20))
  expect(map.holes(8, 18)).toEqual([
    [8, 10],
    [12, 15],
  ])
  expect(map.holes(15, 20)).toEqual([])
})

test('mremap moves an area and grows it', () => {
  const map = new AreaMap()
  map.map(area(10, 14))
  map.remap(10, 4, 30, 8)
  expect(shape(map)).toEqual([[30, 38, 3]])
})

test('mremap grows an area in place', () => {
  const map = new AreaMap()
  map.map(area(10, 14))
  map.remap(10, 4, 10, 6)
  expect(shape(map)).toEqual([[10, 16, 3]])
})

test('mremap shrinks an area in place', () => {
  const map = new AreaMap()
  map.map(area(10, 14))
  map.remap(10, 4, 10, 1)
  expect(shape(map)).toEqual([[10, 11, 3]])
})

test('rights decide what an access may do; PROT_NONE permits nothing', () => {
  expect([
    permits(0, 'read'),
    permits(1, 'read'),
    permits(1, 'write'),
    permits(3, 'write'),
    permits(3, 'fetch'),
  ]).toEqual([false, true, false, true, false])
})

test('any sequence of changes gives the same pages as an array of pages', () => {
  const range = fc.tuple(
    fc.nat(40),
    fc.nat(12),
    fc.constantFrom('map', 'unmap', 'protect'),
    fc.constantFrom(0, 1, 3),
  )
  fc.assert(
    fc.property(fc.array(range, { maxLength: 20 }), (steps) => {
      const map = new AreaMap()
      const pages: (number | undefined)[] = Array.from({ length: 60 })
      for (const [start, length, what, prot] of steps) {
        const end = start + length
        if (what === 'map' && length > 0) map.map(area(start, end, prot))
        if (what === 'unmap') map.unmap(start, end)
        if (what === 'protect') map.protect(start, end, prot)
        for (let page = start; page < end; page++) {
          if (what === 'map') pages[page] = prot
          else if (what === 'unmap') pages[page] = undefined
          else if (pages[page] !== undefined) pages[page] = prot
        }
      }
      for (let page = 0; page < pages.length; page++) expect(map.find(page)?.prot).toBe(pages[page])
      for (let index = 1; index < map.areas.length; index++) {
        expect(map.areas[index]!.start).toBeGreaterThanOrEqual(map.areas[index - 1]!.end)
      }
    }),
  )
})
