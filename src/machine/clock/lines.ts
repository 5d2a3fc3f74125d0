/**
 * The coherence protocol: for each line of 16 words who has it and how, and what it takes to have it. A line is
 * nobody's, one CPU's for itself (modified or exclusive; the first reader gets it so), or shared by some. Each CPU has
 * caches of its own of a finite size (8 ways, first in first out), CPUs of a domain share a last-level cache (first in
 * first out), behind which is memory.
 *
 * Left out: what an evicted line costs to write back; the levels of a CPU's own caches; prefetching; where memory lies.
 */
import type { ClockFigures } from './figures.ts'
import { CACHE, HIT, LLC, MEMORY, UPGRADE } from './observer.ts'
import type { Hardware } from './topology.ts'

/** Words of a line, as a shift. */
export const LINE_SHIFT = 4
const WAYS = 8
/** Tags: a way that is free, and one that has a line of which the model's memory knows nothing. */
const FREE = -1
const FOREIGN = -2

export class Lines {
  /** By line: the CPU that has it for itself; -1: nobody. */
  readonly owner: Int16Array
  /** By line a bit for each CPU that has a copy, in `words` words. */
  readonly sharers: Int32Array
  readonly words: number
  /** By line: when its last transfer ends. A line serves one at a time. */
  readonly busy: Float64Array
  /** By line: the only CPU that has touched it, plus 1; 0: nobody, -1: several have. */
  readonly toucher: Int16Array
  /** What the last fetch took, and from where. */
  cost = 0
  source = 0

  readonly #hardware: Hardware
  readonly #figures: ClockFigures
  /** By line: the last-level cache that has it, plus 1. */
  readonly #llc: Uint16Array
  readonly #llcRing: (Int32Array | undefined)[]
  readonly #llcNext: Int32Array
  readonly #tags: Int32Array
  readonly #sets: number
  readonly #nextWay: Uint8Array

  constructor(lines: number, hardware: Hardware, figures: ClockFigures) {
    const { cpus } = hardware
    this.#hardware = hardware
    this.#figures = figures
    this.words = (cpus + 31) >> 5
    this.owner = new Int16Array(lines).fill(-1)
    this.sharers = new Int32Array(lines * this.words)
    this.busy = new Float64Array(lines)
    this.toucher = new Int16Array(lines)
    this.#llc = new Uint16Array(lines)
    const domains = hardware.domainFirst.length
    this.#llcRing = Array.from({ length: domains }, () => undefined)
    this.#llcNext = new Int32Array(domains)
    this.#sets = hardware.privateLines / WAYS
    this.#tags = new Int32Array(cpus * hardware.privateLines).fill(FREE)
    this.#nextWay = new Uint8Array(cpus * this.#sets)
  }

  /** Whether the CPU has a copy, shared or for itself. */
  has(cpu: number, line: number): boolean {
    return (this.sharers[line * this.words + (cpu >> 5)] & (1 << (cpu & 31))) !== 0
  }

  /** Notes that the CPU touches the line. */
  touch(cpu: number, line: number): void {
    const { toucher } = this
    if (toucher[line] !== cpu + 1) toucher[line] = toucher[line] === 0 ? cpu + 1 : -1
  }

  /** Brings a copy of the line to `cpu`, which has none, at once; returns what that takes. */
  read(cpu: number, line: number): number {
    const cost = this.fetch(cpu, line, false)
    this.arrive(cpu, line, false)
    return cost
  }

  /** Makes the line `cpu`'s for itself, which it is not yet, at once; returns what that takes. */
  write(cpu: number, line: number): number {
    const cost = this.has(cpu, line) ? this.#upgrade(cpu, line) : this.fetch(cpu, line, true)
    this.arrive(cpu, line, true)
    return cost
  }

  /** What it takes to bring the line to `cpu`, which has none, from where it is now: for itself if it stores. */
  fetch(cpu: number, line: number, storing: boolean): number {
    const owner = this.owner[line]
    this.#find(cpu, line, owner, owner < 0 && this.#alone(line), storing)
    return this.cost
  }

  /** The line, which it has not had for itself, is `cpu`'s now: a copy, or for itself if it stores. */
  arrive(cpu: number, line: number, storing: boolean): void {
    const { owner, sharers, words } = this
    if (storing) {
      const have = this.has(cpu, line)
      for (let word = 0; word < words; word++) sharers[line * words + word] = 0
      this.#own(cpu, line, have)
      return
    }
    // The first copy is exclusive, so that a store after it costs nothing.
    owner[line] = owner[line] < 0 && this.#alone(line) ? cpu : -1
    sharers[line * words + (cpu >> 5)] |= 1 << (cpu & 31)
    this.#fill(cpu, line)
  }

  /** What it takes to take away the copies that others have. */
  #upgrade(cpu: number, line: number): number {
    const at = line * this.words + (cpu >> 5)
    const bit = 1 << (cpu & 31)
    this.sharers[at] &= ~bit
    if (this.#alone(line)) {
      this.source = HIT
      this.cost = this.#hardware.costs.hit
    } else {
      this.source = UPGRADE
      this.cost = this.#hardware.storeShared[this.#furthest(cpu, line)]
      this.#figures.upgrades++
      this.#figures.moved[line]++
    }
    this.sharers[at] |= bit
    return this.cost
  }

  /** Makes the line `cpu`'s without fetching it, as whoever overwrites all of it does. */
  claim(cpu: number, line: number): void {
    if (this.owner[line] === cpu) return
    const have = this.has(cpu, line)
    for (let word = 0; word < this.words; word++) this.sharers[line * this.words + word] = 0
    this.#own(cpu, line, have)
  }

  #own(cpu: number, line: number, have: boolean): void {
    this.owner[line] = cpu
    this.sharers[line * this.words + (cpu >> 5)] |= 1 << (cpu & 31)
    this.#intoLlc(this.#hardware.domain[cpu], line)
    if (!have) this.#fill(cpu, line)
  }

  /** Whether no CPU has a copy. */
  #alone(line: number): boolean {
    for (let at = line * this.words; at < (line + 1) * this.words; at++)
      if (this.sharers[at] !== 0) return false
    return true
  }

  #find(cpu: number, line: number, owner: number, alone: boolean, storing: boolean): void {
    const hardware = this.#hardware
    const figures = this.#figures
    if (owner >= 0) {
      const level = hardware.level[cpu * hardware.cpus + owner]
      this.cost = storing ? hardware.store[level] : hardware.load[level]
      this.source = CACHE + level
    } else if (storing && !alone) {
      const level = this.#furthest(cpu, line)
      this.cost = hardware.storeShared[level]
      this.source = CACHE + level
    } else {
      const home = this.#llc[line] - 1
      if (home === hardware.domain[cpu] || (!alone && this.#near(cpu, line))) {
        figures.llcFetches++
        this.cost = hardware.costs.llc
        this.source = LLC
        return
      }
      const holder = alone ? (home < 0 ? -1 : hardware.domainFirst[home]) : this.#firstSharer(line)
      if (holder < 0) {
        figures.memoryFetches++
        this.cost = hardware.costs.memory
        this.source = MEMORY
        this.#intoLlc(hardware.domain[cpu], line)
        return
      }
      const level = hardware.level[cpu * hardware.cpus + holder]
      this.cost = hardware.loadShared[level]
      this.source = CACHE + level
    }
    figures.transfers++
    figures.moved[line]++
  }

  /** Whether a CPU of the same last-level cache has a copy. */
  #near(cpu: number, line: number): boolean {
    const { domain, domainMask } = this.#hardware
    const { sharers, words } = this
    for (let word = 0; word < words; word++)
      if ((sharers[line * words + word] & domainMask[domain[cpu] * words + word]) !== 0) return true
    return false
  }

  #firstSharer(line: number): number {
    for (let word = 0; word < this.words; word++) {
      const bits = this.sharers[line * this.words + word]
      if (bits !== 0) return 32 * word + 31 - Math.clz32(bits & -bits)
    }
    return -1
  }

  /** The greatest level between `cpu` and the others that have a copy, by what taking it away costs. */
  #furthest(cpu: number, line: number): number {
    const { level, cpus, storeShared } = this.#hardware
    let best = 0
    let cost = -1
    for (let word = 0; word < this.words; word++)
      for (let bits = this.sharers[line * this.words + word]; bits !== 0; bits &= bits - 1) {
        const other = 32 * word + 31 - Math.clz32(bits & -bits)
        if (other === cpu) continue
        const at = level[cpu * cpus + other]
        if (storeShared[at] > cost) {
          cost = storeShared[at]
          best = at
        }
      }
    return best
  }

  /** Gives the line a place in the CPU's own caches; what had the place is evicted. */
  #fill(cpu: number, line: number): void {
    const tags = this.#tags
    const set = line & (this.#sets - 1)
    const first = cpu * this.#hardware.privateLines + set * WAYS
    let free = -1
    for (let at = first; at < first + WAYS; at++) {
      if (tags[at] === line) return
      if (free < 0 && (tags[at] === FREE || (tags[at] >= 0 && !this.has(cpu, tags[at])))) free = at
    }
    tags[free < 0 ? this.#make(cpu, set) : free] = line
  }

  /** Evicts the line that has been in the set of the CPU's caches for longest; returns its place. */
  #make(cpu: number, set: number): number {
    const at = cpu * this.#sets + set
    const way = this.#nextWay[at]
    this.#nextWay[at] = (way + 1) % WAYS
    const place = cpu * this.#hardware.privateLines + set * WAYS + way
    if (this.#tags[place] >= 0) this.#evict(cpu, this.#tags[place])
    return place
  }

  /**
   * `count` lines of which the model's memory knows nothing go through the CPU's own caches, as of line `first` of
   * Linux's memory: a page has fewer words here than there. They take the places of others, and leave their own to
   * others after them. Not so in the last-level cache: without prefetching a walk over struct pages, which hardware
   * sees coming, would then fetch each from memory.
   */
  pass(cpu: number, first: number, count: number): void {
    for (let line = first; line < first + count; line++)
      this.#tags[this.#make(cpu, line & (this.#sets - 1))] = FOREIGN
  }

  #evict(cpu: number, line: number): void {
    if (this.owner[line] === cpu) this.owner[line] = -1
    this.sharers[line * this.words + (cpu >> 5)] &= ~(1 << (cpu & 31))
    this.#intoLlc(this.#hardware.domain[cpu], line)
  }

  #intoLlc(domain: number, line: number): void {
    if (this.#llc[line] === domain + 1) return
    const size = this.#hardware.llcLines
    const ring = (this.#llcRing[domain] ??= new Int32Array(Math.min(size, this.owner.length)).fill(FREE))
    const at = this.#llcNext[domain]
    const old = ring[at]
    if (old >= 0 && this.#llc[old] === domain + 1) this.#llc[old] = 0
    ring[at] = line
    this.#llcNext[domain] = at + 1 === ring.length ? 0 : at + 1
    this.#llc[line] = domain + 1
  }
}
