// What all checks at every step share about one stepped machine: the map of its words, which tables are in a tree, at
// which level and who owns them, which pages, tables and objects are free, and what its words are called. It follows
// the steps by itself, outside the machine's memory. Leaves out every rule: those are in the checks.
import { entryName, pteText, tableEntryText } from '../../inspect/entries.ts'
import { lockClassAt, type LockClassSymbol } from '../../inspect/lock_classes.ts'
import { nameAddress } from '../../inspect/names.ts'
import { dumpPage } from '../../inspect/page_dump.ts'
import { PageTables, type TableLevel } from '../../inspect/page_tables.ts'
import { readSwapEntry } from '../../inspect/swap_entries.ts'
import { Kind } from '../../step/kinds.ts'
import { type Cause, Violation } from '../../step/observer.ts'
import type { KernelSymbols, MachineView } from '../../inspect/symbols.ts'
import { RestingMachine } from '../resting_machine.ts'
import type { Step } from './check.ts'
import { Rewind } from './rewind.ts'
import { EVERY_CHECK, Sites, type WatchedImage } from './sites.ts'
import { TableHolders } from './table_holders.ts'
import { Word, type WordMap, mapWords, wordSet } from './words.ts'

/** The stepped machine as its checks see it. SteppedMachine is one; `sites` and `functions` are its image's. */
export interface WatchedMachine {
  readonly memory: Int32Array
  readonly symbols: Readonly<Record<string, number>>
  readonly cpus: number
  /** The last step announced by each context. */
  readonly site: Int32Array
  readonly lockClasses?: MachineView['lockClasses']
  /** Its event counters (mm/vmstat.ts). */
  readonly stat: Float64Array
}

export class Watch {
  readonly memory: Int32Array
  readonly stat: Float64Array
  readonly s: KernelSymbols
  readonly cpus: number
  readonly sites: Sites
  readonly map: WordMap
  /** By unit: 1 while it is free. */
  readonly dead: Rewind
  /** By unit: CPU and site of the step that freed it, as (site * 64 + cpu) + 1; 0: free from the start. */
  readonly freedBy: Rewind
  /** By page frame: level of the table from 1 (PTEs) up; 0: no entry leads to it. */
  readonly level: Rewind
  /** By page frame: the mm, and the first page number that the table spans. */
  readonly tableMm: Rewind
  readonly tableStart: Rewind
  readonly holders: TableHolders
  /** By CPU: how often it holds entries of tables. */
  readonly owned: Rewind
  readonly functions: ReadonlySet<string>
  /** By site: 1 where a page's count is frozen: it goes to 0, and the page is not freed. */
  readonly freezes: Uint8Array
  readonly tableShift: number
  readonly #machine: WatchedMachine
  readonly #view: RestingMachine
  readonly #tables: PageTables
  #based = false

  // Symbols that every step may need; an object of thousands of properties is slow to look into.
  readonly pgtables: number
  readonly tableFlag: number
  readonly memmap: number
  readonly pageWords: number
  readonly content: number
  readonly contentShift: number
  readonly pfnShift: number
  readonly mapping: number
  readonly refcount: number
  readonly mapcount: number

  constructor(machine: WatchedMachine, image: WatchedImage) {
    this.#machine = machine
    this.memory = machine.memory
    this.stat = machine.stat
    this.cpus = machine.cpus
    this.sites = new Sites(image)
    this.functions = new Set(image.functions)
    this.freezes = this.sites.of(EVERY_CHECK, ['page_ref_freeze'])
    this.#view = new RestingMachine(machine, 'running')
    this.#tables = PageTables.of(machine)
    const s = this.#view.symbols
    this.s = s
    this.map = mapWords(s)
    this.dead = new Rewind(this.map.units)
    this.freedBy = new Rewind(this.map.units)
    this.level = new Rewind(s.NR_PAGES)
    this.tableMm = new Rewind(s.NR_PAGES)
    this.tableStart = new Rewind(s.NR_PAGES)
    this.holders = new TableHolders(s)
    this.owned = new Rewind(machine.cpus)
    this.pgtables = s.PGTABLES
    this.tableFlag = s.PG_table
    this.tableShift = Math.log2(s.PTRS_PER_TABLE)
    this.memmap = s.MEMMAP
    this.pageWords = s.PAGE_WORDS
    this.content = s.CONTENT
    this.contentShift = Math.log2(s.CONTENT_WORDS)
    this.pfnShift = s.PFN_SHIFT
    this.mapping = s.page$mapping
    this.refcount = s.page$_refcount
    this.mapcount = s.page$_mapcount
  }

  // Following the machine.

  /** Words whose changes are followed. */
  readonly writes = wordSet(Word.ENTRY, Word.PAGE_FLAGS, Word.MM_PGD, Word.REFCOUNT, Word.COMPOUND_HEAD)

  /** A new execution begins. The first time, the state that setup left is read from memory. */
  begin(): void {
    const { dead, freedBy, level, tableMm, tableStart, holders, owned } = this
    const all = [dead, freedBy, level, tableMm, tableStart, owned, ...holders.rewinds]
    for (const part of all) part.rewind()
    if (this.#based) return
    this.#based = true
    this.#readBase()
    for (const part of all) part.forget()
  }

  /** The PTEs that are not none when an execution begins: address and value. Memory must be as setup left it. */
  basePtes(visit: (addr: number, pte: number) => void): void {
    const { memory } = this
    for (let pfn = 0; pfn < this.s.NR_PAGES; pfn++) {
      if (this.level.words[pfn] !== 1) continue
      const entries = this.pgtables + (pfn << this.tableShift)
      for (let i = 0; i < this.s.PTRS_PER_TABLE; i++)
        if (memory[entries + i] !== 0) visit(entries + i, memory[entries + i])
    }
  }

  #readBase(): void {
    const { memory, s, map, dead } = this
    for (let pfn = 0; pfn < s.NR_PAGES; pfn++) {
      const page = this.pageOf(pfn)
      const tail = (memory[page + s.page$compound_head] & 1) !== 0
      dead.set(map.pageUnit + pfn, memory[page + s.page$_refcount] === 0 && !tail ? 1 : 0)
      dead.set(map.tableUnit + pfn, (memory[page + s.page$flags] & s.PG_table) === 0 ? 1 : 0)
    }
    for (const cache of map.caches) {
      const { free } = this.#view.caches[cache.name]
      for (let i = 0; i < cache.count; i++) dead.set(cache.unit + i, free[i])
    }
    for (const { address } of this.#view.mms)
      this.#attach(memory[address + s.mm$pgd], s.PGTABLE_LEVELS, address, 0)
  }

  /** Follows a step that may have changed a word of the classes in `writes`. */
  step({ context, kind, addr, old, site }: Step): void {
    const value = this.memory[addr]
    if (value === old || kind === Kind.CLEAR) return
    const { s, map } = this
    switch (map.classOf[addr]) {
      case Word.ENTRY: {
        const pfn = this.tableFrame(addr)
        const level = this.level.words[pfn]
        if (level < 2) return
        if (this.leadsToTable(old)) this.#detach(this.#tables.next(old))
        if (this.leadsToTable(value))
          this.#attach(this.#tables.next(value), level - 1, this.tableMm.words[pfn], this.entryStart(addr))
        return
      }
      case Word.PAGE_FLAGS: {
        if (((value ^ old) & this.tableFlag) === 0) return
        const pfn = this.pfnOf(addr)
        this.level.set(pfn, 0)
        this.#setDead(map.tableUnit + pfn, (value & this.tableFlag) === 0, context, site)
        return
      }
      case Word.MM_PGD:
        this.#attach(value, s.PGTABLE_LEVELS, addr - s.mm$pgd, 0)
        return
      case Word.REFCOUNT:
        if (this.freezes[site] === 1) return
        if (value === 0 || old === 0) this.#setDead(map.unitOf[addr], value === 0, context, site)
        return
      case Word.COMPOUND_HEAD:
        if ((value & 1) !== 0) this.#setDead(map.unitOf[addr], false, context, site)
        else if ((old & 1) !== 0) this.#setDead(map.unitOf[addr], true, context, site)
    }
  }

  objectAllocated(context: number, object: number, site: number): void {
    this.#setDead(this.map.unitOf[object], false, context, site)
  }

  objectFreed(context: number, object: number, site: number): void {
    this.#setDead(this.map.unitOf[object], true, context, site)
  }

  tableLocked(context: number, table: number, first: number, end: number, mode: number): void {
    const cpu = this.cpuOf(context)
    this.holders.take(this.entriesOf(table), first, end, mode === this.s.PTL_WRITE, cpu)
    this.owned.add(cpu, 1)
  }

  tableUnlocked(context: number, table: number, first: number, end: number, mode: number): void {
    this.holders.drop(this.entriesOf(table), first, end, mode === this.s.PTL_WRITE)
    this.owned.add(this.cpuOf(context), -1)
  }

  #setDead(unit: number, dead: boolean, context: number, site: number): void {
    this.dead.set(unit, dead ? 1 : 0)
    if (dead) this.freedBy.set(unit, site * 64 + this.cpuOf(context) + 1)
  }

  #attach(entries: number, level: number, mm: number, start: number): void {
    if (this.#tables.frameOf(entries) < 0) return
    this.#tables.walk({ entries, level: level - 1, start }, (table) => {
      const pfn = this.tableFrame(table.entries)
      this.level.set(pfn, table.level + 1)
      this.tableMm.set(pfn, mm)
      this.tableStart.set(pfn, table.start)
      return true
    })
  }

  #detach(entries: number): void {
    const pfn = this.#tables.frameOf(entries)
    if (pfn >= 0) this.level.set(pfn, 0)
  }

  // Where things lie.

  cpuOf(context: number): number {
    return context < this.cpus ? context : context - this.cpus
  }

  pageOf(pfn: number): number {
    return this.memmap + pfn * this.pageWords
  }

  pfnOf(page: number): number {
    return ((page - this.memmap) / this.pageWords) | 0
  }

  tableFrame(entry: number): number {
    return (entry - this.pgtables) >> this.tableShift
  }

  /** The struct page of the table that the entry at `addr` lies in. */
  tableOf(addr: number): number {
    return this.pageOf(this.tableFrame(addr))
  }

  /** Whether the word at `addr` is a PTE of a tree. */
  isPte(addr: number): boolean {
    return this.level.words[(addr - this.pgtables) >> this.tableShift] === 1
  }

  /** Address of the first entry of the table in the page at `table`. */
  entriesOf(table: number): number {
    return this.pgtables + (this.pfnOf(table) << this.tableShift)
  }

  /** Whether a CPU may change the entry at `addr`. */
  owns(cpu: number, addr: number): boolean {
    return this.holders.writerOf(addr) === cpu + 1
  }

  leadsToTable(entry: number): boolean {
    return this.#tables.leadsToTable(entry)
  }

  /** First page number that the entry at `addr` spans. */
  entryStart(addr: number): number {
    const pfn = this.tableFrame(addr)
    const index = (addr - this.pgtables) & (this.s.PTRS_PER_TABLE - 1)
    return this.tableStart.words[pfn] + index * 2 ** this.#levelOf(pfn).shift
  }

  /** Of the table in a slot, which is in a tree. */
  #levelOf(slot: number): TableLevel {
    return this.#tables.levels[this.level.words[slot] - 1]
  }

  /** Address of the PTE of page `addr` of `mm`; 0: no table is there. */
  pteOf(mm: number, addr: number): number {
    return this.#tables.pteAddress(mm, addr)
  }

  /** Whether a PTE maps a page that is counted. */
  maps(pte: number): boolean {
    const { s } = this
    return (pte & (s._PAGE_PRESENT | s._PAGE_PROTNONE)) !== 0 && (pte & s._PAGE_SPECIAL) === 0
  }

  /** Whether a PTE is a swap entry: it counts as MM_SWAPENTS. */
  isSwap(pte: number): boolean {
    if (pte === 0 || (pte & (this.s._PAGE_PRESENT | this.s._PAGE_PROTNONE)) !== 0) return false
    return readSwapEntry(this.s, pte).kind === 'swap'
  }

  /**
   * Whether a swap entry may become this one: of the same slot, or the mark of a page that could not be read from it.
   */
  staysSwapped(from: number, to: number): boolean {
    const before = readSwapEntry(this.s, from)
    const { kind, device, offset } = readSwapEntry(this.s, to)
    return kind === 'error' || (device === before.device && offset === before.offset)
  }

  /** The page frame that a PTE stands for while the page migrates; -1: it is no migration entry. */
  migrating(pte: number): number {
    if (pte === 0 || (pte & (this.s._PAGE_PRESENT | this.s._PAGE_PROTNONE)) !== 0) return -1
    const { kind, offset } = readSwapEntry(this.s, pte)
    return kind === 'migration' ? offset : -1
  }

  isAnon(pfn: number): boolean {
    return (this.memory[this.pageOf(pfn) + this.mapping] & this.s.PAGE_MAPPING_ANON) !== 0
  }

  // Names.

  /** Where the last step of a context stands. */
  lastSite(context: number): number {
    return this.#machine.site[context]
  }

  /** The class that the lock at `addr` was given (a LOCK_CLASS_ constant), where that is known. */
  givenLockClass(addr: number): number | undefined {
    return this.#machine.lockClasses?.get(addr)
  }

  /** The class of the lock at `addr`; undefined: it is no lock of the kernel's. */
  lockClass(addr: number): LockClassSymbol | undefined {
    return lockClassAt(this.#machine, addr)
  }

  /** The word at `addr` by its object and field; a PTE by its mm and page. */
  name(addr: number): string {
    if (this.map.classOf[addr] === Word.ENTRY && this.level.words[this.tableFrame(addr)] !== 0)
      return this.entryName(addr)
    return nameAddress(this.#machine, addr)
  }

  /** `pte[mm 1, 0x7000]`. */
  entryName(addr: number): string {
    const pfn = this.tableFrame(addr)
    return entryName(this.#machine, this.#levelOf(pfn).name, this.tableMm.words[pfn], this.entryStart(addr))
  }

  /** What `entry` says in the word at `addr`: `none`, `pfn 0x1a3 rw dirty young`, `table page 0x33`. */
  entryValue(addr: number, entry: number): string {
    const upper = this.level.words[this.tableFrame(addr)] > 1
    return upper ? tableEntryText(this.#machine, entry) : pteText(this.#machine, entry)
  }

  /** A struct page as dump_page() prints it. */
  dumpPage(pfn: number): string {
    return dumpPage(this.#machine, this.pageOf(pfn)).join('\n')
  }

  /** Functions on the kernel's stack of the context that runs, innermost first. */
  stack(): string[] {
    const limit = Error.stackTraceLimit
    Error.stackTraceLimit = 60
    const text = new Error('stack').stack ?? ''
    Error.stackTraceLimit = limit
    const names: string[] = []
    for (const match of text.matchAll(/^\s+at (\w+) \(/gm))
      if (this.functions.has(match[1])) names.push(match[1])
    return names
  }

  /** `pte[mm 1, 0x7000]`, whether or not a table is there. */
  pteName(mm: number, page: number): string {
    return entryName(this.#machine, 'pte', mm, page)
  }

  /**
   * Why the TLB of CPU `cpu` has a translation of page `page` of `mm` that is none any more: its entry was changed, at
   * `site` if given, and the walk had cached it before.
   */
  staleCauses(cpu: number, mm: number, page: number, site?: number): Cause[] {
    const object = this.pteName(mm, page)
    return [
      { object, what: 'takes away what is cached', writes: true, ...(site === undefined ? {} : { site }) },
      { object, what: `fills the TLB of CPU ${cpu}`, cpu, function: 'tlb_walk' },
    ]
  }

  /** Throws the violation `text` of `check`, naming the step, by CPU and place, and what led to it. */
  fail(check: string, context: number, site: number, text: string, causes: readonly Cause[] = []): never {
    const where = `at ${this.sites.where(site)} on CPU ${this.cpuOf(context)}`
    throw new Violation(check, `${text}\n ${where}`, causes)
  }
}
