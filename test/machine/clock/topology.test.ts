import { describe, expect, test } from 'vitest'
import { compileTopology, cpusOf, type Topology } from '../../../src/machine/clock/topology.ts'
import { SMALL } from './clock.ts'

/** Name of the level between two CPUs. */
function between(topology: Topology, one: number, other: number, boxes = 1): string {
  const hardware = compileTopology(topology, boxes, cpusOf(topology, boxes))
  return hardware.levels[hardware.level[one * hardware.cpus + other]]
}

describe('distances', () => {
  test('are those of the smallest group that holds both', () => {
    expect([between(SMALL, 0, 1), between(SMALL, 1, 2), between(SMALL, 3, 4)]).toEqual([
      'pair',
      'socket',
      'box',
    ])
  })

  test('between boxes are the largest', () => {
    expect(between(SMALL, 0, 8, 2)).toBe('box')
    expect(between(SMALL, 8, 9, 2)).toBe('pair')
  })

  test('of groups come from the matrix', () => {
    const distance = [
      ['pair', 'near', 'far'],
      ['near', 'pair', 'near'],
      ['far', 'near', 'pair'],
    ]
    const levels = [
      { name: 'pair', cpus: 2, load: 20 },
      { name: 'near', load: 50 },
      { name: 'far', load: 80 },
    ]
    const hops: Topology = { ...SMALL, cpus: 6, levels, between: { cpus: 2, distance } }
    expect([between(hops, 0, 1), between(hops, 1, 2), between(hops, 5, 0)]).toEqual(['pair', 'near', 'far'])
  })

  test('of threads are those of Linux numbers: first all cores, then their second threads', () => {
    const threaded: Topology = { ...SMALL, threads: 2 }
    expect([between(threaded, 0, 4), between(threaded, 0, 1)]).toEqual(['pair', 'socket'])
  })
})

describe('CPUs that are spread', () => {
  const hardware = compileTopology(SMALL, 2, 16, true)
  const between = (one: number, other: number): string =>
    hardware.levels[hardware.level[one * hardware.cpus + other]]

  test('lie in groups where the fewest are, the largest groups first', () => {
    // Two boxes, two sockets a box, two pairs a socket, two CPUs a pair.
    expect([between(0, 1), between(0, 2), between(0, 4), between(0, 8)]).toEqual([
      'box',
      'box',
      'socket',
      'pair',
    ])
  })

  test('have each its own place', () => {
    for (let one = 0; one < 16; one++) {
      const pairs = Array.from({ length: 16 }, (_, other) => other).filter(
        (other) => other !== one && between(one, other) === 'pair',
      )
      expect(pairs).toHaveLength(1)
    }
  })
})

test('cycles become picoseconds', () => {
  const { load } = compileTopology({ ...SMALL, unit: 'cycles', ghz: 2 }, 1, 2)
  expect(load[0]).toBe(10_000)
})

test('costs that a level leaves out are its load', () => {
  const { loadShared, store, storeShared } = compileTopology(SMALL, 1, 8)
  expect([loadShared[0], store[0], storeShared[0]]).toEqual([15_000, 25_000, 30_000])
  expect([loadShared[1], store[1], storeShared[1]]).toEqual([50_000, 50_000, 50_000])
})
