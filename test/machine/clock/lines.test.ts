import { describe, expect, test } from 'vitest'
import { ClockFigures } from '../../../src/machine/clock/figures.ts'
import { Lines } from '../../../src/machine/clock/lines.ts'
import { CACHE, HIT, LLC, MEMORY, UPGRADE } from '../../../src/machine/clock/observer.ts'
import { compileTopology } from '../../../src/machine/clock/topology.ts'
import { SMALL } from './clock.ts'

const LINES = 4096
const make = (): Lines => new Lines(LINES, compileTopology(SMALL, 1, 8), new ClockFigures(LINES))

describe('a read', () => {
  test('of a line that nobody has comes from memory, and is exclusive', () => {
    const lines = make()
    expect(lines.read(0, 7)).toBe(90_000)
    expect(lines.source).toBe(MEMORY)
    expect(lines.owner[7]).toBe(0)
  })

  test("of another CPU's line costs the distance, and both share it", () => {
    const lines = make()
    lines.write(0, 7)
    expect(lines.read(2, 7)).toBe(50_000)
    expect(lines.source).toBe(CACHE + 1)
    expect([lines.has(0, 7), lines.has(2, 7), lines.owner[7]]).toEqual([true, true, -1])
  })

  test('of a line that a CPU of the same last-level cache shares comes from there', () => {
    const lines = make()
    lines.write(0, 7)
    lines.read(2, 7)
    expect(lines.read(3, 7)).toBe(12_000)
    expect(lines.source).toBe(LLC)
  })

  test('of a line that is shared on the other side only costs the distance of a shared line', () => {
    const lines = make()
    lines.write(0, 7)
    lines.read(1, 7)
    expect(lines.read(4, 7)).toBe(200_000)
  })
})

describe('a write', () => {
  test('of a line that others share takes their copies, at the cost of the furthest', () => {
    const lines = make()
    lines.write(0, 7)
    lines.read(1, 7)
    expect(lines.write(0, 7)).toBe(30_000)
    expect(lines.source).toBe(UPGRADE)
    lines.read(1, 7)
    lines.read(4, 7)
    expect(lines.write(0, 7)).toBe(200_000)
    expect([lines.has(1, 7), lines.has(4, 7), lines.owner[7]]).toEqual([false, false, 0])
  })

  test('of a copy that is the only one left is a hit', () => {
    const lines = make()
    lines.read(0, 7)
    lines.read(1, 7)
    // CPU 1's copy goes when other lines take its place.
    for (let line = 7; lines.has(1, 7); line += 16) lines.read(1, line + 16)
    expect([lines.has(0, 7), lines.owner[7]]).toEqual([true, -1])
    expect(lines.write(0, 7)).toBe(2_000)
    expect(lines.source).toBe(HIT)
  })

  test("of another CPU's line costs what a store there does", () => {
    const lines = make()
    lines.write(0, 7)
    expect(lines.write(1, 7)).toBe(25_000)
    expect(lines.has(0, 7)).toBe(false)
  })

  test('of all of a line fetches nothing', () => {
    const figures = new ClockFigures(LINES)
    const lines = new Lines(LINES, compileTopology(SMALL, 1, 8), figures)
    lines.claim(3, 7)
    expect([lines.owner[7], figures.memoryFetches, figures.transfers]).toEqual([3, 0, 0])
  })
})

describe('a line on its way', () => {
  test('stays where it was until it arrives', () => {
    const lines = make()
    lines.write(0, 7)
    expect(lines.fetch(2, 7, true)).toBe(50_000)
    expect([lines.owner[7], lines.has(2, 7)]).toEqual([0, false])
    lines.arrive(2, 7, true)
    expect([lines.owner[7], lines.has(0, 7)]).toEqual([2, false])
  })

  test('is shared with those that have it when it arrives', () => {
    const lines = make()
    lines.fetch(0, 7, false)
    lines.write(1, 7)
    lines.arrive(0, 7, false)
    expect([lines.owner[7], lines.has(0, 7), lines.has(1, 7)]).toEqual([-1, true, true])
  })
})

describe('caches are finite', () => {
  test('a line that had to give way comes from the last-level cache again', () => {
    const lines = make()
    // 128 lines in 16 sets of 8: the ninth of a set evicts the first.
    for (let line = 0; line <= 8; line++) lines.read(0, 16 * line)
    expect(lines.has(0, 0)).toBe(false)
    expect(lines.has(0, 16)).toBe(true)
    lines.read(0, 0)
    expect(lines.source).toBe(LLC)
  })

  test('what passes through takes the places of others, and its own are taken in turn', () => {
    const lines = make()
    lines.read(0, 16)
    lines.read(0, 17)
    // Set 0 of 16, eight ways.
    for (let page = 0; page < 8; page++) lines.pass(0, 64 * page, 1)
    expect([lines.has(0, 16), lines.has(0, 17)]).toEqual([false, true])
    for (let line = 1; line <= 8; line++) lines.read(0, 16 * line)
    expect([1, 2, 3, 4, 5, 6, 7, 8].every((line) => lines.has(0, 16 * line))).toBe(true)
  })

  test('and from memory once that had no place for it either', () => {
    const lines = make()
    for (let line = 0; line < 3000; line++) lines.read(0, line)
    lines.read(0, 0)
    expect(lines.source).toBe(MEMORY)
  })
})
