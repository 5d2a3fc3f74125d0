// E8: the ledger. What a CPU did to map counts and rss counters between taking its first page table and dropping its
// last equals what it did to the tables' entries, page by page and kind by kind; and a page has at least as many
// references as mappings then. Leaves out references one by one: they are taken before and dropped after.
import { Kind } from '../../step/kinds.ts'
import { hex } from '../../inspect/names.ts'
import type { Step, StepCheck, StepCheckKind } from './check.ts'
import type { Watch } from './watch.ts'
import { Word, wordSet } from './words.ts'

const NAME = 'ledger'
const BOOT_AND_ALLOCATOR = 'mm/page_alloc'

export const ledger: StepCheckKind = {
  id: 'E8',
  name: NAME,
  description:
    'When a CPU drops its last page table, its changes of map counts and rss counters equal its changes of entries.',
  cost: 'some 20 ns a change of a PTE, 100 ns a section',
  create: (watch) => new Ledger(watch),
}

class Ledger implements StepCheck {
  readonly reads = 0
  readonly writes = wordSet(Word.ENTRY, Word.MAPCOUNT, Word.MM_RSS)
  readonly #watch: Watch
  readonly #allocator: Uint8Array
  readonly #books: Book[]
  /** Kinds of rss counters of an mm. */
  readonly #kinds: number

  constructor(watch: Watch) {
    this.#watch = watch
    this.#allocator = watch.sites.in(NAME, BOOT_AND_ALLOCATOR)
    const { NR_PAGES, NR_MMS, NR_MM_COUNTERS: kinds } = watch.s
    this.#kinds = kinds
    this.#books = Array.from({ length: watch.cpus }, () => new Book(NR_PAGES, NR_MMS, kinds))
  }

  begin(): void {
    for (const book of this.#books) book.open()
  }

  step({ context, kind, addr, old, site }: Step): void {
    const watch = this.#watch
    const value = watch.memory[addr]
    if (value === old || kind === Kind.CLEAR) return
    const cpu = watch.cpuOf(context)
    const inside = watch.owned.words[cpu] > 0
    const book = this.#books[cpu]
    switch (watch.map.classOf[addr]) {
      case Word.ENTRY: {
        if (!inside || !watch.isPte(addr)) return
        const mm = this.#mmIndex(watch.tableMm.words[watch.tableFrame(addr)])
        this.#entry(book, old, this.#kinds * mm, -1)
        this.#entry(book, value, this.#kinds * mm, 1)
        return
      }
      case Word.MAPCOUNT:
        if (inside) book.mapcount(watch.pfnOf(addr), value - old)
        else if (this.#allocator[site] === 0)
          watch.fail(
            NAME,
            context,
            site,
            `page ${hex(watch.pfnOf(addr))} _mapcount ${old} -> ${value} while CPU ${cpu} holds no page table`,
          )
        return
      case Word.MM_RSS:
        if (inside) book.rss(this.#kinds * this.#mmIndex(addr) + this.#memberOf(addr), value - old)
    }
  }

  /**
   * An entry is gone or new: a mapping of a page, or a swap entry, or one of migration, which counts as what it stands
   * for.
   */
  #entry(book: Book, pte: number, counters: number, change: number): void {
    const watch = this.#watch
    if (watch.maps(pte)) {
      const pfn = pte >>> watch.pfnShift
      book.entry(pfn, counters + this.#member(pfn), change)
    } else if (watch.isSwap(pte)) book.swapEntry(counters + watch.s.MM_SWAPENTS, change)
    else if (watch.migrating(pte) >= 0) book.swapEntry(counters + this.#member(watch.migrating(pte)), change)
  }

  tableLocked(context: number): void {
    const watch = this.#watch
    const cpu = watch.cpuOf(context)
    if (watch.owned.words[cpu] !== 0) return
    const book = this.#books[cpu]
    const { memory, s } = watch
    book.open()
    book.task = memory[s.PERCPU + cpu * s.PERCPU_WORDS + s.percpu$current]
    if (book.task === 0) return
    for (let member = 0; member < this.#kinds; member++)
      book.taskRss[member] = memory[book.task + s.task$rss_stat + member]
  }

  tableUnlocked(context: number): void {
    const watch = this.#watch
    const cpu = watch.cpuOf(context)
    if (watch.owned.words[cpu] !== 1) return
    const book = this.#books[cpu]
    const { memory, s } = watch
    if (book.task !== 0) {
      // What the task has counted and not added to its mm yet.
      const mm = this.#mmIndex(memory[book.task + s.task$mm])
      for (let member = 0; member < this.#kinds; member++) {
        const counted = memory[book.task + s.task$rss_stat + member] - book.taskRss[member]
        if (counted !== 0) book.rss(this.#kinds * mm + member, counted)
      }
    }
    const fail = (text: string): never =>
      watch.fail(NAME, context, watch.lastSite(context), `${text}, as CPU ${cpu} drops its last page table`)
    for (let i = 0; i < book.pages; i++) {
      const pfn = book.page[i]
      const entries = book.entries[pfn]
      const mapcount = book.mapcounts[pfn]
      if (entries !== mapcount)
        fail(
          `page ${hex(pfn)}: ${signed(entries)} page table entries, _mapcount ${signed(mapcount)}\n` +
            `${watch.dumpPage(pfn)}\n`,
        )
      const page = watch.pageOf(pfn)
      if (memory[page + watch.refcount] < memory[page + watch.mapcount] + 1)
        fail(`page ${hex(pfn)} has fewer references than mappings\n${watch.dumpPage(pfn)}\n`)
    }
    for (let i = 0; i < book.counters; i++) {
      const counter = book.counter[i]
      if (book.expected[counter] === book.counted[counter]) continue
      const mm = s.MMS + Math.floor(counter / this.#kinds) * s.MM_WORDS
      fail(
        `mm ${memory[mm + s.mm$id]}: ${signed(book.expected[counter])} page table entries of ` +
          `${this.#kind(counter % this.#kinds)}, counter ${signed(book.counted[counter])}`,
      )
    }
    book.open()
  }

  #mmIndex(addr: number): number {
    return ((addr - this.#watch.s.MMS) / this.#watch.s.MM_WORDS) | 0
  }

  #memberOf(addr: number): number {
    const { s } = this.#watch
    return ((addr - s.MMS) % s.MM_WORDS) - s.mm$rss_stat
  }

  /** Which rss counter a page belongs to. */
  #member(pfn: number): number {
    const { s, memory } = this.#watch
    if (this.#watch.isAnon(pfn)) return s.MM_ANONPAGES
    const flags = memory[this.#watch.pageOf(pfn) + s.page$flags]
    return (flags & s.PG_swapbacked) !== 0 ? s.MM_SHMEMPAGES : s.MM_FILEPAGES
  }

  #kind(member: number): string {
    const { s } = this.#watch
    if (member === s.MM_ANONPAGES) return 'MM_ANONPAGES'
    return member === s.MM_SHMEMPAGES
      ? 'MM_SHMEMPAGES'
      : member === s.MM_FILEPAGES
        ? 'MM_FILEPAGES'
        : 'MM_SWAPENTS'
  }
}

/** What one CPU has done in the section that is open. Lists of what was touched make closing it as cheap as that. */
class Book {
  readonly entries: Int32Array
  readonly mapcounts: Int32Array
  readonly page: Int32Array
  pages = 0
  /** By mm and kind: changes of entries, and of counters. */
  readonly expected: Int32Array
  readonly counted: Int32Array
  readonly counter: Int32Array
  counters = 0
  /** The CPU's task when the section began, and its own counts then. */
  task = 0
  readonly taskRss: Int32Array
  readonly #pageIn: Uint8Array
  readonly #counterIn: Uint8Array

  constructor(pages: number, mms: number, kinds: number) {
    const counters = mms * kinds
    this.taskRss = new Int32Array(kinds)
    this.entries = new Int32Array(pages)
    this.mapcounts = new Int32Array(pages)
    this.page = new Int32Array(pages)
    this.#pageIn = new Uint8Array(pages)
    this.expected = new Int32Array(counters)
    this.counted = new Int32Array(counters)
    this.counter = new Int32Array(counters)
    this.#counterIn = new Uint8Array(counters)
  }

  /** Empties the book. */
  open(): void {
    for (let i = 0; i < this.pages; i++) {
      const pfn = this.page[i]
      this.entries[pfn] = 0
      this.mapcounts[pfn] = 0
      this.#pageIn[pfn] = 0
    }
    this.pages = 0
    for (let i = 0; i < this.counters; i++) {
      const counter = this.counter[i]
      this.expected[counter] = 0
      this.counted[counter] = 0
      this.#counterIn[counter] = 0
    }
    this.counters = 0
  }

  entry(pfn: number, counter: number, change: number): void {
    this.#touchPage(pfn)
    this.entries[pfn] += change
    this.#touchCounter(counter)
    this.expected[counter] += change
  }

  /** An entry that maps nothing. */
  swapEntry(counter: number, change: number): void {
    this.#touchCounter(counter)
    this.expected[counter] += change
  }

  mapcount(pfn: number, change: number): void {
    this.#touchPage(pfn)
    this.mapcounts[pfn] += change
  }

  rss(counter: number, change: number): void {
    this.#touchCounter(counter)
    this.counted[counter] += change
  }

  #touchPage(pfn: number): void {
    if (this.#pageIn[pfn] !== 0) return
    this.#pageIn[pfn] = 1
    this.page[this.pages++] = pfn
  }

  #touchCounter(counter: number): void {
    if (this.#counterIn[counter] !== 0) return
    this.#counterIn[counter] = 1
    this.counter[this.counters++] = counter
  }
}

function signed(n: number): string {
  return n > 0 ? `+${n}` : `${n}`
}
