// Faults on entries that are there (src/kernel/mm/memory, arch/pgtable.ts) on one CPU: accessed and dirty bits, shared
// pages that become writable, entries of a page that moves. Their races are hunted (test/reverts).
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BASE, type Filled, filled, READ, RW } from '../filled.ts'

const SHARED_FIXED = 0x11
/** Where a test maps an object. */
const OTHER = 8192
const WRITE = 1

let m: Filled
let k: Filled['kernel']

beforeEach(async () => {
  m = await filled()
  k = m.kernel
})

describe('ptep_set_access_flags', () => {
  it('says so when there is nothing to change', () => {
    expect(k.ptep_set_access_flags(m.mm(), BASE, m.ptep(BASE), m.pte(BASE), true)).toBe(false)
  })

  it('writes the entry for a write', () => {
    const dirty = m.pte(BASE)
    const clean = dirty & ~m.symbols._PAGE_DIRTY
    m.memory[m.ptep(BASE)] = clean
    expect(k.ptep_set_access_flags(m.mm(), BASE, m.ptep(BASE), dirty, true)).toBe(true)
    expect(m.pte(BASE)).toBe(dirty)
  })

  it('leaves the accessed bit of a read to the hardware walk', () => {
    const young = m.pte(BASE)
    const old = young & ~m.symbols._PAGE_ACCESSED
    m.memory[m.ptep(BASE)] = old
    expect(k.ptep_set_access_flags(m.mm(), BASE, m.ptep(BASE), young, false)).toBe(true)
    expect(m.pte(BASE)).toBe(old)
  })

  it('is asked by a fault, which counts as spurious when the entry says all that it wants', () => {
    const before = m.pte(BASE)
    k.mmap_write_lock(m.mm())
    expect(k.handle_mm_fault(k.find_vma(m.mm(), BASE), BASE, WRITE)).toBe(0)
    k.mmap_write_unlock(m.mm())
    expect(m.event('SPURIOUS_FAULTS')).toBe(1)
    expect(m.pte(BASE)).toBe(before)
  })
})

describe('wp_page_shared', () => {
  afterEach(() => expect(m.failing()).toEqual([]))

  it("makes a file's page writable and dirty in its place, and leaves it unlocked", () => {
    const file = k.file_create(1) as number
    k.sys_mmap(OTHER, 1, RW, SHARED_FIXED, file, 0)
    k.user_load(OTHER, 0)
    const page = m.page(OTHER)
    expect(m.pte(OTHER) & m.symbols._PAGE_RW).toBe(0)
    const references = m.refcount(page)
    expect(k.user_store(OTHER, 0, 7)).toBe(0)
    expect(m.page(OTHER)).toBe(page)
    expect(m.pte(OTHER) & m.symbols._PAGE_RW).not.toBe(0)
    expect(m.flags(page) & m.symbols.PG_dirty).not.toBe(0)
    expect(m.flags(page) & m.symbols.PG_locked).toBe(0)
    expect(m.refcount(page)).toBe(references)
    expect(m.event('PGREUSE')).toBe(1)
  })

  it('does so for shared memory, which needs not be asked', () => {
    const object = k.shmem_create(1) as number
    k.sys_mmap(OTHER, 1, RW, SHARED_FIXED, object, 0)
    k.user_store(OTHER, 0, 7)
    const page = m.page(OTHER)
    // mprotect flushes the TLB; here is nothing that takes the right away afterwards, as write notification would.
    k.sys_mprotect(OTHER, 1, READ)
    k.sys_mprotect(OTHER, 1, RW)
    m.memory[m.ptep(OTHER)] &= ~m.symbols._PAGE_RW
    expect(k.user_store(OTHER, 0, 8)).toBe(0)
    expect(m.page(OTHER)).toBe(page)
    expect(m.pte(OTHER) & m.symbols._PAGE_RW).not.toBe(0)
    expect(k.user_load(OTHER, 0)).toBe(8)
    expect(m.flags(page) & m.symbols.PG_locked).toBe(0)
  })
})

describe('migration_entry_wait', () => {
  const wait = (): void => {
    // What a fault knows of its PMD: the table is the one that maps BASE.
    k.migration_entry_wait(m.mm(), k.mm_find_pmd(m.mm(), BASE), BASE)
  }

  it('returns at once when the page has come meanwhile, and counts that', () => {
    wait()
    expect(m.event('RETRY_migration_entry_wait')).toBe(1)
  })

  it('returns at once when the page that moved is unlocked already', () => {
    const mapped = m.pte(BASE)
    const pfn = mapped >>> m.symbols.PFN_SHIFT
    m.memory[m.ptep(BASE)] = k.swp_entry_to_pte(
      k.make_migration_entry(m.symbols.SWP_MIGRATION_READ, pfn),
    ) as number
    wait()
    expect(m.event('RETRY_migration_entry_wait')).toBe(0)
    m.memory[m.ptep(BASE)] = mapped
    expect(m.failing()).toEqual([])
  })
})

describe('page_mapping', () => {
  it("is a file page's object, and none of an anonymous page", () => {
    const file = k.file_create(1) as number
    k.sys_mmap(OTHER, 1, RW, SHARED_FIXED, file, 0)
    k.user_load(OTHER, 0)
    expect(k.page_mapping(m.page(OTHER))).toBe(file)
    expect(k.page_mapping(m.page(BASE))).toBe(0)
  })
})
