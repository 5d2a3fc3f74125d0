import { describe, expect, it } from 'vitest'
import { TableHolders } from '../../../src/checks/steps/table_holders.ts'
import type { KernelSymbols } from '../../../src/inspect/symbols.ts'

const PGTABLES = 1000
const TABLE = PGTABLES + 8

function holders(range: 0 | 1): TableHolders {
  const symbols = { PGTABLES, NR_PAGES: 4, PTRS_PER_TABLE: 8, PTL_RANGE: range }
  return new TableHolders(symbols as unknown as KernelSymbols)
}

describe('the holders of a table whose lock covers all of it', () => {
  it('are in conflict whichever entries they asked for', () => {
    const held = holders(0)
    held.take(TABLE, 0, 1, true, 3)
    expect(held.writerOf(TABLE + 5)).toBe(4)
    expect(held.conflict(TABLE, 5, 6, false)).not.toBe(0)
    expect(held.conflict(TABLE + 8, 0, 8, true)).toBe(0)
  })
})

describe('the holders of ranges', () => {
  it('are in conflict only where the ranges overlap, and the first such entry is named', () => {
    const held = holders(1)
    held.take(TABLE, 2, 5, true, 0)
    expect(held.conflict(TABLE, 0, 2, true)).toBe(0)
    expect(held.conflict(TABLE, 5, 8, true)).toBe(0)
    expect(held.conflict(TABLE, 0, 8, false)).toBe(TABLE + 2)
  })

  it('share as readers, and keep a writer out until the last has gone', () => {
    const held = holders(1)
    held.take(TABLE, 0, 1, false, 0)
    held.take(TABLE, 0, 1, false, 1)
    expect(held.conflict(TABLE, 0, 1, false)).toBe(0)
    held.drop(TABLE, 0, 1, false)
    expect(held.conflict(TABLE, 0, 1, true)).toBe(TABLE)
    held.drop(TABLE, 0, 1, false)
    expect(held.conflict(TABLE, 0, 1, true)).toBe(0)
  })

  it('hold nothing that they did not take', () => {
    const held = holders(1)
    held.take(TABLE, 0, 2, true, 1)
    expect(held.notHeld(TABLE, 0, 2, true, 1)).toBe(0)
    expect(held.notHeld(TABLE, 0, 3, true, 1)).toBe(TABLE + 2)
    expect(held.notHeld(TABLE, 0, 2, true, 0)).toBe(TABLE)
    expect(held.notHeld(TABLE, 0, 1, false, 1)).toBe(TABLE)
  })

  it('are forgotten with the execution', () => {
    const held = holders(1)
    held.take(TABLE, 0, 8, true, 1)
    for (const part of held.rewinds) part.rewind()
    expect(held.conflict(TABLE, 0, 8, true)).toBe(0)
  })
})
