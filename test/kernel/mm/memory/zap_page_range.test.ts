// src/kernel/mm/memory/zap_page_range.ts on one CPU: what an unmapped range leaves behind, and when the lock is given
// way.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BASE, DONTNEED, type Filled, filled, PAGES, READ } from '../../filled.ts'
import { acquisitionsOf } from '../../lock_counts.ts'

const SHARED_FIXED = 0x11

let m: Filled
let k: Filled['kernel']

beforeEach(async () => {
  m = await filled('LOCK_STAT=y')
  k = m.kernel
})

afterEach(() => expect(m.failing()).toEqual([]))

const zap = (): number => k.sys_madvise(BASE, PAGES, DONTNEED) as number
const referenced = (page: number): boolean => (m.flags(page) & m.symbols.PG_referenced) !== 0

describe('an unmapped page of a file', () => {
  const other = BASE + PAGES

  it('counts as used if its entry is young', () => {
    const file = k.file_create(1) as number
    k.sys_mmap(other, 1, READ, SHARED_FIXED, file, 0)
    k.user_load(other, 0)
    const page = m.page(other)
    m.memory[page + m.symbols.page$flags] &= ~m.symbols.PG_referenced
    k.sys_munmap(other, 1)
    expect(referenced(page)).toBe(true)
    k.sys_close(file)
  })

  it('does not if its entry is old', () => {
    const file = k.file_create(1) as number
    k.sys_mmap(other, 1, READ, SHARED_FIXED, file, 0)
    k.user_load(other, 0)
    const page = m.page(other)
    m.memory[page + m.symbols.page$flags] &= ~m.symbols.PG_referenced
    m.memory[m.ptep(other)] &= ~m.symbols._PAGE_ACCESSED
    k.sys_munmap(other, 1)
    expect(referenced(page)).toBe(false)
    k.sys_close(file)
  })
})

describe('a range', () => {
  it('is unmapped under one hold of the lock of its table', () => {
    expect(acquisitionsOf(m, 'ptlock', zap)).toBe(1)
    expect(m.swapped()).toHaveLength(PAGES)
  })

  it('is left and taken up again when the task should give way', () => {
    m.memory[m.symbols.PERCPU + m.symbols.percpu$need_resched] = 1
    expect(acquisitionsOf(m, 'ptlock', zap)).toBe(2)
    expect(m.swapped()).toHaveLength(PAGES)
  })

  it("adds the task's deltas to the mm's counters", () => {
    const anon = m.symbols.task$rss_stat + m.symbols.MM_ANONPAGES
    expect(m.memory[k.current() + anon]).toBe(PAGES)
    k.sys_madvise(BASE, 1, DONTNEED)
    expect(m.memory[k.current() + anon]).toBe(0)
    expect(m.memory[m.mm() + m.symbols.mm$rss_stat + m.symbols.MM_ANONPAGES]).toBe(PAGES - 1)
  })
})

describe('a bundle that is full', () => {
  it('is flushed, and the lock of the table let go, before more is gathered', async () => {
    m = await filled('LOCK_STAT=y', 'MMU_GATHER_BUNDLE=3')
    k = m.kernel
    expect(acquisitionsOf(m, 'ptlock', zap)).toBe(Math.ceil(PAGES / 3))
    expect(m.swapped()).toHaveLength(PAGES)
  })
})
