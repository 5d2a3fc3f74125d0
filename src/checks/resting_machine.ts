// A machine at rest as the checks see it: they walk its memory themselves, by the symbol table, and trust no list:
// every pointer is tested before it is followed. What a walk finds broken is kept as a problem for the one check it
// belongs to.
import type { Stage } from './check.ts'
import { type Mappings, walkMappings } from './mappings.ts'
import { type ObjectCache, readCaches } from './objects.ts'
import { type PageCache, walkPageCache } from './page_cache.ts'
import type { KernelSymbols, KeptState, MachineView } from '../inspect/symbols.ts'
import { type FreePages, walkFreePages } from './free_lists.ts'
import { type Swap, walkSwap } from './swap.ts'

/** A VMA, read once. Page numbers; `end` is exclusive. */
export interface VmaView {
  readonly address: number
  readonly start: number
  readonly end: number
  readonly flags: number
  readonly pgoff: number
  readonly mapping: number
}

/** An mm_struct in use, read once. */
export interface MmView {
  readonly address: number
  readonly id: number
  readonly vmas: readonly VmaView[]
}

/** Each part is walked when it is first asked for, and once. */
export class RestingMachine {
  readonly memory: Int32Array
  readonly symbols: KernelSymbols
  readonly stage: Stage
  readonly since: KeptState | undefined
  // An object of thousands of symbols is slow to look into for every page.
  readonly #memmap: number
  readonly #pageWords: number
  #caches: Readonly<Record<string, ObjectCache>> | undefined
  #mms: readonly MmView[] | undefined
  #free: FreePages | undefined
  #mappings: Mappings | undefined
  #pageCache: PageCache | undefined
  #swap: Swap | undefined

  constructor(machine: MachineView, stage: Stage) {
    this.memory = machine.memory
    // Thousands of properties are a slow dictionary, unless they are a prototype's.
    this.symbols = Object.create(machine.symbols) as KernelSymbols
    this.stage = stage
    this.since = machine.since
    this.#memmap = this.symbols.MEMMAP
    this.#pageWords = this.symbols.PAGE_WORDS
  }

  /** Word address of the struct page of a frame. */
  page(pfn: number): number {
    return this.#memmap + pfn * this.#pageWords
  }

  /** Word address of the zone of a node. */
  zone(nid: number): number {
    return this.symbols.ZONES + nid * this.symbols.ZONE_WORDS
  }

  /** Frame of the struct page at a word address; -1 if there is none there. */
  pfn(page: number): number {
    const { MEMMAP, PAGE_WORDS, NR_PAGES } = this.symbols
    const offset = page - MEMMAP
    return offset >= 0 && offset % PAGE_WORDS === 0 && offset < NR_PAGES * PAGE_WORDS
      ? offset / PAGE_WORDS
      : -1
  }

  /** The object caches by their Linux names. */
  get caches(): Readonly<Record<string, ObjectCache>> {
    return (this.#caches ??= readCaches(this))
  }

  /** All mm_structs in use. */
  get mms(): readonly MmView[] {
    return (this.#mms ??= this.caches.mm_struct.inUse().map((mm) => this.#readMm(mm)))
  }

  /** Which frames are free, and on which list. */
  get free(): FreePages {
    return (this.#free ??= walkFreePages(this))
  }

  /** What the page tables of all mms map. */
  get mappings(): Mappings {
    return (this.#mappings ??= walkMappings(this))
  }

  /** Which frames objects hold. */
  get pageCache(): PageCache {
    return (this.#pageCache ??= walkPageCache(this))
  }

  /** What swap devices hold, and which entries name their slots. */
  get swap(): Swap {
    return (this.#swap ??= walkSwap(this))
  }

  #readMm(mm: number): MmView {
    const { memory, symbols: s } = this
    const count = Math.max(0, Math.min(memory[mm + s.mm$map_count], s.MAX_MAP_COUNT))
    const vmas: VmaView[] = []
    for (let i = 0; i < count; i++) {
      const address = memory[mm + s.mm$mm_mt + i]
      if (this.caches.vm_area_struct.isInUse(address)) vmas.push(this.#readVma(address))
    }
    return { address: mm, id: memory[mm + s.mm$id], vmas }
  }

  #readVma(vma: number): VmaView {
    const { memory, symbols: s } = this
    return {
      address: vma,
      start: memory[vma + s.vma$vm_start],
      end: memory[vma + s.vma$vm_end],
      flags: memory[vma + s.vma$vm_flags],
      pgoff: memory[vma + s.vma$vm_pgoff],
      mapping: memory[vma + s.vma$vm_mapping],
    }
  }
}

/** `1 PTE`, `2 PTEs`. */
export function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`
}
