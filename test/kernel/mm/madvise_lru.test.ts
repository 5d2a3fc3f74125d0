// src/kernel/mm/madvise_lru.ts on one CPU: MADV_PAGEOUT and MADV_FREE, page by page.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  BASE,
  type Filled,
  filled,
  filledWith,
  FREE,
  NO_PROGRAM,
  PAGEOUT,
  PAGES,
  PRIVATE_FIXED,
  READ,
} from '../filled.ts'

const EINVAL = 22
const ENOMEM = 12

let m: Filled
let k: Filled['kernel']

beforeEach(async () => {
  m = await filled()
  k = m.kernel
  k.sys_swapon(32, 0)
  k.set_page_cluster(0)
})

afterEach(() => expect(m.failing()).toEqual([]))

describe('MADV_PAGEOUT', () => {
  it('gives up the pages of the range and no others', () => {
    expect(k.sys_madvise(BASE + 2, 3, PAGEOUT)).toBe(0)
    expect(m.swapped()).toEqual([2, 3, 4])
  })

  it('leaves pages that another process maps, too', () => {
    m.become(m.task(k.sys_fork(NO_PROGRAM) as number))
    k.user_store(BASE, 0, 1)
    m.pageOut()
    expect(m.swapped()).toEqual([0])
  })

  it('takes pages whatever they were used for', () => {
    m.values()
    m.pageOut()
    m.values()
    m.pageOut()
    expect(m.swapped()).toHaveLength(PAGES)
  })

  it('says that a part of the range is not mapped, and gives up the rest', () => {
    expect(k.sys_madvise(BASE, PAGES + 1, PAGEOUT)).toBe(-ENOMEM)
    expect(m.swapped()).toHaveLength(PAGES)
  })
})

describe('MADV_FREE', () => {
  const lazy = (addr: number): boolean => (m.flags(m.page(addr)) & m.symbols.PG_swapbacked) === 0

  it('makes pages clean and old, and puts them where clean pages of files are', () => {
    k.sys_madvise(BASE, 2, FREE)
    k.lru_add_drain()
    expect([lazy(BASE), lazy(BASE + 1), lazy(BASE + 2)]).toEqual([true, true, false])
    expect(m.pte(BASE) & (m.symbols._PAGE_DIRTY | m.symbols._PAGE_ACCESSED)).toBe(0)
    expect(m.flags(m.page(BASE)) & m.symbols.PG_dirty).toBe(0)
    expect(m.event('PGLAZYFREE')).toBe(2)
  })

  it('neither locks a page that only its entry knows to be dirty, nor looks who else maps it', () => {
    k.sys_fork(NO_PROGRAM)
    const locked = m.page(BASE)
    m.memory[locked + m.symbols.page$flags] |= m.symbols.PG_locked
    k.sys_madvise(BASE, 1, FREE)
    expect(m.pte(BASE) & m.symbols._PAGE_DIRTY).toBe(0)
    m.memory[locked + m.symbols.page$flags] &= ~m.symbols.PG_locked
  })

  it('leaves a dirty page that somebody has locked', () => {
    const locked = m.page(BASE)
    m.memory[locked + m.symbols.page$flags] |= m.symbols.PG_locked | m.symbols.PG_dirty
    k.sys_madvise(BASE, 1, FREE)
    expect(m.pte(BASE) & m.symbols._PAGE_DIRTY).not.toBe(0)
    m.memory[locked + m.symbols.page$flags] &= ~m.symbols.PG_locked
  })

  it('leaves pages that another process maps, too', () => {
    k.sys_fork(NO_PROGRAM)
    k.sys_madvise(BASE, PAGES, FREE)
    k.lru_add_drain()
    m.pageOut()
    expect(m.values()).toEqual(filledWith())
  })

  it('leaves a page that another process maps dirty, though no entry says so', () => {
    m.pageOut()
    m.values()
    const child = m.task(k.sys_fork(NO_PROGRAM) as number)
    k.sys_madvise(BASE, PAGES, FREE)
    k.lru_add_drain()
    k.sys_memory_reclaim(PAGES)
    k.sys_memory_reclaim(PAGES)
    m.become(child)
    expect(m.values()).toEqual(filledWith())
  })

  it('takes a page out of the swap cache first', () => {
    m.pageOut(1)
    k.user_load(BASE, 0)
    const page = m.page(BASE)
    expect(m.flags(page) & m.symbols.PG_swapcache).not.toBe(0)
    k.sys_madvise(BASE, 1, FREE)
    k.lru_add_drain()
    expect(m.flags(page) & (m.symbols.PG_swapcache | m.symbols.PG_dirty)).toBe(0)
    expect(lazy(BASE)).toBe(true)
  })

  it('lets a page be swapped again once it is written', () => {
    k.sys_madvise(BASE, 1, FREE)
    k.lru_add_drain()
    k.user_store(BASE, 0, 7)
    m.pageOut(1)
    expect(lazy(BASE)).toBe(false)
    m.pageOut(1)
    expect(m.swapped()).toEqual([0])
    expect(k.user_load(BASE, 0)).toBe(7)
  })

  it('is not for pages of a file', () => {
    const file = k.file_create(PAGES) as number
    k.sys_mmap(BASE + 64, PAGES, READ, PRIVATE_FIXED, file, 0)
    expect(k.sys_madvise(BASE + 64, 1, FREE)).toBe(-EINVAL)
  })
})
