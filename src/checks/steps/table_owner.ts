// E1: the split page-table-lock check. From taking to dropping its lock a table, or the entries that a design of ranges
// was asked for, has one owner or only readers, whatever the design took; nobody else writes its entries; what an
// optimistic look found is there when the design says so; and a table's lock is made before an entry leads to it.
// Leaves out the words of locks that do not lie in a struct page.
import { Kind } from '../../step/kinds.ts'
import { hex } from '../../inspect/names.ts'
import type { Step, StepCheck, StepCheckKind } from './check.ts'
import type { Watch } from './watch.ts'
import { Word, wordSet } from './words.ts'

const NAME = 'table-owner'

/** Tables that nobody else can reach any more are taken apart without their locks. */
const FREE_PGTABLES = [
  'free_pgtables',
  'free_p4d_range',
  'free_pud_range',
  'free_pmd_range',
  'free_table_above',
]
const HARDWARE = ['tlb_walk', 'hardware_set_bits']

export const tableOwner: StepCheckKind = {
  id: 'E1',
  name: NAME,
  description:
    'Entries of a page table that is in a tree are written only by the CPU that holds the table, one ' +
    'CPU holds it, and its lock was made before.',
  cost: 'a few ns a write of an entry',
  create: (watch) => new TableOwner(watch),
}

class TableOwner implements StepCheck {
  readonly reads = 0
  readonly writes = wordSet(Word.ENTRY)
  readonly #watch: Watch
  readonly #freeing: Uint8Array
  readonly #hardware: Uint8Array
  readonly #bits: number

  constructor(watch: Watch) {
    this.#watch = watch
    this.#freeing = watch.sites.of(NAME, FREE_PGTABLES)
    this.#hardware = watch.sites.of(NAME, HARDWARE)
    this.#bits = watch.s._PAGE_ACCESSED | watch.s._PAGE_DIRTY
  }

  begin(): void {}

  step({ context, kind, addr, a, b, old, site }: Step): void {
    const watch = this.#watch
    if (watch.level.words[watch.tableFrame(addr)] === 0) return
    if (watch.owns(watch.cpuOf(context), addr)) return
    if (this.#freeing[site] === 1) return
    if (kind === Kind.CMPXCHG && old !== a) return
    if (kind === Kind.CMPXCHG && (b & ~this.#bits) === (a & ~this.#bits) && (a & ~b) === 0)
      if (this.#hardware[site] === 1) return
    const value = watch.memory[addr]
    watch.fail(
      NAME,
      context,
      site,
      `${watch.entryName(addr)} ${watch.entryValue(addr, old)} -> ${watch.entryValue(addr, value)}: ` +
        `written without holding its table, page ${hex(watch.pfnOf(watch.tableOf(addr)))}, which ${this.#holder(addr)}`,
    )
  }

  /** A lock is made anew that others may find already, and hold. */
  lockInit(context: number, lock: number): void {
    const watch = this.#watch
    if (watch.map.classOf[lock] !== Word.TABLE_LOCK) return
    const pfn = watch.pfnOf(lock)
    if (watch.level.words[pfn] === 0) return
    watch.fail(
      NAME,
      context,
      watch.lastSite(context),
      `the lock of the page table in page ${hex(pfn)} is initialised while an entry leads to the ` +
        `table, which ${this.#holder(watch.entriesOf(watch.pageOf(pfn)))}`,
    )
  }

  tableLocked(context: number, table: number, first: number, end: number, mode: number): void {
    const watch = this.#watch
    const addr = watch.holders.conflict(watch.entriesOf(table), first, end, mode === watch.s.PTL_WRITE)
    if (addr === 0) return
    watch.fail(
      NAME,
      context,
      watch.lastSite(context),
      `two owners of ${this.#held(addr)}: CPU ${watch.cpuOf(context)} has taken its lock, and it ` +
        `${this.#holder(addr)} already`,
    )
  }

  tableUnlocked(context: number, table: number, first: number, end: number, mode: number): void {
    const watch = this.#watch
    const cpu = watch.cpuOf(context)
    const addr = watch.holders.notHeld(watch.entriesOf(table), first, end, mode === watch.s.PTL_WRITE, cpu)
    if (addr === 0) return
    watch.fail(
      NAME,
      context,
      watch.lastSite(context),
      `the lock of ${this.#held(addr)} is dropped by a CPU that does not hold it; the table ${this.#holder(addr)}`,
    )
  }

  tableReadDone(context: number, ptep: number, orig: number): void {
    const watch = this.#watch
    const value = watch.memory[ptep]
    if (((value ^ orig) & ~this.#bits) === 0) return
    watch.fail(
      NAME,
      context,
      watch.lastSite(context),
      `an optimistic look at ${watch.entryName(ptep)} found ${watch.entryValue(ptep, orig)}, and the ` +
        'design says that ' +
        `nothing has changed since; it is ${watch.entryValue(ptep, value)}`,
    )
  }

  /** What the design was asked for, of which the entry at `addr` is part. */
  #held(addr: number): string {
    const watch = this.#watch
    if (watch.s.PTL_RANGE === 1) return watch.name(addr)
    return `the page table in page ${hex(watch.pfnOf(watch.tableOf(addr)))}`
  }

  #holder(addr: number): string {
    const { holders } = this.#watch
    const writer = holders.writerOf(addr)
    if (writer !== 0) return `is held by CPU ${writer - 1}`
    const readers = holders.readersOf(addr)
    if (readers === 0) return 'nobody holds'
    return `is held by ${readers === 1 ? 'a reader' : `${readers} readers`}`
  }
}
