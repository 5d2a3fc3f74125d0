// Translations that a TLB must lose: those that grant more than the entry which somebody has changed. Whoever changed
// it, or found it changed while he changes the map himself, owes the flush until his change ends. Leaves out what is
// wrong about a debt that is not paid: tlb.ts.
import type { Watch } from './watch.ts'

/** A translation in a TLB that the page table does not grant. */
export interface Debt {
  /** Whose TLB it is in. */
  readonly cpu: number
  readonly mm: number
  /** Page number, and the PTE that is cached for it. */
  readonly addr: number
  readonly cached: number
  /** Where the entry was changed. */
  readonly site: number
  /** CPUs that owe the flush: none when it is deferred. */
  readonly owners: Set<number>
}

/** The debts of one execution. */
export class TlbDebts {
  readonly #watch: Watch
  readonly #rights: number
  /** Address of each CPU's TLB, and of the word that says which mm it is for. */
  readonly #tlb: number[]
  readonly #loaded: number[]
  readonly #slots: number
  #debts: Debt[] = []

  constructor(watch: Watch) {
    const { s } = watch
    this.#watch = watch
    this.#rights = s._PAGE_PRESENT | s._PAGE_RW
    const area = (cpu: number): number => s.PERCPU + cpu * s.PERCPU_WORDS
    this.#tlb = Array.from({ length: watch.cpus }, (_, cpu) => area(cpu) + s.percpu$tlb)
    this.#loaded = Array.from({ length: watch.cpus }, (_, cpu) => area(cpu) + s.percpu$loaded_mm)
    this.#slots = s.TLB_ENTRIES
  }

  begin(): void {
    if (this.#debts.length > 0) this.#debts = []
  }

  get none(): boolean {
    return this.#debts.length === 0
  }

  /** Whether `pte` grants what a TLB has cached. */
  covers(pte: number, cached: number): boolean {
    const { pfnShift } = this.#watch
    return pte >>> pfnShift === cached >>> pfnShift && (cached & ~pte & this.#rights) === 0
  }

  /**
   * CPU `cpu` has changed the PTE of page `addr` of `mm` from `old`. It owes what that granted: a page that is mapped
   * where none was, while reclaim has not flushed the one before, takes nothing away.
   */
  changed(cpu: number, mm: number, addr: number, old: number, pte: number, site: number): void {
    const { memory } = this.#watch
    if (this.#debts.length > 0)
      this.#debts = this.#debts.filter(
        (debt) => debt.mm !== mm || debt.addr !== addr || !this.covers(pte, debt.cached),
      )
    for (let each = 0; each < this.#tlb.length; each++) {
      if (memory[this.#loaded[each]] !== mm) continue
      const slot = this.#slotOf(each, addr)
      const cached = memory[slot + 1]
      if (memory[slot] !== ((addr + 1) | 0)) continue
      if (this.covers(pte, cached) || !this.covers(old, cached)) continue
      const known = this.#debts.find(
        (debt) => debt.cpu === each && debt.addr === addr && debt.mm === mm && debt.cached === cached,
      )
      if (known === undefined) this.#debts.push({ cpu: each, mm, addr, cached, site, owners: new Set([cpu]) })
      else known.owners.add(cpu)
    }
  }

  /** CPU `cpu`, which changes the map of `mm`, has seen the PTE of page `addr`: its debts are this CPU's, too. */
  seen(cpu: number, mm: number, addr: number): void {
    for (const debt of this.#debts) if (debt.mm === mm && debt.addr === addr) debt.owners.add(cpu)
  }

  /**
   * Ends the debts of CPU `cpu` for which `ends` holds; returns the first that it has not paid. One that is deferred
   * is owed by those who come across it.
   */
  end(cpu: number, ends: (debt: Debt) => boolean): Debt | undefined {
    let unpaid: Debt | undefined
    this.#debts = this.#debts.filter((debt) => {
      if (!this.#stands(debt)) return false
      if (debt.owners.has(cpu) && ends(debt)) {
        debt.owners.delete(cpu)
        unpaid ??= debt
      }
      return true
    })
    return unpaid
  }

  /** Whether the TLB still has it. */
  #stands({ cpu, mm, addr, cached }: Debt): boolean {
    const { memory } = this.#watch
    const slot = this.#slotOf(cpu, addr)
    return (
      memory[this.#loaded[cpu]] === mm && memory[slot] === ((addr + 1) | 0) && memory[slot + 1] === cached
    )
  }

  /** As tlb_entry() of arch/tlb.ts. */
  #slotOf(cpu: number, addr: number): number {
    return this.#tlb[cpu] + ((addr & (this.#slots - 1)) << 1)
  }
}
