// src/kernel/mm/migrate.ts on one CPU: what a page keeps when it moves, and what happens where it cannot.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BASE, DONTNEED, type Filled, filled, FREE, NO_PROGRAM, PAGES, READ } from '../filled.ts'

const ENOENT = 2
const EAGAIN = 11
const ENOMEM = 12
const EFAULT = 14
const EBUSY = 16

let m: Filled
let k: Filled['kernel']

beforeEach(async () => {
  m = await filled()
  k = m.kernel
  k.lru_add_drain()
})

afterEach(() => expect(m.failing()).toEqual([]))

describe('a page that moves', () => {
  it('leaves its frame free', () => {
    const before = m.page(BASE)
    expect(k.sys_move_pages(BASE)).toBe(0)
    expect(m.page(BASE)).not.toBe(before)
    expect(m.refcount(before)).toBe(0)
    expect(m.event('PGMIGRATE_SUCCESS')).toBe(1)
  })

  it('stays dirty: what differs from its slot in the swap cache is written when it is swapped out', () => {
    k.sys_swapon(32, 0)
    k.set_page_cluster(0)
    m.pageOut(1)
    k.user_load(BASE, 0)
    k.user_store(BASE, 0, 7)
    k.lru_add_drain()
    expect(m.flags(m.page(BASE)) & m.symbols.PG_swapcache).not.toBe(0)
    expect(k.sys_move_pages(BASE)).toBe(0)
    m.pageOut(1)
    expect(m.swapped()).toEqual([0])
    expect(k.user_load(BASE, 0)).toBe(7)
  })

  it('stays exclusive: a write needs no copy', () => {
    k.sys_move_pages(BASE)
    const page = m.page(BASE)
    expect(m.flags(page) & m.symbols.PG_anon_exclusive).not.toBe(0)
    k.user_store(BASE, 0, 7)
    expect(m.page(BASE)).toBe(page)
  })

  it('stays shared: a write needs one', () => {
    const child = m.task(k.sys_fork(NO_PROGRAM) as number)
    k.sys_move_pages(BASE)
    const page = m.page(BASE)
    expect(m.refcount(page)).toBeGreaterThanOrEqual(2)
    k.user_store(BASE, 0, 7)
    expect(m.page(BASE)).not.toBe(page)
    m.become(child)
    expect(k.user_load(BASE, 0)).toBe(1000)
  })

  it('stays given up', () => {
    k.sys_madvise(BASE, 1, FREE)
    k.lru_add_drain()
    expect(k.sys_move_pages(BASE)).toBe(0)
    expect(m.flags(m.page(BASE)) & (m.symbols.PG_swapbacked | m.symbols.PG_dirty)).toBe(0)
  })

  it('may not be written where its mapping may not be any more', () => {
    k.sys_mprotect(BASE, 1, READ)
    expect(k.sys_move_pages(BASE)).toBe(0)
    expect(m.pte(BASE) & m.symbols._PAGE_RW).toBe(0)
  })
})

describe('a page that cannot move', () => {
  it.each([
    ['because somebody has a reference, is EAGAIN', false],
    ['because somebody has a reference to it in the swap cache, is EAGAIN', true],
  ])('%s, and stays as it was', (_, cached) => {
    if (cached) {
      k.sys_swapon(32, 0)
      m.pageOut(1)
      k.sys_fork(NO_PROGRAM)
      k.user_load(BASE, 0)
      k.lru_add_drain()
    }
    const before = [m.page(BASE), m.pte(BASE) & m.symbols._PAGE_RW]
    const page = before[0]
    k.get_page(page)
    expect(k.sys_move_pages(BASE)).toBe(-EAGAIN)
    k.put_page(page)
    expect([m.page(BASE), m.pte(BASE) & m.symbols._PAGE_RW]).toEqual(before)
    expect(m.flags(page) & m.symbols.PG_locked).toBe(0)
    expect(m.event('PGMIGRATE_FAIL')).toBe(1)
    expect(k.user_load(BASE, 0)).toBe(1000)
  })

  it('because there is no frame for it, is ENOMEM', () => {
    const page = m.page(BASE)
    m.failAlloc(1)
    expect(k.sys_move_pages(BASE)).toBe(-ENOMEM)
    m.failAlloc(0)
    expect(m.page(BASE)).toBe(page)
  })

  it('because somebody has it off its list, is EBUSY', () => {
    const page = m.page(BASE)
    expect(k.isolate_lru_page(page)).toBe(true)
    expect(k.sys_move_pages(BASE)).toBe(-EBUSY)
    k.putback_lru_page(page)
    expect(k.sys_move_pages(BASE)).toBe(0)
  })

  it('because it is not there, is ENOENT or EFAULT', () => {
    k.sys_madvise(BASE, 1, DONTNEED)
    expect(k.sys_move_pages(BASE)).toBe(-ENOENT)
    expect(k.sys_move_pages(BASE + PAGES)).toBe(-EFAULT)
  })
})
