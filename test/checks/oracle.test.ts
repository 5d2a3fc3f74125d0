import { beforeAll, describe, expect, test } from 'vitest'
import { oracleReport } from '../../src/inspect/oracle_report.ts'
import type { KernelImage } from '../../src/kbuild/index.ts'
import { Bug, buildFixture, startFixture } from './machine.ts'

let image: KernelImage

beforeAll(async () => {
  image = await buildFixture('oracle')
})

/** Runs one case to its end; what the oracle says about it, or null if it accepts all. */
async function run(name: string): Promise<string | null> {
  const machine = await startFixture(image, image.symbols[`CASE_${name}`])
  const error = machine.kernel.scenario_setup()
  if (error !== 0) return `setup returned ${error}`
  try {
    machine.kernel.cpu_run()
    return null
  } catch (bug) {
    if (!(bug instanceof Bug) || bug.kind !== machine.s.BUG_ORACLE) throw bug
    return oracleReport(machine.oracle, bug.a, machine.symbols)
  }
}

describe('the oracle accepts', () => {
  test.each([
    ['what was stored last', 'GOOD'],
    ['0 after a discard, and stores after it', 'DISCARD'],
    ['numbers that wrap in the value', 'WRAP'],
    ['that a store with a signal stores nothing', 'SIGNAL'],
    ['a page that was moved', 'MOVED'],
    ['a child that sees what its parent had at the fork, then its own', 'FORK'],
    ['a child of a parent that has discarded', 'DISCARD_FORK'],
    ['mm_structs that are used again', 'GENERATIONS'],
    ['a shared window in which each process sees the other', 'SHARED'],
    ['a window with room for few mms', 'UNTRACKED'],
  ])('%s', async (_, name) => {
    expect(await run(name)).toBeNull()
  })
})

describe('the oracle refuses', () => {
  test.each([
    ['a store that was undone', 'STALE', /holds store number 1 of this mm; expected number 2 of this mm/],
    [
      "another word's value",
      'OTHER_WORD',
      /a value of another word \(number 5 of the window\): foreign data; expected/,
    ],
    [
      'a store that was lost',
      'LOST',
      /word 0 of page 0x[0-9a-f]+ holds 0: .* lost; expected number 1 of this mm/,
    ],
    ['a discard that nobody announced', 'UNANNOUNCED_DISCARD', /holds 0.*expected number 1 of this mm/],
    ['what should have been discarded', 'KEPT', /holds store number 1 of this mm; expected 0/],
    ['a stale value after the numbers wrapped', 'WRAP_STALE', /expected number \d+ modulo 4096 of this mm/],
    ['a value whose store raised a signal', 'NOT_STORED', /holds store number 2 of this mm/],
    [
      "its parent's later store in a child",
      'PARENT_WRITES_CHILD',
      /store number 3 of the mm it was forked from; expected number 2 from before the fork/,
    ],
    [
      "its child's store in a parent",
      'CHILD_WRITES_PARENT',
      /of another mm .*foreign data; expected number 3 of this mm/,
    ],
    ["a child's store that was lost", 'CHILD_LOSES', /holds 0.*expected number 3 of this mm/],
    [
      'an inherited value that changes',
      'INHERITED_CHANGES',
      /0: what was read here before is lost; expected number 2/,
    ],
    ["another process's stale store in a shared window", 'SHARED_STALE', /expected number 3 of this mm/],
  ])('%s', async (_, name, sentence) => {
    const said = await run(name)
    expect(said).toMatch(/^data oracle: cpu 0, task \d+, mm \d+: /)
    expect(said).toMatch(sentence)
  })
})

test.each([
  ['no pages', 'WINDOW_EMPTY', -22],
  ['more words than a page keeps', 'WINDOW_WIDE', -22],
  ['more words than the oracle has room for', 'WINDOW_LARGE', -12],
])('a window with %s is refused', async (_, name, error) => {
  expect(await run(name)).toBe(`setup returned ${error}`)
})
