// E5: no TLB outlives what it translates. A page whose last reference goes is in no TLB; and when whoever changed a map
// declares it done (the write side of mmap_lock is released, the last gather ends), no TLB has more than the page
// table. Leaves out entries of tables that a CPU owns at that moment, and CPUs whose flush reclaim has deferred: it may
// be on its way.
import { Kind } from '../../step/kinds.ts'
import { hex } from '../../inspect/names.ts'
import type { Step, StepCheck, StepCheckKind } from './check.ts'
import type { Watch } from './watch.ts'
import { Word, wordSet } from './words.ts'

const NAME = 'tlb'

export const tlb: StepCheckKind = {
  id: 'E5',
  name: NAME,
  description:
    'A page is in no TLB when its last reference goes; when a change of the map returns, no TLB exceeds the page table.',
  cost: 'some 100 ns for each page freed and each change of a map',
  create: (watch) => new Tlb(watch),
}

class Tlb implements StepCheck {
  readonly reads = 0
  readonly writes = wordSet(Word.REFCOUNT, Word.MMAP_LOCK, Word.FLUSH_PENDING)
  readonly #watch: Watch
  /** Address of each CPU's TLB, and of the word that says which mm it is for. */
  readonly #tlb: number[]
  readonly #loaded: number[]
  readonly #words: number

  constructor(watch: Watch) {
    const { s } = watch
    this.#watch = watch
    const area = (cpu: number): number => s.PERCPU + cpu * s.PERCPU_WORDS
    this.#tlb = Array.from({ length: watch.cpus }, (_, cpu) => area(cpu) + s.percpu$tlb)
    this.#loaded = Array.from({ length: watch.cpus }, (_, cpu) => area(cpu) + s.percpu$loaded_mm)
    this.#words = 2 * s.TLB_ENTRIES
  }

  begin(): void {}

  step({ context, kind, addr, old, site }: Step): void {
    const watch = this.#watch
    const value = watch.memory[addr]
    if (value === old || kind === Kind.CLEAR) return
    switch (watch.map.classOf[addr]) {
      case Word.REFCOUNT:
        if (value === 0 && watch.freezes[site] === 0) this.#pageFreed(context, watch.pfnOf(addr), site)
        return
      case Word.MMAP_LOCK:
        if ((old & ~value & watch.s.RWSEM_WRITER_LOCKED) !== 0)
          this.#mapChanged(context, addr - watch.s.mm$mmap_lock - watch.s.rwsem$count, site)
        return
      case Word.FLUSH_PENDING:
        if (old === 1 && value === 0) this.#mapChanged(context, addr - watch.s.mm$tlb_flush_pending, site)
    }
  }

  #pageFreed(context: number, pfn: number, site: number): void {
    const { memory, pfnShift } = this.#watch
    for (let cpu = 0; cpu < this.#tlb.length; cpu++) {
      // A CPU without an mm has an empty TLB.
      if (memory[this.#loaded[cpu]] === 0) continue
      const first = this.#tlb[cpu]
      for (let at = first; at < first + this.#words; at += 2)
        if (memory[at] !== 0 && memory[at + 1] >>> pfnShift === pfn)
          this.#watch.fail(
            NAME,
            context,
            site,
            `page ${hex(pfn)} is freed while the TLB of CPU ${cpu} translates page ${hex(memory[at] - 1)} to it${this.#right(memory[at + 1])}\n${this.#watch.dumpPage(pfn)}`,
          )
    }
  }

  #mapChanged(context: number, mm: number, site: number): void {
    const { memory } = this.#watch
    for (let cpu = 0; cpu < this.#tlb.length; cpu++) {
      if (memory[this.#loaded[cpu]] !== mm) continue
      const first = this.#tlb[cpu]
      for (let at = first; at < first + this.#words; at += 2)
        if (memory[at] !== 0) this.#compare(context, cpu, mm, memory[at] - 1, memory[at + 1], site)
    }
  }

  /** Compares a TLB's entry with the page table. */
  #compare(context: number, cpu: number, mm: number, addr: number, cached: number, site: number): void {
    const watch = this.#watch
    const { s, pfnShift } = watch
    const ptep = watch.pteOf(mm, addr)
    const pte = ptep === 0 ? 0 : watch.memory[ptep]
    const rights = s._PAGE_PRESENT | s._PAGE_RW
    if (pte >>> pfnShift === cached >>> pfnShift && (cached & ~pte & rights) === 0) return
    if (ptep !== 0 && watch.owner.words[watch.pfnOf(watch.tableOf(ptep))] !== 0) return
    if (this.#deferred(cpu)) return
    watch.fail(
      NAME,
      context,
      site,
      `the TLB of CPU ${cpu} still translates page ${hex(addr)} of mm ${watch.memory[mm + s.mm$id]} to pfn ${hex(cached >>> pfnShift)}${this.#right(cached)}; its pte is ${ptep === 0 ? 'none' : watch.entryValue(ptep, pte)}`,
    )
  }

  /** Whether reclaim on some CPU has deferred a flush that this one must make. */
  #deferred(cpu: number): boolean {
    const { s, memory, cpus } = this.#watch
    for (let each = 0; each < cpus; each++) {
      const area = s.PERCPU + each * s.PERCPU_WORDS
      if (
        memory[area + s.tlb_ubc$flush_required] !== 0 &&
        ((memory[area + s.tlb_ubc$cpumask + (cpu >> 5)] >>> (cpu & 31)) & 1) !== 0
      )
        return true
    }
    return false
  }

  #right(pte: number): string {
    return (pte & this.#watch.s._PAGE_RW) !== 0 ? ', writable' : ', read-only'
  }
}
