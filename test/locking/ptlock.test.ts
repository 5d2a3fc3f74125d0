import { describe, expect, test } from 'vitest'
import { countPtlWords } from '../../src/inspect/ptl_words.ts'
import { lockMachine, type LockMachine } from './machine.ts'

const MMS = [0, 1]

function page(m: LockMachine, pfn: number): number {
  return m.symbols.MEMMAP + pfn * m.symbols.PAGE_WORDS
}

function mm(m: LockMachine, n: number): number {
  return m.symbols.MMS + n * m.symbols.MM_WORDS
}

test('mm: every table of a mm has the lock of the mm', async () => {
  const m = await lockMachine('PTLOCK=mm')
  for (const n of MMS) {
    const lock = mm(m, n) + m.symbols.mm$page_table_lock
    expect(m.kernel.pte_lockptr(mm(m, n), m.kernel.mk_pmd(page(m, 5)))).toBe(lock)
    expect(m.kernel.pmd_lockptr(mm(m, n), m.symbols.PGTABLES)).toBe(lock)
  }
})

test('pte: a PTE table has its own lock, a PMD table the lock of the mm', async () => {
  const m = await lockMachine('PTLOCK=pte')
  expect(m.kernel.pte_lockptr(mm(m, 0), m.kernel.mk_pmd(page(m, 5)))).toBe(page(m, 5) + m.symbols.page$ptl)
  expect(m.kernel.pmd_lockptr(mm(m, 0), m.symbols.PGTABLES)).toBe(mm(m, 0) + m.symbols.mm$page_table_lock)
})

test('pmd: PTE tables have their own locks', async () => {
  const m = await lockMachine('PTLOCK=pmd')
  expect(m.kernel.pte_lockptr(mm(m, 0), m.kernel.mk_pmd(page(m, 5)))).toBe(page(m, 5) + m.symbols.page$ptl)
})

test.each(['pmd', 'hashed'])(
  '%s: with two levels the PMD is folded and has the lock of the mm',
  async (design) => {
    const m = await lockMachine(`PTLOCK=${design}`, 'PGTABLE_LEVELS=2')
    expect(m.kernel.pmd_lockptr(mm(m, 0), m.symbols.PGTABLES)).toBe(mm(m, 0) + m.symbols.mm$page_table_lock)
  },
)

test('hashed: all locks lie in the area, one a line, and all are used', async () => {
  const m = await lockMachine('PTLOCK=hashed', 'PTLOCK_HASH=8')
  m.kernel.ptlock_area_init()
  const locks = new Set<number>()
  for (let pfn = 0; pfn < 400; pfn++) locks.add(m.kernel.pte_lockptr(mm(m, 0), m.kernel.mk_pmd(page(m, pfn))))
  const area = m.symbols.PTLOCK_AREA
  expect([...locks].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 8 }, (_, i) => area + 16 * i))
})

describe.each(['mm', 'pte', 'pmd', 'hashed'])('%s', (design) => {
  test('a pair of equal locks is taken once', async () => {
    const m = await lockMachine(`PTLOCK=${design}`)
    m.kernel.init_locks(m.free, 1)
    m.kernel.lock_pair(m.free, m.free)
    expect(m.kernel.lockdep_depth()).toBe(1)
    m.kernel.unlock_pair(m.free, m.free)
    expect(m.kernel.lockdep_depth()).toBe(0)
  })

  test('a pair is taken in its nesting order, by address only where strangers share locks', async () => {
    const m = await lockMachine(`PTLOCK=${design}`)
    m.kernel.init_locks(m.free, 2)
    m.kernel.lock_pair(m.free + 16, m.free)
    const held = m.symbols.PERCPU + m.symbols.percpu$held_locks
    const order = design === 'hashed' ? [m.free, m.free + 16] : [m.free + 16, m.free]
    expect([...m.memory.subarray(held, held + 2)]).toEqual(order)
    m.kernel.unlock_pair(m.free + 16, m.free)
    expect(m.kernel.lockdep_depth()).toBe(0)
  })
})

test('distinct locks taken for tables are counted over all CPUs, wherever they lie', async () => {
  const m = await lockMachine('PTLOCK=hashed', 'PTLOCK_HASH=8')
  const { mm$page_table_lock, page$ptl, PTLOCK_AREA, NR_PAGES, NR_MMS } = m.symbols
  const locks = [
    ...[0, 1, 31, 32, NR_PAGES - 1].map((pfn) => page(m, pfn) + page$ptl),
    ...[0, 7].map((n) => PTLOCK_AREA + 16 * n),
    ...[0, 1, NR_MMS - 1].map((n) => mm(m, n) + mm$page_table_lock),
  ]
  for (const lock of [...locks, ...locks]) m.kernel.count_ptl_taken(lock)
  expect(countPtlWords([m.stat, m.stat, new Float64Array(m.stat.length)], m.symbols)).toBe(locks.length)
})

test('the locks of a struct page are free after ptlock_init', async () => {
  const m = await lockMachine('PTLOCK=pmd')
  m.memory[page(m, 5) + m.symbols.page$ptl] = 1
  m.kernel.ptlock_init(page(m, 5))
  const lock = m.kernel.pte_lockptr(mm(m, 0), m.kernel.mk_pmd(page(m, 5)))
  expect(m.kernel.spin_trylock(lock)).toBe(true)
})
