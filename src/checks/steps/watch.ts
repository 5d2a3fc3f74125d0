// What all checks at every step share about one stepped machine: the map of its words, which tables are in a tree, at which
// level and who owns them, which pages, tables and objects are free, and how to name a step. It follows the steps by itself,
// outside the machine's memory. Leaves out every rule: those are in the checks.
import { hex, nameAddress } from '../../inspect/names.ts'
import { swapEntryName } from '../../inspect/swap_names.ts'
import { Kind } from '../../step/kinds.ts'
import { Violation } from '../../step/observer.ts'
import type { KernelSymbols } from '../symbols.ts'
import { readSwapEntry } from '../swap.ts'
import { MachineView } from '../view.ts'
import { Rewind } from './rewind.ts'
import { Word, type WordMap, mapWords, wordSet } from './words.ts'

/** A place of the kernel's source where steps are made (kbuild's Site). */
export interface StepSite {
  readonly fn: string
  readonly file: string
  readonly line: number
  readonly helper?: string
}

/** The stepped machine as its checks see it. SteppedMachine is one; `sites` and `functions` are its image's. */
export interface WatchedMachine {
  readonly memory: Int32Array
  readonly symbols: Readonly<Record<string, number>>
  readonly cpus: number
  /** The last step announced by each entity. */
  readonly site: Int32Array
}

export interface WatchedImage {
  readonly sites: readonly StepSite[]
  /** Names of its functions, by which call stacks are recognised. */
  readonly functions?: readonly string[]
}

/** Names of table levels from 1, the PTEs, up. */
const LEVELS = ['', 'pte', 'pmd', 'pud', 'p4d', 'pgd']

export class Watch {
  readonly memory: Int32Array
  readonly s: KernelSymbols
  readonly cpus: number
  readonly sites: readonly StepSite[]
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
  /** By page frame: the CPU + 1 that owns the entries of the table in it. */
  readonly owner: Rewind
  /** By CPU: how many tables it owns. */
  readonly owned: Rewind
  readonly functions: ReadonlySet<string>
  /** By site: 1 where a page's count is frozen: it goes to 0, and the page is not freed. */
  readonly freezes: Uint8Array
  readonly tableShift: number
  readonly #machine: WatchedMachine
  readonly #view: MachineView
  #based = false

  // Symbols that every step may need; an object of thousands of properties is slow to look into.
  readonly pgtables: number
  readonly tableFlag: number
  readonly memmap: number
  readonly pageWords: number
  readonly content: number
  readonly contentShift: number
  readonly mapping: number
  readonly refcount: number
  readonly mapcount: number

  constructor(machine: WatchedMachine, image: WatchedImage) {
    this.#machine = machine
    this.memory = machine.memory
    this.cpus = machine.cpus
    this.sites = image.sites
    this.functions = new Set(image.functions)
    this.freezes = this.sitesOf(new Set(['page_ref_freeze']))
    this.#view = new MachineView(machine, 'running')
    const s = this.#view.symbols
    this.s = s
    this.map = mapWords(s)
    this.dead = new Rewind(this.map.units)
    this.freedBy = new Rewind(this.map.units)
    this.level = new Rewind(s.NR_PAGES)
    this.tableMm = new Rewind(s.NR_PAGES)
    this.tableStart = new Rewind(s.NR_PAGES)
    this.owner = new Rewind(s.NR_PAGES)
    this.owned = new Rewind(machine.cpus)
    this.pgtables = s.PGTABLES
    this.tableFlag = s.PG_table
    this.tableShift = Math.log2(s.PTRS_PER_TABLE)
    this.memmap = s.MEMMAP
    this.pageWords = s.PAGE_WORDS
    this.content = s.CONTENT
    this.contentShift = Math.log2(s.CONTENT_WORDS)
    this.mapping = s.page$mapping
    this.refcount = s.page$_refcount
    this.mapcount = s.page$_mapcount
  }

  // Following the machine.

  /** Words whose changes are followed. */
  readonly writes = wordSet(Word.ENTRY, Word.PAGE_FLAGS, Word.MM_PGD, Word.REFCOUNT, Word.COMPOUND_HEAD)

  /** A new execution begins. The first time, the state that setup left is read from memory. */
  begin(): void {
    const all = [this.dead, this.freedBy, this.level, this.tableMm, this.tableStart, this.owner, this.owned]
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
  step(
    entity: number,
    kind: number,
    addr: number,
    _a: number,
    _b: number,
    old: number,
    _result: number,
    site: number,
  ): void {
    const value = this.memory[addr]
    if (value === old || kind === Kind.CLEAR) return
    const { s, map } = this
    switch (map.classOf[addr]) {
      case Word.ENTRY: {
        const pfn = this.tableFrame(addr)
        const level = this.level.words[pfn]
        if (level < 2) return
        if (this.leadsToTable(old)) this.#detach(this.tableEntries(old))
        if (this.leadsToTable(value))
          this.#attach(this.tableEntries(value), level - 1, this.tableMm.words[pfn], this.entryStart(addr))
        return
      }
      case Word.PAGE_FLAGS: {
        if (((value ^ old) & this.tableFlag) === 0) return
        const pfn = this.pfnOf(addr)
        this.level.set(pfn, 0)
        this.#setDead(map.tableUnit + pfn, (value & this.tableFlag) === 0, entity, site)
        return
      }
      case Word.MM_PGD:
        this.#attach(value, s.PGTABLE_LEVELS, addr - s.mm$pgd, 0)
        return
      case Word.REFCOUNT:
        if (this.freezes[site] === 1) return
        if (value === 0 || old === 0) this.#setDead(map.unitOf[addr], value === 0, entity, site)
        return
      case Word.COMPOUND_HEAD:
        if ((value & 1) !== 0) this.#setDead(map.unitOf[addr], false, entity, site)
        else if ((old & 1) !== 0) this.#setDead(map.unitOf[addr], true, entity, site)
    }
  }

  objectAllocated(entity: number, object: number, site: number): void {
    this.#setDead(this.map.unitOf[object], false, entity, site)
  }

  objectFreed(entity: number, object: number, site: number): void {
    this.#setDead(this.map.unitOf[object], true, entity, site)
  }

  tableLocked(entity: number, table: number): void {
    const cpu = this.cpuOf(entity)
    this.owner.set(this.pfnOf(table), cpu + 1)
    this.owned.add(cpu, 1)
  }

  tableUnlocked(entity: number, table: number): void {
    this.owner.set(this.pfnOf(table), 0)
    this.owned.add(this.cpuOf(entity), -1)
  }

  #setDead(unit: number, dead: boolean, entity: number, site: number): void {
    this.dead.set(unit, dead ? 1 : 0)
    if (dead) this.freedBy.set(unit, site * 64 + this.cpuOf(entity) + 1)
  }

  #attach(entries: number, level: number, mm: number, start: number): void {
    const pfn = this.tableFrame(entries)
    if (pfn < 0 || pfn >= this.s.NR_PAGES) return
    this.level.set(pfn, level)
    this.tableMm.set(pfn, mm)
    this.tableStart.set(pfn, start)
    if (level === 1) return
    for (let i = 0; i < this.s.PTRS_PER_TABLE; i++) {
      const entry = this.memory[entries + i]
      if (this.leadsToTable(entry))
        this.#attach(this.tableEntries(entry), level - 1, mm, this.entryStart(entries + i))
    }
  }

  #detach(entries: number): void {
    const pfn = this.tableFrame(entries)
    if (pfn >= 0 && pfn < this.s.NR_PAGES) this.level.set(pfn, 0)
  }

  // Where things lie.

  cpuOf(entity: number): number {
    return entity < this.cpus ? entity : entity - this.cpus
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

  leadsToTable(entry: number): boolean {
    return (entry & (this.s._PAGE_PRESENT | this.s._PAGE_PSE)) === this.s._PAGE_PRESENT
  }

  /** Word address of the entries of the table that an entry leads to. */
  tableEntries(entry: number): number {
    return this.pgtables + ((entry >>> this.s.PFN_SHIFT) << this.tableShift)
  }

  /** First page number that the entry at `addr` spans. */
  entryStart(addr: number): number {
    const pfn = this.tableFrame(addr)
    const index = (addr - this.pgtables) & (this.s.PTRS_PER_TABLE - 1)
    return this.tableStart.words[pfn] + index * 2 ** this.#shift(this.level.words[pfn])
  }

  #shift(level: number): number {
    const { s } = this
    return [0, 0, s.PMD_SHIFT, s.PUD_SHIFT, s.P4D_SHIFT, s.PGDIR_SHIFT][level]
  }

  /** Address of the PTE of page `addr` of `mm`; 0: no table is there. */
  pteOf(mm: number, addr: number): number {
    const { s, memory } = this
    let entries = memory[mm + s.mm$pgd]
    for (let level = s.PGTABLE_LEVELS; level > 1; level--) {
      const shift = this.#shift(level)
      const index = level === s.PGTABLE_LEVELS ? addr >>> shift : (addr >>> shift) & this.#mask(level)
      const entry = memory[entries + index]
      if (!this.leadsToTable(entry)) return 0
      entries = this.tableEntries(entry)
    }
    return entries + (addr & (s.PTRS_PER_PTE - 1))
  }

  #mask(level: number): number {
    const { s } = this
    return [0, s.PTRS_PER_PTE, s.PTRS_PER_PMD, s.PTRS_PER_PUD, s.PTRS_PER_P4D, s.PTRS_PER_PGD][level] - 1
  }

  /** Whether a PTE maps a page that is counted. */
  maps(pte: number): boolean {
    const { s } = this
    return (pte & (s._PAGE_PRESENT | s._PAGE_PROTNONE)) !== 0 && (pte & s._PAGE_SPECIAL) === 0
  }

  /** Whether a PTE is a swap entry: it counts as MM_SWAPENTS. */
  isSwap(pte: number): boolean {
    if (pte === 0 || (pte & (this.s._PAGE_PRESENT | this.s._PAGE_PROTNONE)) !== 0) return false
    return readSwapEntry(pte, this.s.PFN_SHIFT).kind === 'swap'
  }

  /** Whether a swap entry may become this one: of the same slot, or the mark of a page that could not be read from it. */
  staysSwapped(from: number, to: number): boolean {
    const before = readSwapEntry(from, this.s.PFN_SHIFT)
    const { kind, device, offset } = readSwapEntry(to, this.s.PFN_SHIFT)
    return kind === 'error' || (device === before.device && offset === before.offset)
  }

  /** The page frame that a PTE stands for while the page migrates; -1: it is no migration entry. */
  migrating(pte: number): number {
    if (pte === 0 || (pte & (this.s._PAGE_PRESENT | this.s._PAGE_PROTNONE)) !== 0) return -1
    const { kind, offset } = readSwapEntry(pte, this.s.PFN_SHIFT)
    return kind === 'migration' ? offset : -1
  }

  isAnon(pfn: number): boolean {
    return (this.memory[this.pageOf(pfn) + this.mapping] & this.s.PAGE_MAPPING_ANON) !== 0
  }

  // Names.

  /** The sites whose function or helper is one of `names`, as a table by site. */
  sitesOf(names: ReadonlySet<string>): Uint8Array {
    return Uint8Array.from(this.sites, ({ fn, helper }) =>
      names.has(fn) || (helper !== undefined && names.has(helper)) ? 1 : 0,
    )
  }

  /** The sites in one of `files` (paths from the package's folder). */
  sitesIn(files: ReadonlySet<string>): Uint8Array {
    return Uint8Array.from(this.sites, ({ file }) => (files.has(file) ? 1 : 0))
  }

  /** `wp_page_copy src/kernel/mm/memory/do_wp_page.ts:123`. */
  where(site: number): string {
    const place = this.sites[site]
    if (place === undefined) return `site ${site}`
    return `${place.fn} ${place.file}:${place.line}`
  }

  /** Where the last step of an entity stands. */
  lastSite(entity: number): number {
    return this.#machine.site[entity]
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
    const id = this.memory[this.tableMm.words[pfn] + this.s.mm$id]
    return `${LEVELS[this.level.words[pfn]]}[mm ${id}, ${hex(this.entryStart(addr))}]`
  }

  /** `none`, `pfn 0x1a3 rw dirty accessed`, `table 0x33`. */
  entryValue(addr: number, entry: number): string {
    const { s } = this
    if (entry === 0) return 'none'
    const pfn = hex(entry >>> s.PFN_SHIFT)
    if (this.level.words[this.tableFrame(addr)] > 1)
      return this.leadsToTable(entry) ? `table ${pfn}` : hex(entry)
    if ((entry & (s._PAGE_PRESENT | s._PAGE_PROTNONE)) === 0) return swapEntryName(entry, s.PFN_SHIFT)
    const flags = [
      (entry & s._PAGE_PROTNONE) !== 0 ? ' protnone' : '',
      (entry & s._PAGE_RW) !== 0 ? ' rw' : ' ro',
      (entry & s._PAGE_DIRTY) !== 0 ? ' dirty' : '',
      (entry & s._PAGE_SPECIAL) !== 0 ? ' special' : '',
    ]
    return `pfn ${pfn}${flags.join('')}`
  }

  /** A struct page as dump_page() prints it. */
  dumpPage(pfn: number): string {
    const { memory, s } = this
    const page = this.pageOf(pfn)
    const field = (offset: number): number => memory[page + offset]
    return (
      `page: refcount:${field(s.page$_refcount)} mapcount:${field(s.page$_mapcount) + 1} ` +
      `mapping:${hex(field(s.page$mapping))} index:${hex(field(s.page$index))} pfn:${hex(pfn)}\n` +
      `flags: ${hex(field(s.page$flags))}`
    )
  }

  /** Functions on the kernel's stack of the entity that runs, innermost first. */
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

  /** Throws the violation `text` of `check`, naming the step: the CPU and the place. */
  fail(check: string, entity: number, site: number, text: string): never {
    throw new Violation(check, `${text}\n at ${this.where(site)} on CPU ${this.cpuOf(entity)}`)
  }
}
