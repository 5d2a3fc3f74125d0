// What a CPU knows from marked reads that do not acquire, by the rules of the LKMM (tools/memory-model, 6.1): such a
// read orders what the CPU writes later, and what it reads later through an address that it got so, from word to word;
// all else it reads only after smp_rmb or a full barrier. A control or data dependency is not told from any later
// write. Leaves out words that are no part of an object, a page or a table: a read of them acquires.
import type { Clocks } from './clocks.ts'
import type { Watch } from './watch.ts'
import { Word } from './words.ts'

export class Dependencies {
  readonly #watch: Watch
  readonly #clocks: Clocks
  readonly #cpus: number
  /** As `now` of Clocks, with all that relaxed reads have found published: what later writes come after. */
  readonly seen: Int32Array
  /** By CPU and unit: what reads of the unit come after besides `now`. */
  readonly #through: Map<number, Int32Array>[]
  /** Where view() puts together `now` and what is known through the unit. */
  readonly #view: Int32Array

  constructor(watch: Watch, clocks: Clocks) {
    this.#watch = watch
    this.#clocks = clocks
    this.#cpus = watch.cpus
    this.seen = new Int32Array(clocks.now.length)
    this.#view = new Int32Array(clocks.now.length)
    this.#through = Array.from({ length: watch.cpus }, () => new Map())
  }

  /** A new execution: after that of the clocks. */
  begin(): void {
    this.seen.set(this.#clocks.now)
    for (const units of this.#through) units.clear()
  }

  /** A full barrier, or smp_rmb: what the CPU reads from here on comes after all that it has read. */
  fence(cpu: number): void {
    const { now } = this.#clocks
    for (let d = cpu * this.#cpus; d < (cpu + 1) * this.#cpus; d++)
      if (this.seen[d] > now[d]) now[d] = this.seen[d]
    this.#through[cpu].clear()
  }

  /** The CPU has taken over clocks into `now`. */
  acquired(cpu: number): void {
    const { now } = this.#clocks
    for (let d = cpu * this.#cpus; d < (cpu + 1) * this.#cpus; d++)
      if (now[d] > this.seen[d]) this.seen[d] = now[d]
  }

  /** A marked read that does not acquire has found `value` in the word. Returns whether it is one that does. */
  relaxed(cpu: number, addr: number, value: number): boolean {
    if (this.#watch.map.unitOf[addr] === 0) return true
    const published = this.#clocks.published(addr)
    if (published !== undefined) {
      const own = cpu * this.#cpus
      for (let d = 0; d < this.#cpus; d++)
        if (published[d] > this.seen[own + d]) this.seen[own + d] = published[d]
      this.#leads(cpu, addr, value, published)
    }
    this.follow(cpu, addr, value)
    return false
  }

  /** A read has found `value` in a word: what is known through the word's unit is known through what it leads to. */
  follow(cpu: number, addr: number, value: number): void {
    const units = this.#through[cpu]
    if (units.size === 0) return
    const through = units.get(this.#watch.map.unitOf[addr])
    if (through !== undefined) this.#leads(cpu, addr, value, through)
  }

  /** What an access comes after, laid out as `now`. */
  view(cpu: number, addr: number, write: boolean): Int32Array {
    const unit = this.#watch.map.unitOf[addr]
    if (write || unit === 0) return this.seen
    const { now } = this.#clocks
    const through = this.#through[cpu].get(unit)
    if (through === undefined) return now
    const own = cpu * this.#cpus
    for (let d = 0; d < this.#cpus; d++) this.#view[own + d] = Math.max(now[own + d], through[d])
    return this.#view
  }

  /** Whoever reads through `value`, found at `addr`, comes after `clocks`. */
  #leads(cpu: number, addr: number, value: number, clocks: Int32Array): void {
    const { map, pfnShift, s } = this.#watch
    if (map.classOf[addr] === Word.ENTRY) {
      const pfn = value >>> pfnShift
      if (value === 0 || pfn >= s.NR_PAGES) return
      this.#join(cpu, map.pageUnit + pfn, clocks)
      this.#join(cpu, map.tableUnit + pfn, clocks)
    } else if (value > 0 && value < map.unitOf.length && map.unitOf[value] !== 0)
      this.#join(cpu, map.unitOf[value], clocks)
  }

  #join(cpu: number, unit: number, clocks: Int32Array): void {
    const units = this.#through[cpu]
    const known = units.get(unit)
    if (known === undefined) units.set(unit, clocks.slice())
    else for (let d = 0; d < this.#cpus; d++) known[d] = Math.max(known[d], clocks[d])
  }
}
