// The page tables of all mms: a walk from each mm$pgd down. Every table is entered once, however many entries lead to it, so
// that a table with two parents is one finding and not a wrong count of every page below it.
import { hex } from '../inspect/names.ts'
import type { MmView, RestingMachine } from './resting_machine.ts'

/** A page table that was reached. */
export interface TableView {
  /** Frame of its struct page. */
  readonly pfn: number
  readonly mm: MmView
  /** 0: PTEs; above: entries that lead to tables. */
  readonly level: number
  /** First page number that it spans. */
  readonly start: number
  /** Word address of its first entry. */
  readonly entries: number
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

const LEVEL_NAMES = ['PTE', 'PMD', 'PUD', 'P4D', 'PGD']

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
  /** Entries of a table and shift of the page number, by level from the PTEs up. */
  readonly #levels: { readonly entries: number; readonly shift: number }[]

  constructor(view: RestingMachine) {
    const s = view.symbols
    this.#view = view
    this.ptes = new Int32Array(s.NR_PAGES)
    this.parents = new Int32Array(s.NR_PAGES)
    this.#levels = [
      { entries: s.PTRS_PER_PTE, shift: 0 },
      { entries: s.PTRS_PER_PMD, shift: s.PMD_SHIFT },
      { entries: s.PTRS_PER_PUD, shift: s.PUD_SHIFT },
      { entries: s.PTRS_PER_P4D, shift: s.P4D_SHIFT },
      { entries: s.PTRS_PER_PGD, shift: s.PGDIR_SHIFT },
    ].slice(0, s.PGTABLE_LEVELS)
  }

  /** The tree of an mm. */
  top(mm: MmView): void {
    const { memory, symbols: s } = this.#view
    const pgd = memory[mm.address + s.mm$pgd]
    const pfn = (pgd - s.PGTABLES) / s.PTRS_PER_TABLE
    const level = this.#levels.length - 1
    if (!Number.isInteger(pfn) || !this.#isTable(pfn))
      this.problems.push(`mm ${mm.id}: pgd ${hex(pgd)} is no page table`)
    else if (this.parents[pfn]++ === 0) this.#table(mm, pfn, pgd, level, 0)
  }

  #table(mm: MmView, pfn: number, entries: number, level: number, start: number): void {
    this.tables.push({ pfn, mm, level, start, entries })
    if (level === 0) return
    const { memory } = this.#view
    const { entries: n, shift } = this.#levels[level]
    for (let i = 0; i < n; i++) {
      const entry = memory[entries + i]
      if (entry !== 0) this.#entry(mm, entry, level, start + i * 2 ** shift)
    }
  }

  /** An entry of an upper level that is not none. */
  #entry(mm: MmView, entry: number, level: number, start: number): void {
    const { memory, symbols: s } = this.#view
    const pfn = entry >>> s.PFN_SHIFT
    const leads = (entry & (s._PAGE_PRESENT | s._PAGE_PSE)) === s._PAGE_PRESENT
    if (!leads || !this.#isTable(pfn))
      this.problems.push(
        `mm ${mm.id}: the ${LEVEL_NAMES[level]} of ${hex(start)} is ${hex(entry)}, expected none or a page table`,
      )
    else if (this.parents[pfn]++ === 0) {
      if (memory[this.#view.page(pfn) + s.page$pt_mm] !== mm.address)
        this.problems.push(
          `page ${hex(pfn)}, a table of mm ${mm.id} (${hex(start)}): pt_mm ${hex(memory[this.#view.page(pfn) + s.page$pt_mm])}, expected ${hex(mm.address)}`,
        )
      this.#table(mm, pfn, s.PGTABLES + pfn * s.PTRS_PER_TABLE, level - 1, start)
    }
  }

  /** Whether the frame is a page table. */
  #isTable(pfn: number): boolean {
    const { memory, symbols: s } = this.#view
    return pfn >= 0 && pfn < s.NR_PAGES && (memory[this.#view.page(pfn) + s.page$flags] & s.PG_table) !== 0
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
    const { memory } = this.#view
    const span = this.#levels[0].entries
    const table = this.tables.find(
      (one) => one.level === 0 && one.mm.address === mm && addr >= one.start && addr < one.start + span,
    )
    return table ? memory[table.entries + addr - table.start] : 0
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
