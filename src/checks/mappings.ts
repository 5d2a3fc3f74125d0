// The page tables of all mms: a walk from each mm$pgd down. Every table is entered once, however many entries lead to
// it, so that a table with two parents is one finding and not a wrong count of every page below it.
import { hex } from '../inspect/names.ts'
import { PageTables, type Table } from '../inspect/page_tables.ts'
import type { MmView, RestingMachine } from './resting_machine.ts'

/** A page table that was reached. */
export interface TableView extends Table {
  /** Frame of its struct page. */
  readonly pfn: number
  readonly mm: MmView
}

export interface Mappings {
  readonly tables: readonly TableView[]
  /** For each frame the present, not special PTEs that map it. */
  readonly ptes: Int32Array
  /** For each frame the entries (and mm$pgd words) that lead to it as a page table. */
  readonly parents: Int32Array
  /** What is wrong with the trees, for the check of leaks. */
  readonly problems: readonly string[]
  /** Calls back for each PTE that is not none. */
  forEachPte(visit: (pte: number, addr: number, mm: MmView) => void): void
  /** PTE of a page number in an mm; 0: none. */
  lookup(mm: number, addr: number): number
  /** Where a frame is mapped: `mm 1, 0x7000`; the first few. */
  describe(pfn: number): string
}

export function walkMappings(view: RestingMachine): Mappings {
  const walk = new TableWalk(view)
  for (const mm of view.mms) walk.top(mm)
  walk.countPtes()
  return walk
}

class TableWalk implements Mappings {
  readonly tables: TableView[] = []
  readonly ptes: Int32Array
  readonly parents: Int32Array
  readonly problems: string[] = []
  readonly #view: RestingMachine
  readonly #reader: PageTables

  constructor(view: RestingMachine) {
    const s = view.symbols
    this.#view = view
    this.ptes = new Int32Array(s.NR_PAGES)
    this.parents = new Int32Array(s.NR_PAGES)
    this.#reader = PageTables.of(view)
  }

  /** The tree of an mm. */
  top(mm: MmView): void {
    const { memory, symbols: s } = this.#view
    const reader = this.#reader
    const top = reader.top(mm.address)
    const pfn = top === undefined ? -1 : reader.frameOf(top.entries)
    if (top === undefined || !this.#isTable(this.#view.page(pfn))) {
      this.problems.push(`mm ${mm.id}: pgd ${hex(memory[mm.address + s.mm$pgd])} is no page table`)
      return
    }
    reader.walk(
      top,
      (table, entry) => this.#enter(mm, table, entry, entry === 0 ? pfn : entry >>> s.PFN_SHIFT),
      (entry, level, start) => this.#stray(mm, entry, level, start),
    )
  }

  /** A table of an mm, in frame `pfn`, to which `entry` leads (0: mm$pgd). Whether it was not met before. */
  #enter(mm: MmView, table: Table, entry: number, pfn: number): boolean {
    const { memory, symbols: s } = this.#view
    const page = this.#view.page(pfn)
    if (entry !== 0 && !this.#isTable(page)) {
      this.#stray(mm, entry, table.level + 1, table.start)
      return false
    }
    if (this.parents[pfn]++ !== 0) return false
    if (entry !== 0 && memory[page + s.page$pt_mm] !== mm.address)
      this.problems.push(
        `page ${hex(pfn)}, a table of mm ${mm.id} (${hex(table.start)}): pt_mm ` +
          `${hex(memory[page + s.page$pt_mm])}, expected ${hex(mm.address)}`,
      )
    const { entries, level, start } = table
    this.tables.push({ entries, level, start, pfn, mm })
    return true
  }

  /** Whether a struct page is that of a table. */
  #isTable(page: number): boolean {
    const { memory, symbols: s } = this.#view
    return (memory[page + s.page$flags] & s.PG_table) !== 0
  }

  /** An entry of an upper level that is not none and leads to no table. */
  #stray(mm: MmView, entry: number, level: number, start: number): void {
    const name = this.#reader.levels[level].name.toUpperCase()
    this.problems.push(
      `mm ${mm.id}: the ${name} of ${hex(start)} is ${hex(entry)}, expected none or a page table`,
    )
  }

  countPtes(): void {
    const { _PAGE_PRESENT, _PAGE_PROTNONE, _PAGE_SPECIAL, PFN_SHIFT, NR_PAGES } = this.#view.symbols
    const present = _PAGE_PRESENT | _PAGE_PROTNONE
    this.forEachPte((pte) => {
      const pfn = pte >>> PFN_SHIFT
      if ((pte & present) !== 0 && (pte & _PAGE_SPECIAL) === 0 && pfn < NR_PAGES) this.ptes[pfn]++
    })
  }

  forEachPte(visit: (pte: number, addr: number, mm: MmView) => void): void {
    const { memory, symbols: s } = this.#view
    const n = s.PTRS_PER_PTE
    for (const { level, entries, start, mm } of this.tables) {
      if (level !== 0) continue
      for (let i = 0; i < n; i++) {
        const pte = memory[entries + i]
        if (pte !== 0) visit(pte, start + i, mm)
      }
    }
  }

  lookup(mm: number, addr: number): number {
    const ptep = this.#reader.pteAddress(mm, addr)
    return ptep === 0 ? 0 : this.#view.memory[ptep]
  }

  describe(pfn: number): string {
    const { _PAGE_PRESENT, _PAGE_PROTNONE, _PAGE_SPECIAL, PFN_SHIFT } = this.#view.symbols
    const present = _PAGE_PRESENT | _PAGE_PROTNONE
    const found: string[] = []
    this.forEachPte((pte, addr, mm) => {
      if (pte >>> PFN_SHIFT === pfn && (pte & present) !== 0 && (pte & _PAGE_SPECIAL) === 0)
        found.push(`mm ${mm.id}, ${hex(addr)}`)
    })
    return found.slice(0, 3).join('; ') + (found.length > 3 ? '; …' : '')
  }
}
