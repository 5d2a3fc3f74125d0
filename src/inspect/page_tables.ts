// The page tables of a machine, read from outside: what their levels are called and span, where an entry leads, the PTE
// of a page, a walk. Nothing is trusted: an entry leads to a table when its frame is one of memory. Leaves out whether
// the tables are right (checks), and what an entry says (entries.ts).
import type { KernelSymbols, MachineView } from './symbols.ts'

/** A level of page tables. */
export interface TableLevel {
  readonly name: 'pte' | 'pmd' | 'pud' | 'p4d' | 'pgd'
  /** Entries of a table. */
  readonly entries: number
  /** Pages that an entry spans, as a shift of page numbers. */
  readonly shift: number
}

/** A page table in a tree. */
export interface Table {
  /** Word address of its first entry. */
  readonly entries: number
  /** 0: PTEs; above: entries that lead to tables. */
  readonly level: number
  /** First page number that it spans. */
  readonly start: number
}

export class PageTables {
  /** From the PTEs up. */
  readonly levels: readonly TableLevel[]
  readonly #memory: Int32Array
  readonly #s: KernelSymbols
  readonly #table: number

  static readonly #known = new WeakMap<Int32Array, PageTables>()

  /** Those of a machine, made once. */
  static of(view: MachineView): PageTables {
    let known = PageTables.#known.get(view.memory)
    if (known === undefined) PageTables.#known.set(view.memory, (known = new PageTables(view)))
    return known
  }

  private constructor({ memory, symbols }: MachineView) {
    // An object of thousands of properties is a slow dictionary, unless it is a prototype.
    const s = Object.create(symbols) as KernelSymbols
    this.#memory = memory
    this.#s = s
    this.#table = s._PAGE_PRESENT | s._PAGE_PSE
    this.levels = (
      [
        { name: 'pte', entries: s.PTRS_PER_PTE, shift: 0 },
        { name: 'pmd', entries: s.PTRS_PER_PMD, shift: s.PMD_SHIFT },
        { name: 'pud', entries: s.PTRS_PER_PUD, shift: s.PUD_SHIFT },
        { name: 'p4d', entries: s.PTRS_PER_P4D, shift: s.P4D_SHIFT },
        { name: 'pgd', entries: s.PTRS_PER_PGD, shift: s.PGDIR_SHIFT },
      ] as const
    ).slice(0, s.PGTABLE_LEVELS)
  }

  /**
   * Whether an entry of an upper level is neither none nor a leaf, but the present entry of a table (the contrary of
   * pmd_bad).
   */
  leadsToTable(entry: number): boolean {
    return (entry & this.#table) === this.#s._PAGE_PRESENT
  }

  /** Word address of the struct page of the table that an entry leads to. */
  pageOf(entry: number): number {
    return this.#s.MEMMAP + (entry >>> this.#s.PFN_SHIFT) * this.#s.PAGE_WORDS
  }

  /** Word address of the entries of the table that an entry of an upper level leads to; -1: none. */
  next(entry: number): number {
    if (!this.leadsToTable(entry) || entry >>> this.#s.PFN_SHIFT >= this.#s.NR_PAGES) return -1
    return this.#s.PGTABLES + (entry >>> this.#s.PFN_SHIFT) * this.#s.PTRS_PER_TABLE
  }

  /** Frame whose entries, were it a table, begin at a word address; -1: none. */
  frameOf(entries: number): number {
    const pfn = (entries - this.#s.PGTABLES) / this.#s.PTRS_PER_TABLE
    return Number.isInteger(pfn) && pfn >= 0 && pfn < this.#s.NR_PAGES ? pfn : -1
  }

  /** The top table of an mm (word address); undefined: its pgd is no table. */
  top(mm: number): Table | undefined {
    const entries = this.#memory[mm + this.#s.mm$pgd]
    return this.frameOf(entries) < 0 ? undefined : { entries, level: this.levels.length - 1, start: 0 }
  }

  /** Word address of the PTE of page number `addr` in an mm; 0: no table is there. */
  pteAddress(mm: number, addr: number): number {
    let entries = this.#memory[mm + this.#s.mm$pgd]
    if (this.frameOf(entries) < 0) return 0
    for (let level = this.levels.length - 1; level > 0; level--) {
      const index = (addr >>> this.levels[level].shift) & (this.levels[level].entries - 1)
      entries = this.next(this.#memory[entries + index])
      if (entries < 0) return 0
    }
    return entries + (addr & (this.levels[0].entries - 1))
  }

  /**
   * Walks from a table down, parents first. `enter` is shown each table with the entry that leads there (0: the top),
   * and says whether to go on below it; `stray` an entry above the PTEs, not none, that leads to no table.
   */
  walk(
    table: Table,
    enter: (table: Table, entry: number) => boolean,
    stray?: (entry: number, level: number, start: number) => void,
    from = 0,
  ): void {
    const { entries, level } = table
    if (!enter(table, from) || level === 0) return
    const { entries: n, shift } = this.levels[level]
    for (let i = 0; i < n; i++) {
      const entry = this.#memory[entries + i]
      if (entry === 0) continue
      const start = table.start + i * 2 ** shift
      const below = this.next(entry)
      if (below >= 0) this.walk({ entries: below, level: level - 1, start }, enter, stray, entry)
      else stray?.(entry, level, start)
    }
  }
}
