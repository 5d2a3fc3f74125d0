// Entries of page tables in words, and where they lead: on a process with one page of each kind, by the kernel's own
// functions.
import { beforeAll, expect, test } from 'vitest'
import { entryName, pteText, tableEntryText } from '../../src/inspect/entries.ts'
import { dumpPage, pageFlagsText } from '../../src/inspect/page_dump.ts'
import { PageTables } from '../../src/inspect/page_tables.ts'
import { readSwapEntry, swapEntry, swapEntryText, swapMapText } from '../../src/inspect/swap_entries.ts'
import type { KernelSymbols } from '../../src/inspect/symbols.ts'
import { BASE, filled, type Filled, READ } from '../kernel/filled.ts'

let m: Filled
let s: KernelSymbols

beforeAll(async () => {
  m = await filled()
  s = m.symbols as KernelSymbols
})

test('a PTE says its page, its right, and whether it is dirty and young', () => {
  const { _PAGE_PRESENT: P, _PAGE_RW: W, _PAGE_DIRTY: D, _PAGE_ACCESSED: A, PFN_SHIFT } = s
  const pte = (bits: number): string => pteText(m, (0x1a3 << PFN_SHIFT) | bits)
  expect([
    pteText(m, 0),
    pte(P),
    pte(P | A),
    pte(P | W | D),
    pte(P | W | D | A),
    pte(s._PAGE_PROTNONE | A),
    pte(P | s._PAGE_SPECIAL),
  ]).toEqual([
    'none',
    'pfn 0x1a3 ro',
    'pfn 0x1a3 ro young',
    'pfn 0x1a3 rw dirty',
    'pfn 0x1a3 rw dirty young',
    'pfn 0x1a3 protnone young',
    'pfn 0x1a3 ro special',
  ])
  m.kernel.sys_mmap(BASE + 64, 1, READ, 0x12, 0, 0)
  m.kernel.user_load(BASE + 64, 0)
  expect(pteText(m, m.pte(BASE + 64))).toBe('zero page ro young')
})

test('an entry of an upper level says the table to which it leads', () => {
  const entry = (0x33 << s.PFN_SHIFT) | s._PAGE_PRESENT | s._PAGE_RW | s._PAGE_ACCESSED
  expect([0, entry, entry | s._PAGE_PSE, 0x1000].map((one) => tableEntryText(m, one))).toEqual([
    'none',
    'table page 0x33',
    'huge pfn 0x33',
    '0x1000',
  ])
  expect(entryName(m, 'pmd', m.mm(), 0x7000)).toBe(`pmd[mm ${m.memory[m.mm() + s.mm$id]}, 0x7000]`)
})

test('an entry that is not present says what it names, with its bits', () => {
  const entry = (type: number, offset: number): number => (offset << s.PFN_SHIFT) | (type << s.SWP_TYPE_SHIFT)
  const slot = swapEntry(s, 1, 5)
  expect(
    [
      slot,
      slot | s._PAGE_SWP_EXCLUSIVE | s._PAGE_SOFT_DIRTY | s._PAGE_UFFD_WP,
      entry(s.SWP_MIGRATION_READ, 0x1a3),
      entry(s.SWP_MIGRATION_READ_EXCLUSIVE, 0x1a3),
      entry(s.SWP_MIGRATION_WRITE, 0x1a3),
      entry(s.SWP_HWPOISON, 0x1a3),
      entry(s.SWP_PTE_MARKER, 0),
      0x400,
    ].map((one) => swapEntryText(m.symbols, one)),
  ).toEqual([
    'swp 1:5',
    'swp 1:5 exclusive soft-dirty uffd-wp',
    'migration read of page 0x1a3',
    'migration read-exclusive of page 0x1a3',
    'migration write of page 0x1a3',
    'hwpoison page 0x1a3',
    'marker 0x0',
    'entry 0x400',
  ])
  expect(readSwapEntry(s, slot)).toEqual({ kind: 'swap', device: 1, offset: 5, exclusive: false })
  expect(readSwapEntry(s, entry(s.SWP_MIGRATION_WRITE, 0x1a3))).toMatchObject({
    kind: 'migration',
    offset: 0x1a3,
  })
  expect(readSwapEntry(s, entry(s.SWP_PTE_MARKER, 0)).kind).toBe('error')
})

test('an entry that the kernel has made is read as it was made', async () => {
  const swapped = await filled()
  expect(swapped.kernel.sys_swapon(64, 0)).toBe(0)
  swapped.pageOut(1)
  expect(swapEntryText(swapped.symbols, swapped.pte(BASE))).toMatch(/^swp 0:\d+ exclusive soft-dirty$/)
  expect(swapped.entry(BASE).kind).toBe('swap')
})

test('a word of a swap map says its uses and its bits', () => {
  const words = [0, 2, s.SWAP_HAS_CACHE, 1 | s.SWAP_HAS_CACHE | s.COUNT_CONTINUED]
  expect(words.map((word) => swapMapText(m.symbols, word))).toEqual([
    '0',
    '2',
    '0 cache',
    '1 cache continued',
  ])
})

test('a struct page is dumped as dump_page does', () => {
  const page = m.page(BASE)
  const pfn = (m.pte(BASE) >>> s.PFN_SHIFT).toString(16)
  const [first, flags, ...raw] = dumpPage(m, page)
  expect(first).toBe(
    `page:0x${page.toString(16)} refcount:${m.refcount(page)} mapcount:1 ` +
      `mapping:0x${m.memory[page + s.page$mapping].toString(16)} index:0x1000 pfn:0x${pfn}`,
  )
  expect(flags).toBe(`flags: 0x${m.flags(page).toString(16)}(${pageFlagsText(m.symbols, m.flags(page))})`)
  expect(raw.map((line) => line.replaceAll(/ [0-9a-f]{8}/g, ' _'))).toEqual([
    'raw: _ _ _ _ _ _ _ _',
    'raw: _ _ _ _ _ _ _ _',
  ])
  expect(
    pageFlagsText(m.symbols, s.PG_locked | s.PG_swapcache)
      .split('|')
      .toSorted(),
  ).toEqual(['locked', 'swapcache'])
})

test('the walk of page tables meets each table of an mm once, from the top down, with what it spans', () => {
  const tables = PageTables.of(m)
  const met: string[] = []
  tables.walk(tables.top(m.mm())!, ({ level, start }) => {
    met.push(`${tables.levels[level].name} 0x${start.toString(16)}`)
    return true
  })
  expect(met).toEqual(['p4d 0x0', 'pud 0x0', 'pmd 0x0', 'pte 0x1000'])
  const pte = m.memory[tables.pteAddress(m.mm(), BASE)]
  expect(m.memory[s.CONTENT + (pte >>> s.PFN_SHIFT) * s.CONTENT_WORDS]).toBe(1000)
})

test('an entry that leads nowhere is a stray, and a page behind it has no PTE', async () => {
  const broken = await filled()
  const tables = PageTables.of(broken)
  const top = tables.top(broken.mm())!
  broken.memory[top.entries] = 0x1000
  const strays: [number, number, number][] = []
  tables.walk(
    top,
    () => true,
    (...stray) => strays.push(stray),
  )
  expect(strays).toEqual([[0x1000, top.level, 0]])
  expect(tables.pteAddress(broken.mm(), BASE)).toBe(0)
})
