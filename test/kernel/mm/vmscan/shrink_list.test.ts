// src/kernel/mm/vmscan/shrink_list.ts on one CPU: what a scan of an LRU list does with pages that are in use, and with
// those that are not.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BASE, type Filled, filled, filledWith, PAGES } from '../../filled.ts'

const LRU_INACTIVE_ANON = 0
const LRU_ACTIVE_ANON = 1

let m: Filled
let k: Filled['kernel']

beforeEach(async () => {
  m = await filled()
  k = m.kernel
  k.sys_swapon(32, 0)
  k.set_page_cluster(0)
  k.lru_add_drain()
})

afterEach(() => expect(m.failing()).toEqual([]))

/** Scans all pages of a list once; returns how many were freed. */
const scan = (lru = LRU_INACTIVE_ANON): number =>
  k.shrink_list(m.symbols.LRUVECS, lru, PAGES, PAGES) as number
/** Empties the TLB, in which an entry is as young as it was when it was loaded. */
const forget = (): void => {
  k.switch_mm(0)
  k.switch_mm(m.mm())
}
const size = (lru: number): number => m.memory[m.symbols.LRUVECS + m.symbols.lruvec$lru_size + lru]

describe('the first scan of the inactive list', () => {
  it('frees no page that was used since it was mapped, and remembers that', () => {
    expect(scan()).toBe(0)
    expect(m.swapped()).toEqual([])
    for (let i = 0; i < PAGES; i++) expect(m.flags(m.page(BASE + i)) & m.symbols.PG_referenced).not.toBe(0)
    expect(size(LRU_INACTIVE_ANON)).toBe(PAGES)
  })
})

describe('the second', () => {
  it('frees the pages that were not used since the first', () => {
    scan()
    expect(scan()).toBe(PAGES)
    expect(size(LRU_INACTIVE_ANON)).toBe(0)
    expect(m.swapped()).toHaveLength(PAGES)
    expect(m.values()).toEqual(filledWith())
  })

  it('makes a page active that was', () => {
    scan()
    forget()
    k.user_load(BASE + 2, 0)
    expect(scan()).toBe(PAGES - 1)
    expect(m.present(BASE + 2)).toBe(true)
    expect([size(LRU_INACTIVE_ANON), size(LRU_ACTIVE_ANON)]).toEqual([0, 1])
  })
})

describe('a scan of the active list', () => {
  it('makes pages inactive and their entries old, while there are more of them than of inactive ones', () => {
    scan()
    forget()
    m.values()
    scan()
    expect([size(LRU_INACTIVE_ANON), size(LRU_ACTIVE_ANON)]).toEqual([0, PAGES])
    expect(scan(LRU_ACTIVE_ANON)).toBe(0)
    expect([size(LRU_INACTIVE_ANON), size(LRU_ACTIVE_ANON)]).toEqual([PAGES, 0])
    expect(m.pte(BASE) & m.symbols._PAGE_ACCESSED).toBe(0)
    expect(scan(LRU_ACTIVE_ANON)).toBe(0)
    expect(scan()).toBe(PAGES)
  })

  it('does so with a page that somebody has locked', () => {
    scan()
    forget()
    m.values()
    scan()
    const locked = m.page(BASE)
    m.memory[locked + m.symbols.page$flags] |= m.symbols.PG_locked
    scan(LRU_ACTIVE_ANON)
    expect(m.pte(BASE) & m.symbols._PAGE_ACCESSED).toBe(0)
    m.memory[locked + m.symbols.page$flags] &= ~m.symbols.PG_locked
  })
})

describe('a page whose anon_vma somebody changes', () => {
  it('is kept, whether it was used or not, and no scan waits for it', () => {
    scan()
    const root = m.areas()[0].anonVma + m.symbols.anon_vma$rwsem
    k.down_write(root)
    expect(scan()).toBe(0)
    k.up_write(root)
    expect(size(LRU_INACTIVE_ANON)).toBe(PAGES)
    expect(scan()).toBe(PAGES)
  })
})
