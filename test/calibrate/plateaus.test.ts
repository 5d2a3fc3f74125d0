import { describe, expect, test } from 'vitest'
import { cachesOf, type Chase, plateausOf, workingSets } from '../../src/calibrate/plateaus.ts'

const KIB = 1 << 10
const MIB = 1 << 20

/** Loads of a machine whose time for a working set is `time`, three rounds each, one of them disturbed. */
function chases(most: number, time: (bytes: number) => number): Chase[] {
  return workingSets(most).map((bytes, index) => {
    const ns = time(bytes) * (1 + 0.02 * (index % 3))
    return { bytes, ns: [ns, 40 * ns, ns * 1.01] }
  })
}

/** Two levels of private cache, a last-level cache of 32 MiB that is left gradually, and memory. */
const usual = (bytes: number): number => {
  if (bytes <= 32 * KIB) return 1.5
  if (bytes <= 512 * KIB) return 4.2
  if (bytes <= 24 * MIB) return 14
  return 14 + 86 * Math.max(0, 1 - (32 * MIB) / bytes)
}

describe('working sets', () => {
  test('are two to a doubling', () => {
    expect(workingSets(20 * KIB)).toEqual([4096, 6144, 8192, 12288, 16384])
  })
})

describe('plateaus', () => {
  test('are found where the time rises, whatever single rounds say', () => {
    const found = plateausOf(chases(128 * MIB, usual))
    expect(found.map((one) => one.chases[0].bytes / KIB).slice(0, 3)).toEqual([4, 48, 768])
    expect(found.map(({ level }) => level).slice(0, 3)).toEqual([
      expect.closeTo(1.5, 1),
      expect.closeTo(4.2, 0),
      expect.closeTo(14, 0),
    ])
  })

  test('are as many as there are levels', () => {
    expect(plateausOf(chases(4 * MIB, () => 2))).toHaveLength(1)
    expect(plateausOf(chases(4 * MIB, (bytes) => (bytes <= MIB ? 2 : 90)))).toHaveLength(2)
  })

  test('of a single working set are one', () => {
    expect(plateausOf([{ bytes: 4096, ns: [2] }])).toHaveLength(1)
  })
})

describe('caches', () => {
  const median = (rounds: readonly number[] | undefined): number =>
    (rounds ?? []).toSorted((one, other) => one - other)[Math.floor((rounds?.length ?? 0) / 2)]

  test('are the private ones, the last-level cache and memory', () => {
    const { hit, llc, memory, privateBytes, llcBytes } = cachesOf(chases(256 * MIB, usual), 32 * MIB)
    expect([median(hit) / 1.5, median(llc) / 14]).toEqual([expect.closeTo(1, 1), expect.closeTo(1, 1)])
    expect(median(memory)).toBeGreaterThan(75)
    expect(privateBytes).toBe(512 * KIB)
    expect(llcBytes).toBeGreaterThan(24 * MIB)
  })

  test('show memory by the sets that are much larger than the last of them', () => {
    const slower = new Map([12, 16, 24, 32, 48, 64].map((mib, index) => [mib * MIB, 60 + 8 * index]))
    const time = (bytes: number): number => slower.get(bytes) ?? (bytes <= MIB ? 2 : 15)
    const found = cachesOf(
      workingSets(64 * MIB).map((bytes) => ({ bytes, ns: [time(bytes)] })),
      8 * MIB,
    )
    expect(found.memory).toEqual([84, 92, 100])
  })

  test('have no memory where no working set went far enough beyond the last-level cache', () => {
    const { llc, memory, privateBytes } = cachesOf(
      chases(16 * MIB, (bytes) => Math.min(usual(bytes), 14)),
      32 * MIB,
    )
    expect([median(llc) / 14, memory, privateBytes]).toEqual([expect.closeTo(1, 1), undefined, 512 * KIB])
  })

  test('that cannot be told apart are left out', () => {
    expect(
      cachesOf(
        chases(MIB, () => 2),
        0,
      ),
    ).toEqual({ hit: expect.any(Array) as number[] })
  })
})
