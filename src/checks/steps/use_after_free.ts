// Use after free of struct pages, page tables and objects, by what was freed last where: in the manner of KASAN
// (mm/kasan/report.c, 6.1). Leaves out reference counts, which may be looked at speculatively, and contents of pages:
// both are page_counts.ts.
import { Kind, KIND_FLAGS, WRITES } from '../../step/kinds.ts'
import { hex } from '../../inspect/names.ts'
import type { Cause } from '../../step/observer.ts'
import type { Step, StepCheck, StepCheckKind } from './check.ts'
import type { Watch } from './watch.ts'
import { Word, wordSet } from './words.ts'

const NAME = 'use-after-free'

/** Whoever hands the memory out and takes it back. */
const PAGE_ALLOCATOR = 'mm/page_alloc'
const TABLE_ALLOCATOR = ['pgtable_alloc']
const OBJECT_ALLOCATOR = 'mm/slab'
/** Take a page off its LRU list after its last reference went. */
const PAGE_RELEASERS = [
  'release_pages',
  'move_pages_to_lru',
  'free_unref_page_list',
  'mem_cgroup_uncharge',
  'page_memcg',
  '__page_cache_release',
  '__clear_lru',
  'page_lruvec',
]
/** Readers of memory that keeps its type: they report a writer that is gone. */
const TYPE_STABLE = ['oracle_violation']
const PAGE = 1
const TABLE = 2
const OBJECT = 4

export const useAfterFree: StepCheckKind = {
  id: '',
  name: NAME,
  description:
    'Nobody but its allocator touches a freed page, page table or object, and no table is freed ' +
    'while an entry leads to it.',
  cost: 'a few ns an access to them',
  create: (watch) => new UseAfterFree(watch),
}

const WORDS = wordSet(
  Word.ENTRY,
  Word.PAGE_FLAGS,
  Word.MAPCOUNT,
  Word.COMPOUND_HEAD,
  Word.PAGE,
  Word.TABLE_LOCK,
  Word.OBJECT,
  Word.MM_PGD,
  Word.MM_RSS,
  Word.MMAP_LOCK,
  Word.FLUSH_PENDING,
)

export class UseAfterFree implements StepCheck {
  readonly reads = WORDS
  readonly writes = WORDS
  readonly early = true
  readonly #watch: Watch
  /** By site: the kinds of memory it may touch while they are free. */
  readonly #exempt: Uint8Array
  readonly #unitOf: Int32Array
  readonly #dead: Int32Array
  readonly #classOf: Uint8Array

  constructor(watch: Watch) {
    this.#watch = watch
    this.#unitOf = watch.map.unitOf
    this.#dead = watch.dead.words
    this.#classOf = watch.map.classOf
    const pages = watch.sites.in(NAME, PAGE_ALLOCATOR)
    const releasers = watch.sites.of(NAME, PAGE_RELEASERS)
    const tables = watch.sites.of(NAME, TABLE_ALLOCATOR)
    const objects = watch.sites.in(NAME, OBJECT_ALLOCATOR)
    const readers = watch.sites.of(NAME, TYPE_STABLE)
    this.#exempt = pages.map(
      (exempt, site) =>
        (exempt | releasers[site]) * PAGE + tables[site] * TABLE + (objects[site] | readers[site]) * OBJECT,
    )
  }

  begin(): void {}

  step({ context, kind, addr, a, old, site }: Step): void {
    if (this.#dead[this.#unitOf[addr]] !== 0) this.#touched(context, kind, addr, site)
    if (kind === Kind.COPY && this.#dead[this.#unitOf[a]] !== 0)
      this.#touched(context, Kind.PLAIN_READ, a, site)
    if (this.#classOf[addr] === Word.PAGE_FLAGS) this.#tableFreed(context, addr, old, site)
  }

  /** An object is given back that is free. */
  objectFreed(context: number, object: number, site: number): void {
    const watch = this.#watch
    const unit = this.#unitOf[object]
    if (this.#dead[unit] === 0) return
    const line = '='.repeat(66)
    watch.fail(
      NAME,
      context,
      site,
      `${line}\nBUG: KASAN: double-free in ${watch.sites.where(site)}\n` +
        `Free of addr ${hex(object)} by CPU ${watch.cpuOf(context)}: ${watch.name(object)}\n\n` +
        `${this.#freed(unit)}\n\n${this.#belongs(unit)}\n${line}`,
      this.#causes(unit),
    )
  }

  /** The step that freed a unit in this execution. */
  #causes(unit: number): Cause[] {
    const freed = this.#watch.freedBy.words[unit] - 1
    return freed < 0 ? [] : [{ what: 'frees it', cpu: freed & 63, site: freed >> 6 }]
  }

  /** Who freed a unit. */
  #freed(unit: number): string {
    const freed = this.#watch.freedBy.words[unit] - 1
    return freed < 0
      ? 'It was free before the execution began.'
      : `Freed by CPU ${freed & 63}:\n ${this.#watch.sites.where(freed >> 6)}`
  }

  /** Which kind of memory a unit is. */
  #kind(unit: number): number {
    const { map, s } = this.#watch
    if (unit < map.tableUnit) return PAGE
    return unit < map.tableUnit + s.NR_PAGES ? TABLE : OBJECT
  }

  /** Before the watch follows the step: the table's level is still what it was. */
  #tableFreed(context: number, addr: number, old: number, site: number): void {
    const watch = this.#watch
    if ((old & ~watch.memory[addr] & watch.tableFlag) === 0) return
    const pfn = watch.pfnOf(addr)
    const level = watch.level.words[pfn]
    // The top table's mm goes with it.
    if (level === 0 || level === watch.s.PGTABLE_LEVELS) return
    const id = watch.memory[watch.tableMm.words[pfn] + watch.s.mm$id]
    watch.fail(
      NAME,
      context,
      site,
      `a page table of mm ${id} (from page ${hex(watch.tableStart.words[pfn])} on) is freed while an entry leads to it`,
    )
  }

  /** Whether a page is still on an LRU list, where its neighbours and whoever scans the list touch it. */
  #onLru(unit: number): boolean {
    const { map, s, memory } = this.#watch
    if (this.#kind(unit) !== PAGE) return false
    return (memory[this.#watch.pageOf(unit - map.pageUnit) + s.page$flags] & s.PG_lru) !== 0
  }

  /** A step on a word of freed memory. */
  #touched(context: number, kind: number, addr: number, site: number): void {
    const watch = this.#watch
    const unit = this.#unitOf[addr]
    if ((this.#exempt[site] & this.#kind(unit)) !== 0 || this.#onLru(unit)) return
    const access = (KIND_FLAGS[kind] & WRITES) !== 0 ? 'Write' : 'Read'
    const line = '='.repeat(66)
    watch.fail(
      NAME,
      context,
      site,
      `${line}\nBUG: KASAN: use-after-free in ${watch.sites.where(site)}\n` +
        `${access} of size 4 at addr ${hex(addr)} by CPU ${watch.cpuOf(context)}: ` +
        `${watch.name(addr)}\n\n${this.#freed(unit)}\n\n` +
        `${this.#belongs(unit)}\n${line}`,
      this.#causes(unit),
    )
  }

  #belongs(unit: number): string {
    const { map, s } = this.#watch
    if (unit < map.tableUnit)
      return `The buggy address belongs to the page:\n${this.#watch.dumpPage(unit - map.pageUnit)}`
    if (unit < map.tableUnit + s.NR_PAGES)
      return `The buggy address belongs to the page table:\n${this.#watch.dumpPage(unit - map.tableUnit)}`
    const cache = map.caches.findLast((each) => each.unit <= unit)!
    const index = unit - cache.unit
    return (
      `The buggy address belongs to the object at ${hex(cache.base + index * cache.words)}\n which ` +
      `belongs to the cache ${cache.name} of size ${4 * cache.words}`
    )
  }
}
