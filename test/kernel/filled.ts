// A process that has filled some pages, on a machine of one CPU with swap, and how tests look at it and at its
// relatives.
import { expect } from 'vitest'
import { type CheckResult, runChecks } from '../../src/checks/index.ts'
import { PageTables } from '../../src/inspect/page_tables.ts'
import { readSwapEntry } from '../../src/inspect/swap_entries.ts'
import type { KernelSymbols } from '../../src/inspect/symbols.ts'
import { type OneCpu, oneCpu } from './machine.ts'

export const READ = 1
export const RW = 3
export const PRIVATE_FIXED = 0x12
export const DONTNEED = 4
export const FREE = 8
export const PAGEOUT = 21
export const SIGBUS = 7
export const SIGKILL = 9
export const STABLE_WRITES = 1 << 11
export const SYNCHRONOUS_IO = 1 << 12
/** The process's pages: PAGES from page BASE on. */
export const BASE = 4096
export const PAGES = 8
/** Keeps a child from running. */
export const NO_PROGRAM = 0

export interface Filled extends OneCpu {
  /** Writes word 0 of every page: `first` and the numbers after it. */
  fill(first?: number, base?: number): void
  /** Word 0 of every page. */
  values(base?: number): number[]
  /** Word address of the PTE of a page number; the table must be there. */
  ptep(addr: number, mm?: number): number
  pte(addr: number, mm?: number): number
  present(addr: number, mm?: number): boolean
  /** Address of the struct page that is mapped at a page number. */
  page(addr: number): number
  /** The swap entry at a page number. */
  entry(addr: number): ReturnType<typeof readSwapEntry>
  /** Which of the pages are not present. */
  swapped(base?: number): number[]
  /** Gives pages up: the first `n` of them. */
  pageOut(n?: number): number
  refcount(page: number): number
  flags(page: number): number
  /** Address of the task with this pid. */
  task(pid: number): number
  /** Makes this task the current one. */
  become(task: number): void
  /** An event's count, by its constant's name. */
  event(name: string): number
  /**
   * The checks at rest that fail, but for those that a first task made by hand cannot hold: it is on no queue, and its
   * CPU has its mm.
   */
  failing(): CheckResult[]
}

/** What a filled process has in its pages. */
export const filledWith = (first = 1000): number[] => Array.from({ length: PAGES }, (_, i) => first + i)

/** Boots with SWAP=y and `settings`, maps PAGES pages and fills them. */
export async function filled(...settings: string[]): Promise<Filled> {
  const m = await oneCpu('SWAP=y', ...settings)
  const { kernel: k, memory, symbols: s } = m
  const tables = PageTables.of(m)
  const ptep = (addr: number, mm = m.mm()): number => tables.pteAddress(mm, addr)
  const pte = (addr: number, mm?: number): number => memory[ptep(addr, mm)]
  const present = (addr: number, mm?: number): boolean => (pte(addr, mm) & s._PAGE_PRESENT) !== 0
  const all = Array.from({ length: PAGES }, (_, i) => i)
  const process: Filled = {
    ...m,
    fill(first = 1000, base = BASE) {
      for (const i of all) expect(k.user_store(base + i, 0, first + i)).toBe(0)
    },
    values: (base = BASE) => all.map((i) => k.user_load(base + i, 0) as number),
    ptep,
    pte,
    present,
    page: (addr) => s.MEMMAP + (pte(addr) >>> s.PFN_SHIFT) * s.PAGE_WORDS,
    entry: (addr) => readSwapEntry(s as KernelSymbols, pte(addr)),
    swapped: (base = BASE) => all.filter((i) => !present(base + i)),
    pageOut: (n = PAGES) => k.sys_madvise(BASE, n, PAGEOUT) as number,
    refcount: (page) => memory[page + s.page$_refcount],
    flags: (page) => memory[page + s.page$flags],
    task(pid) {
      for (let link = memory[s.machine$tasks]; link !== s.machine$tasks; link = memory[link])
        if (memory[link - s.task$tasks + s.task$pid] === pid) return link - s.task$tasks
      throw new Error(`no task ${pid}`)
    },
    become(task) {
      memory[s.PERCPU + s.percpu$current] = task
      k.switch_mm(memory[task + s.task$mm])
    },
    event: (name) => m.stat[s[name]],
    failing() {
      k.lru_add_drain()
      return runChecks(m, 'running').filter((one) => one.ok === false && !/^Q9|^Q11/.test(one.name))
    },
  }
  k.sys_mmap(BASE, PAGES, RW, PRIVATE_FIXED, 0, 0)
  process.fill()
  return process
}
