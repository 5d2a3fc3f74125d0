import { describe, expect, test } from 'vitest'
import {
  coverageByFolder,
  covered,
  lineCoverage,
  mergeLines,
  type SourceLines,
  sourceLines,
} from '../../src/hunt/reached.ts'

const SITES = [
  { file: 'src/kernel/mm/rmap/walk.ts', line: 20 },
  { file: 'src/kernel/mm/rmap/walk.ts', line: 9 },
  { file: 'src/kernel/mm/rmap/walk.ts', line: 9 },
  { file: 'src/kernel/fork.ts', line: 3 },
  { file: 'scenarios/mine.ts', line: 7 },
]

describe('the lines of an image', () => {
  test('are reached when one of their accesses was, by setup only when no execution did', () => {
    expect(sourceLines(SITES, [2], [0, 1])).toEqual({
      'scenarios/mine.ts': { reached: [], setup: [], unreached: [7] },
      'src/kernel/fork.ts': { reached: [], setup: [], unreached: [3] },
      'src/kernel/mm/rmap/walk.ts': { reached: [9], setup: [20], unreached: [] },
    })
  })

  test('of several hunts are reached when one of them reached them', () => {
    const merged = mergeLines([sourceLines(SITES, [0], []), sourceLines(SITES.slice(0, 4), [], [0, 3])])
    expect(merged).toEqual({
      'scenarios/mine.ts': { reached: [], setup: [], unreached: [7] },
      'src/kernel/fork.ts': { reached: [], setup: [3], unreached: [] },
      'src/kernel/mm/rmap/walk.ts': { reached: [20], setup: [], unreached: [9] },
    })
  })
})

describe('coverage', () => {
  const lines: SourceLines = sourceLines(SITES, [0, 1], [3])

  test('counts lines by what reached them', () => {
    expect(lineCoverage(lines)).toEqual({ reached: 2, setup: 1, of: 4 })
  })

  test('is told by folder of the kernel', () => {
    expect(coverageByFolder(lines)).toEqual({
      scenario: { reached: 0, setup: 0, of: 1 },
      'src/kernel': { reached: 0, setup: 1, of: 1 },
      'src/kernel/mm': { reached: 2, setup: 0, of: 2 },
    })
  })

  test('reads as a count with its share', () => {
    expect(covered({ reached: 1, setup: 0, of: 4 })).toBe('1 of 4 lines (25 %)')
    expect(covered({ reached: 1, setup: 1, of: 4 })).toBe('1 of 4 lines (25 %, 50 % with setup)')
    expect(covered({ reached: 0, setup: 0, of: 0 })).toBe('0 of 0 lines')
  })
})
