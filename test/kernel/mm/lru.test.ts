// src/kernel/mm/swap.ts on one CPU: batches of pages on their way to the LRU lists, and how pages leave them.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BASE, DONTNEED, type Filled, filled, PAGES } from '../filled.ts'
import { acquisitionsOf } from '../lock_counts.ts'

let m: Filled
let k: Filled['kernel']

beforeEach(async () => {
  m = await filled('LOCK_STAT=y')
  k = m.kernel
})

afterEach(() => expect(m.failing()).toEqual([]))

const batch = (name: string): number => m.memory[m.symbols.PERCPU + m.symbols[name]]

describe('the end of the writeback of a page', () => {
  const LRU_INACTIVE_ANON = 0

  /** The pages of the list, from the one that is reclaimed first. */
  const order = (): number[] => {
    const head = m.symbols.LRUVECS + m.symbols.lruvec$lists + 2 * LRU_INACTIVE_ANON
    const pages: number[] = []
    for (let link = m.memory[head + 1]; link !== head; link = m.memory[link + 1])
      pages.push(link - m.symbols.page$lru_next)
    return pages
  }

  function end(flags: number): number {
    k.lru_add_drain()
    const page = m.page(BASE + 3)
    m.memory[page + m.symbols.page$flags] |= m.symbols.PG_writeback | flags
    k.end_page_writeback(page)
    k.lru_add_drain()
    return page
  }

  it('puts one that reclaim waits for where reclaim looks first', () => {
    const page = end(m.symbols.PG_reclaim)
    expect(order()[0]).toBe(page)
    expect(m.flags(page) & m.symbols.PG_reclaim).toBe(0)
    expect(m.event('PGROTATED')).toBe(1)
  })

  it('leaves one where it is that reclaim does not wait for', () => {
    expect(order()[0]).not.toBe(end(0))
    expect(m.event('PGROTATED')).toBe(0)
  })

  it('leaves one where it is that is dirty again', () => {
    const page = end(m.symbols.PG_reclaim | m.symbols.PG_dirty)
    expect(order()[0]).not.toBe(page)
    expect(m.event('PGROTATED')).toBe(0)
  })
})

describe('the batch of new pages of this CPU', () => {
  it('is emptied before pages are unmapped', () => {
    expect(batch('lru_pvecs$lru_add')).toBeGreaterThan(0)
    k.sys_madvise(BASE + PAGES - 1, 1, DONTNEED)
    expect(batch('lru_pvecs$lru_add')).toBe(0)
  })

  it('is emptied after a read from swap that brought neighbours along', () => {
    k.sys_swapon(32, 0)
    m.pageOut()
    k.set_page_cluster(2)
    k.user_load(BASE + 3, 0)
    expect(batch('lru_pvecs$lru_add')).toBe(0)
  })
})

describe('many pages that are freed at once', () => {
  it('leave their list some at a time', () => {
    const { SWAP_CLUSTER_MAX: most } = m.symbols
    const base = BASE + 4096
    const n = 2 * most
    k.sys_mmap(base, n, 3, 0x12, 0, 0)
    for (let i = 0; i < n; i++) k.user_store(base + i, 0, 1)
    k.lru_add_drain()
    expect(acquisitionsOf(m, 'lru_lock', () => k.sys_munmap(base, n))).toBeGreaterThan(1)
  })
})

describe('a compound page', () => {
  it('leaves its list when its last reference goes', () => {
    k.lru_add_drain()
    const before = k.nr_free_pages()
    k.drain_local_pages()
    const page = k.alloc_pages(0, 2)
    expect(page).toBeGreaterThan(0)
    expect(k.isolate_lru_page(page)).toBe(false)
    k.lru_cache_add(page)
    k.lru_add_drain()
    expect(m.flags(page) & m.symbols.PG_lru).not.toBe(0)
    k.put_page(page)
    expect(m.flags(page)).toBe(m.flags(page) & ~m.symbols.PG_lru)
    k.drain_local_pages()
    expect(k.nr_free_pages()).toBeGreaterThanOrEqual(before)
  })
})
