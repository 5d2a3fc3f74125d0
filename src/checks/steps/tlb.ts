// E5: no TLB outlives what it translates. A page whose last reference goes is in no TLB. Whoever changed entries
// declares the change done when his gather ends, when he releases the write side of mmap_lock, or else when he drops
// the table: then no TLB has what he took away, whatever others gather or have deferred meanwhile (tlb_debts.ts). And
// when the write side is released or the last gather ends, no TLB has more than the page table; but for entries of
// tables that a CPU owns at that moment, and CPUs whose flush reclaim has deferred. Leaves out when a deferred flush is
// made: before the page is freed.
import { Kind } from '../../step/kinds.ts'
import { hex } from '../../inspect/names.ts'
import type { Step, StepCheck, StepCheckKind } from './check.ts'
import { type Debt, TlbDebts } from './tlb_debts.ts'
import type { Watch } from './watch.ts'
import { Word, wordSet } from './words.ts'

const NAME = 'tlb'

export const tlb: StepCheckKind = {
  id: 'E5',
  name: NAME,
  description:
    'A page is in no TLB when its last reference goes; when a change of the map returns, no TLB has what it took away.',
  cost: 'some 100 ns for each page freed and each change of a map or a PTE',
  create: (watch) => new Tlb(watch),
}

class Tlb implements StepCheck {
  readonly reads = wordSet(Word.ENTRY)
  readonly writes = wordSet(Word.ENTRY, Word.REFCOUNT, Word.MMAP_LOCK, Word.FLUSH_PENDING)
  readonly #watch: Watch
  /** Address of each CPU's TLB, and of the word that says which mm it is for. */
  readonly #tlb: number[]
  readonly #loaded: number[]
  readonly #words: number
  readonly #debts: TlbDebts
  /** By CPU: the mms whose mmap_lock it holds for writing. */
  readonly #writes: number[][]

  constructor(watch: Watch) {
    const { s } = watch
    this.#watch = watch
    const area = (cpu: number): number => s.PERCPU + cpu * s.PERCPU_WORDS
    this.#tlb = Array.from({ length: watch.cpus }, (_, cpu) => area(cpu) + s.percpu$tlb)
    this.#loaded = Array.from({ length: watch.cpus }, (_, cpu) => area(cpu) + s.percpu$loaded_mm)
    this.#words = 2 * s.TLB_ENTRIES
    this.#debts = new TlbDebts(watch)
    this.#writes = Array.from({ length: watch.cpus }, () => [])
  }

  begin(): void {
    this.#debts.begin()
    for (const mms of this.#writes) mms.length = 0
  }

  step({ context, kind, addr, old, site }: Step): void {
    const watch = this.#watch
    const value = watch.memory[addr]
    const word = watch.map.classOf[addr]
    if (word === Word.ENTRY && kind !== Kind.CLEAR) this.#entry(context, addr, old, value, site)
    if (value === old || kind === Kind.CLEAR) return
    switch (word) {
      case Word.REFCOUNT:
        if (value === 0 && watch.freezes[site] === 0) this.#pageFreed(context, watch.pfnOf(addr), site)
        return
      case Word.MMAP_LOCK:
        if ((old & ~value & watch.s.RWSEM_WRITER_LOCKED) !== 0)
          this.#written(context, addr - watch.s.mm$mmap_lock - watch.s.rwsem$count, site)
        return
      case Word.FLUSH_PENDING:
        if (value < old) this.#gathered(context, addr - watch.s.mm$tlb_flush_pending, value, site)
    }
  }

  /** A PTE is read or written. */
  #entry(context: number, addr: number, old: number, value: number, site: number): void {
    const watch = this.#watch
    if ((value === old && this.#debts.none) || !watch.isPte(addr)) return
    const cpu = watch.cpuOf(context)
    const mm = watch.tableMm.words[watch.tableFrame(addr)]
    const page = watch.entryStart(addr)
    if (value !== old) this.#debts.changed(cpu, mm, page, old, value, site)
    if (!this.#debts.none && this.#changesMap(cpu, mm) && watch.owns(cpu, addr))
      this.#debts.seen(cpu, mm, page)
  }

  /** Whether a change of the map of `mm` by this CPU has begun and not ended. */
  #changesMap(cpu: number, mm: number): boolean {
    const { memory, s } = this.#watch
    return memory[s.PERCPU + cpu * s.PERCPU_WORDS + s.tlb$mm] === mm || this.#writes[cpu].includes(mm)
  }

  lockAcquire(context: number, lock: number, _subclass: number, how: number): void {
    const { s, map } = this.#watch
    if (map.classOf[lock + s.rwsem$count] !== Word.MMAP_LOCK || (how & s.LOCK_READ) !== 0) return
    this.#writes[this.#watch.cpuOf(context)].push(lock - s.mm$mmap_lock)
  }

  lockRelease(context: number, lock: number): void {
    const mms = this.#writes[this.#watch.cpuOf(context)]
    const at = mms.indexOf(lock - this.#watch.s.mm$mmap_lock)
    if (at >= 0) mms.splice(at, 1)
  }

  tableUnlocked(context: number): void {
    if (this.#debts.none) return
    const cpu = this.#watch.cpuOf(context)
    const { s, memory } = this.#watch
    const deferred = memory[s.PERCPU + cpu * s.PERCPU_WORDS + s.tlb_ubc$flush_required] !== 0
    const debt = this.#debts.end(cpu, ({ mm }) => !this.#changesMap(cpu, mm))
    if (debt !== undefined && !deferred) this.#owed(context, debt, this.#watch.lastSite(context))
  }

  /** The write side of mmap_lock is released, or becomes a read side. */
  #written(context: number, mm: number, site: number): void {
    this.#changeEnds(context, mm, site)
    this.#mapChanged(context, mm, site)
  }

  /** A gather ends; `others` are still open. */
  #gathered(context: number, mm: number, others: number, site: number): void {
    this.#changeEnds(context, mm, site)
    if (others === 0) this.#mapChanged(context, mm, site)
  }

  #changeEnds(context: number, mm: number, site: number): void {
    if (this.#debts.none) return
    const debt = this.#debts.end(this.#watch.cpuOf(context), (each) => each.mm === mm)
    if (debt !== undefined) this.#owed(context, debt, site)
  }

  #owed(context: number, debt: Debt, site: number): never {
    const where = `taken away at ${this.#watch.sites.where(debt.site)}`
    const ptep = this.#watch.pteOf(debt.mm, debt.addr)
    return this.#stale(context, debt, ptep, `, ${where}, and the change is over`, site, debt.site)
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
            `page ${hex(pfn)} is freed while the TLB of CPU ${cpu} translates page ` +
              `${hex(memory[at] - 1)} to it${this.#right(memory[at + 1])}\n${this.#watch.dumpPage(pfn)}`,
            this.#watch.staleCauses(cpu, memory[this.#loaded[cpu]], memory[at] - 1),
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
    const ptep = watch.pteOf(mm, addr)
    const pte = ptep === 0 ? 0 : watch.memory[ptep]
    if (this.#debts.covers(pte, cached)) return
    if (ptep !== 0 && watch.holders.writerOf(ptep) !== 0) return
    if (!this.#deferred(cpu)) this.#stale(context, { cpu, mm, addr, cached }, ptep, '', site)
  }

  #stale(
    context: number,
    { cpu, mm, addr, cached }: Pick<Debt, 'cpu' | 'mm' | 'addr' | 'cached'>,
    ptep: number,
    why: string,
    site: number,
    changed?: number,
  ): never {
    const watch = this.#watch
    const { s, pfnShift, memory } = watch
    const pte = ptep === 0 ? 'none' : watch.entryValue(ptep, memory[ptep])
    return watch.fail(
      NAME,
      context,
      site,
      `the TLB of CPU ${cpu} still translates page ${hex(addr)} of mm ${memory[mm + s.mm$id]} to pfn ` +
        `${hex(cached >>> pfnShift)}${this.#right(cached)}${why}; its pte is ${pte}`,
      watch.staleCauses(cpu, mm, addr, changed),
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
