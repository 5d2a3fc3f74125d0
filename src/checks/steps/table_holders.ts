// Who holds the entries of page tables, and for what: writers by CPU, readers by number. A design whose locks serve
// whole tables is held to whole tables, one that takes ranges (PTL_RANGE) to the entries that it was asked for. Leaves
// out who may hold what: that is the check table-owner.
import type { KernelSymbols } from '../../inspect/symbols.ts'
import { Rewind } from './rewind.ts'

export class TableHolders {
  /** By unit, an entry or a whole table: the CPU + 1 that may change it; 0: nobody may. */
  readonly #writer: Rewind
  /** By unit: how many hold it to look at. */
  readonly #readers: Rewind
  readonly #ranges: boolean
  readonly #pgtables: number
  readonly #tableShift: number

  constructor(s: KernelSymbols) {
    this.#ranges = s.PTL_RANGE === 1
    this.#pgtables = s.PGTABLES
    this.#tableShift = Math.log2(s.PTRS_PER_TABLE)
    const units = this.#ranges ? s.NR_PAGES << this.#tableShift : s.NR_PAGES
    this.#writer = new Rewind(units)
    this.#readers = new Rewind(units)
  }

  get rewinds(): readonly Rewind[] {
    return [this.#writer, this.#readers]
  }

  /** The CPU + 1 that may change the entry at `addr`; 0: nobody may. */
  writerOf(addr: number): number {
    return this.#writer.words[this.#unitOf(addr)]
  }

  /** How many CPUs hold the entry at `addr` to look at it. */
  readersOf(addr: number): number {
    return this.#readers.words[this.#unitOf(addr)]
  }

  /**
   * The first of the entries [first, end), by address, that somebody holds so that `mode` cannot have it, too; 0: none.
   */
  conflict(entries: number, first: number, end: number, writes: boolean): number {
    for (let addr = this.#from(entries, first); addr < this.#to(entries, end); addr++)
      if (this.writerOf(addr) !== 0 || (writes && this.readersOf(addr) !== 0)) return addr
    return 0
  }

  /** The first of the entries [first, end) that `cpu` does not hold in that mode; 0: it holds all. */
  notHeld(entries: number, first: number, end: number, writes: boolean, cpu: number): number {
    for (let addr = this.#from(entries, first); addr < this.#to(entries, end); addr++)
      if (writes ? this.writerOf(addr) !== cpu + 1 : this.readersOf(addr) === 0) return addr
    return 0
  }

  take(entries: number, first: number, end: number, writes: boolean, cpu: number): void {
    for (let addr = this.#from(entries, first); addr < this.#to(entries, end); addr++)
      if (writes) this.#writer.set(this.#unitOf(addr), cpu + 1)
      else this.#readers.add(this.#unitOf(addr), 1)
  }

  drop(entries: number, first: number, end: number, writes: boolean): void {
    for (let addr = this.#from(entries, first); addr < this.#to(entries, end); addr++)
      if (writes) this.#writer.set(this.#unitOf(addr), 0)
      else this.#readers.add(this.#unitOf(addr), -1)
  }

  #unitOf(addr: number): number {
    const entry = addr - this.#pgtables
    return this.#ranges ? entry : entry >> this.#tableShift
  }

  // The entries that stand for units: all from `first` up to `end`, or the first for the whole table.

  #from(entries: number, first: number): number {
    return this.#ranges ? entries + first : entries
  }

  #to(entries: number, end: number): number {
    return entries + (this.#ranges ? end : 1)
  }
}
