// Swap: a walk of the devices, their maps with the continuation pages, and their caches. It notes what contradicts
// itself on the way; the check of swap counts reports it. What an entry of a page table names:
// src/inspect/swap_entries.ts.
import { hex } from '../inspect/names.ts'
import { readSwapEntry, swapEntry } from '../inspect/swap_entries.ts'
import { count, type RestingMachine, type MmView } from './resting_machine.ts'

export interface Swap {
  /** For each frame the slots of swap caches that hold it. */
  readonly refs: Int32Array
  /** For each frame whether it is a continuation page of a swap map. */
  readonly continuation: Uint8Array
  /** By slot (of all devices): the swap entries that name it, and of them those that are exclusive. */
  readonly entries: Int32Array
  readonly exclusive: Int32Array
  /** By mm (word address): its swap entries. */
  readonly entriesOf: ReadonlyMap<number, number>
  readonly problems: readonly string[]
}

export function walkSwap(view: RestingMachine): Swap {
  const walk = new SwapWalk(view)
  view.mappings.forEachPte((pte, addr, mm) => walk.pte(pte, addr, mm))
  for (let device = 0; device < view.symbols.MAX_SWAPFILES; device++) walk.device(device)
  walk.sums()
  return walk
}

class SwapWalk implements Swap {
  readonly refs: Int32Array
  readonly continuation: Uint8Array
  readonly entries: Int32Array
  readonly exclusive: Int32Array
  readonly entriesOf = new Map<number, number>()
  readonly problems: string[] = []
  readonly #view: RestingMachine
  #free = 0
  #total = 0

  constructor(view: RestingMachine) {
    const { NR_PAGES, MAX_SWAPFILES, SWAPFILE_SLOTS } = view.symbols
    this.#view = view
    this.refs = new Int32Array(NR_PAGES)
    this.continuation = new Uint8Array(NR_PAGES)
    this.entries = new Int32Array(MAX_SWAPFILES * SWAPFILE_SLOTS)
    this.exclusive = new Int32Array(MAX_SWAPFILES * SWAPFILE_SLOTS)
  }

  pte(pte: number, addr: number, mm: MmView): void {
    const { symbols: s, memory } = this.#view
    if ((pte & (s._PAGE_PRESENT | s._PAGE_PROTNONE)) !== 0) return
    const entry = readSwapEntry(s, pte)
    if (entry.kind !== 'swap') return
    this.entriesOf.set(mm.address, (this.entriesOf.get(mm.address) ?? 0) + 1)
    const max =
      entry.device < s.MAX_SWAPFILES
        ? memory[s.SWAP_INFO + entry.device * s.SWAP_INFO_WORDS + s.swap_info$max]
        : 0
    if (entry.offset === 0 || entry.offset >= max) {
      this.problems.push(
        `mm ${mm.id}, ${hex(addr)}: its entry names swp ${entry.device}:${entry.offset}, which does not exist`,
      )
      return
    }
    const slot = entry.device * s.SWAPFILE_SLOTS + entry.offset
    this.entries[slot]++
    if (entry.exclusive) this.exclusive[slot]++
  }

  device(device: number): void {
    const { symbols: s, memory } = this.#view
    const si = s.SWAP_INFO + device * s.SWAP_INFO_WORDS
    const max = memory[si + s.swap_info$max]
    const first = device * s.SWAPFILE_SLOTS
    this.#continuationPages(first)
    let used = 0
    let cached = 0
    for (let offset = 1; offset < max; offset++) {
      const slot = first + offset
      if (memory[s.SWAP_MAP + slot] !== 0) used++
      if (memory[s.SWAP_CACHE + slot] !== 0) cached++
      this.#slot(device, offset, slot)
    }
    for (let slot = first + max; slot < first + s.SWAPFILE_SLOTS; slot++)
      if (memory[s.SWAP_CACHE + slot] !== 0) this.#cachePage(device, slot - first, slot)
    this.#counter(device, 'inuse_pages', memory[si + s.swap_info$inuse_pages], used)
    this.#counter(device, 'nrpages', memory[si + s.swap_info$nrpages], cached)
    const free = this.#freeSlots(device, max)
    const unused = Math.max(0, max - 1) - used
    if (free !== unused)
      this.problems.push(
        `swap device ${device}: ${count(free, 'free slot')} on its lists, expected ${unused}`,
      )
    let users = memory[si + s.swap_info$users]
    for (let cpu = 0; cpu < s.NR_CPUS; cpu++)
      users += memory[s.PERCPU + cpu * s.PERCPU_WORDS + s.percpu$swap_users + device]
    if (users !== (max === 0 ? s.PERCPU_REF_DEAD : 0))
      this.problems.push(`swap device ${device}: users ${hex(users)} at rest`)
    if ((memory[si + s.swap_info$flags] & s.SWP_WRITEOK) !== 0) {
      this.#free += unused
      this.#total += max - 1
    }
  }

  /** The sums over the devices. */
  sums(): void {
    const { symbols: s, memory } = this.#view
    const free = memory[s.SWAP_AREA + s.swap$nr_swap_pages]
    const total = memory[s.SWAP_AREA + s.swap$total_swap_pages]
    if (free !== this.#free) this.problems.push(`nr_swap_pages ${free}, expected ${this.#free} free slots`)
    if (total !== this.#total) this.problems.push(`total_swap_pages ${total}, expected ${this.#total}`)
  }

  #counter(device: number, name: string, value: number, expected: number): void {
    if (value !== expected)
      this.problems.push(`swap device ${device}: ${name} ${value}, expected ${expected}`)
  }

  #slot(device: number, offset: number, slot: number): void {
    const { symbols: s, memory } = this.#view
    const word = memory[s.SWAP_MAP + slot]
    const name = `swp ${device}:${offset}`
    const counted = this.#count(slot, word)
    if (counted !== this.entries[slot])
      this.problems.push(
        `${name}: the swap map (${hex(word)}) counts ${counted}, expected ${this.entries[slot]}: as ` +
          'many entries name it',
      )
    const cached = memory[s.SWAP_CACHE + slot] !== 0
    if (((word & s.SWAP_HAS_CACHE) !== 0) !== cached)
      this.problems.push(
        `${name}: ${cached ? 'in the swap cache without' : 'not in the swap cache with'} SWAP_HAS_CACHE`,
      )
    if (cached) this.#cachePage(device, offset, slot)
  }

  /** The page that the swap cache has for a slot. */
  #cachePage(device: number, offset: number, slot: number): void {
    const { symbols: s, memory } = this.#view
    const page = memory[s.SWAP_CACHE + slot]
    const pfn = this.#view.pfn(page)
    const name = `swp ${device}:${offset}`
    if (pfn < 0) {
      this.problems.push(`${name}: the swap cache holds ${hex(page)}, which is no page`)
      return
    }
    this.refs[pfn]++
    const entry = swapEntry(s, device, offset)
    if ((memory[page + s.page$flags] & s.PG_swapcache) === 0 || memory[page + s.page$private] !== entry)
      this.problems.push(
        `${name}: its page ${hex(pfn)} has private ${hex(memory[page + s.page$private])} and flags ` +
          `${hex(memory[page + s.page$flags])}, expected ${hex(entry)} and PG_swapcache`,
      )
  }

  /** The uses of a slot: the map's digit and those of its continuation pages. */
  #count(slot: number, word: number): number {
    const { symbols: s, memory } = this.#view
    let digit = word & ~s.SWAP_HAS_CACHE
    let sum = digit & ~s.COUNT_CONTINUED
    let weight = s.SWAP_MAP_MAX + 1
    let page = memory[s.SWAP_CONT + Math.floor(slot / s.CONTENT_WORDS)]
    while ((digit & s.COUNT_CONTINUED) !== 0) {
      const pfn = this.#view.pfn(page)
      if (pfn < 0) return -1
      digit = memory[s.CONTENT + pfn * s.CONTENT_WORDS + (slot % s.CONTENT_WORDS)]
      sum += weight * (digit & ~s.COUNT_CONTINUED)
      weight *= s.SWAP_CONT_MAX + 1
      page = memory[page + s.page$lru_next]
    }
    return sum
  }

  #continuationPages(first: number): void {
    const { symbols: s, memory } = this.#view
    for (let slot = first; slot < first + s.SWAPFILE_SLOTS; slot += s.CONTENT_WORDS) {
      let page = memory[s.SWAP_CONT + Math.floor(slot / s.CONTENT_WORDS)]
      for (; page !== 0; page = memory[page + s.page$lru_next]) {
        const pfn = this.#view.pfn(page)
        if (pfn < 0 || this.continuation[pfn] !== 0) {
          this.problems.push(
            `the continuation of slot ${slot} leads to ${hex(page)}, which is no page of its own`,
          )
          break
        }
        this.continuation[pfn] = 1
      }
    }
  }

  /** Free slots on the lists of the device's clusters. */
  #freeSlots(device: number, max: number): number {
    const { symbols: s, memory } = this.#view
    const si = s.SWAP_INFO + device * s.SWAP_INFO_WORDS
    const first = device * s.SWAPFILE_SLOTS
    let free = 0
    if (max === 0) return 0
    let number = memory[si + s.swap_info$free_clusters]
    for (let clusters = 0; number > 0 && clusters <= s.SWAPFILE_SLOTS; clusters++) {
      const ci = s.SWAP_CLUSTERS + (number - 1) * s.SWAP_CLUSTER_WORDS
      let offset = memory[ci + s.swap_cluster$free]
      for (; offset !== 0 && free < max; offset = memory[s.SWAP_FREE + first + offset]) {
        if (memory[s.SWAP_MAP + first + offset] !== 0)
          this.problems.push(`swp ${device}:${offset} is on a free list and in use`)
        free++
      }
      number = memory[ci + s.swap_cluster$next]
    }
    return free
  }
}
