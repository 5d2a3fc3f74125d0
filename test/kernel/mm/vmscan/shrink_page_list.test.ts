// src/kernel/mm/vmscan/shrink_page_list.ts on one CPU: which isolated page is freed and which stays. Pages come to it
// by MADV_PAGEOUT.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BASE, type Filled, filled, filledWith, FREE, NO_PROGRAM, PAGES } from '../../filled.ts'

let m: Filled
let k: Filled['kernel']

beforeEach(async () => {
  m = await filled()
  k = m.kernel
  k.sys_swapon(32, 0)
  k.set_page_cluster(0)
})

afterEach(() => expect(m.failing()).toEqual([]))

const cached = (page: number): boolean => (m.flags(page) & m.symbols.PG_swapcache) !== 0
const free = (page: number): boolean => m.refcount(page) === 0

describe('reclaim frees a page', () => {
  it('that only its mapping had, when it is written', () => {
    const page = m.page(BASE)
    m.pageOut(1)
    expect(free(page)).toBe(true)
    expect(m.event('PSWPOUT')).toBe(1)
    expect(k.user_load(BASE, 0)).toBe(1000)
  })

  it('that is still as it is in swap, without writing it again', () => {
    m.pageOut(1)
    // Read by a child, too, so that it keeps its slot.
    k.sys_fork(NO_PROGRAM)
    k.user_load(BASE, 0)
    const page = m.page(BASE)
    expect(cached(page)).toBe(true)
    m.pageOut(1)
    expect(free(page)).toBe(true)
    expect(m.event('PSWPOUT')).toBe(1)
  })

  it('that was given up, without a slot', () => {
    k.sys_madvise(BASE, 1, FREE)
    const page = m.page(BASE)
    m.pageOut(1)
    expect(free(page)).toBe(true)
    expect(m.event('PGLAZYFREED')).toBe(1)
    expect(m.event('SWAP_SLOTS_ALLOCATED')).toBe(0)
  })
})

describe('reclaim keeps a page', () => {
  it('that somebody has a reference to: its count cannot be frozen', () => {
    // Clean in the swap cache, so that the reference is all that keeps it.
    m.pageOut(1)
    k.sys_fork(NO_PROGRAM)
    k.user_load(BASE, 0)
    const page = m.page(BASE)
    k.get_page(page)
    m.pageOut(1)
    expect(cached(page)).toBe(true)
    expect(m.event('RETRY___remove_mapping')).toBe(1)
    k.put_page(page)
    expect(m.values()).toEqual(filledWith())
  })

  it('that is dirty and that somebody has a reference to: who writes it may go on', () => {
    const page = m.page(BASE)
    k.get_page(page)
    m.pageOut(1)
    expect(m.event('PSWPOUT')).toBe(0)
    expect(m.flags(page) & m.symbols.PG_dirty).not.toBe(0)
    k.put_page(page)
    expect(k.user_load(BASE, 0)).toBe(1000)
    expect(m.page(BASE)).toBe(page)
  })

  it('that was given up and that somebody has a reference to', () => {
    k.sys_madvise(BASE, 1, FREE)
    k.lru_add_drain()
    const page = m.page(BASE)
    k.get_page(page)
    m.pageOut(1)
    expect(m.event('PGLAZYFREED')).toBe(0)
    k.put_page(page)
    expect(m.page(BASE)).toBe(page)
    expect(k.user_load(BASE, 0)).toBe(1000)
  })

  it('that is locked', () => {
    const page = m.page(BASE)
    expect(k.trylock_page(page)).toBe(true)
    m.pageOut()
    k.unlock_page(page)
    expect(m.swapped()).toEqual(filledWith(1).slice(0, PAGES - 1))
    expect(m.page(BASE)).toBe(page)
  })

  it('that is being written', () => {
    const page = m.page(BASE)
    k.SetPageFlag(page, m.symbols.PG_writeback)
    m.pageOut()
    expect(m.present(BASE)).toBe(true)
    k.end_page_writeback(page)
    m.pageOut()
    expect(m.present(BASE)).toBe(false)
  })

  it('that swap has no slot for, and makes it active', () => {
    k.sys_swapoff(0)
    k.sys_swapon(2, 0)
    m.pageOut()
    expect(m.swapped()).toHaveLength(2)
    expect(m.event('PGACTIVATE')).toBe(PAGES - 2)
    k.lru_add_drain()
    expect(m.failing()).toEqual([])
  })

  it('that could not be written, dirty as before', () => {
    const page = m.page(BASE)
    k.swap_device_set(0, 0, 0, 1)
    m.pageOut(1)
    expect(m.event('SWAP_WRITE_ERRORS')).toBe(1)
    expect(m.flags(page) & m.symbols.PG_dirty).not.toBe(0)
    k.swap_device_set(0, 0, 0, 0)
    expect(k.user_load(BASE, 0)).toBe(1000)
    expect(m.page(BASE)).toBe(page)
  })
})
