// E12: how a PTE may change. A page is replaced only by clearing its entry and flushing it; rights and bits of a
// present entry are taken away by one atomic operation, as the hardware sets bits beside the lock; dirty is lost only
// with the entry or by mkclean. An entry above leads to one table until it is cleared. With SWAP an entry may become
// one of swap or of migration when it was cleared, or in a copy that fork or mremap makes; without it such an entry is
// a violation.
import { ATOMIC, Kind, KIND_FLAGS } from '../../step/kinds.ts'
import { hex } from '../../inspect/names.ts'
import type { Cause } from '../../step/observer.ts'
import type { Step, StepCheck, StepCheckKind } from './check.ts'
import { IntList } from './int_list.ts'
import type { Watch } from './watch.ts'
import { Word, wordSet } from './words.ts'

const NAME = 'pte-transitions'
/** Functions that may make a dirty entry clean. */
const MKCLEAN = ['age_pte']

export const pteTransitions: StepCheckKind = {
  id: 'E12',
  name: NAME,
  description:
    'A PTE gets another page only after it was cleared and flushed, loses rights and bits only by an ' +
    'atomic operation, and dirty only when cleared or cleaned.',
  cost: 'some 10 ns a change of a PTE',
  create: (watch) => new PteTransitions(watch),
}

class PteTransitions implements StepCheck {
  readonly reads = 0
  readonly writes = wordSet(Word.ENTRY)
  readonly #watch: Watch
  /** By CPU: pairs of address and old value of the entries it has cleared since it took its first table. */
  readonly #cleared: IntList[]
  readonly #mkclean: Uint8Array
  readonly #present: number
  readonly #hardware: number
  readonly #dirty: number

  constructor(watch: Watch) {
    const { s } = watch
    this.#watch = watch
    this.#cleared = Array.from({ length: watch.cpus }, () => new IntList())
    this.#mkclean = watch.sites.of(NAME, MKCLEAN)
    this.#present = s._PAGE_PRESENT | s._PAGE_PROTNONE
    this.#hardware = s._PAGE_PRESENT | s._PAGE_RW | s._PAGE_ACCESSED | s._PAGE_DIRTY
    this.#dirty = s._PAGE_DIRTY
  }

  begin(): void {
    for (const list of this.#cleared) list.clear()
  }

  step({ context, kind, addr, old, site }: Step): void {
    const watch = this.#watch
    const value = watch.memory[addr]
    if (value === old || kind === Kind.CLEAR) return
    if (!watch.isPte(addr)) {
      if (watch.level.words[watch.tableFrame(addr)] > 1 && watch.leadsToTable(old) && value !== 0)
        this.#fail(context, addr, old, value, site, 'another table in the place of one that is in use')
      return
    }
    const had = (old & this.#present) !== 0
    const has = (value & this.#present) !== 0
    if (value !== 0 && !has) this.#notPresent(context, addr, old, value, site)
    if (had) {
      const samePage = old >>> watch.pfnShift === value >>> watch.pfnShift
      if (has && !samePage)
        this.#fail(
          context,
          addr,
          old,
          value,
          site,
          'another page without clearing and flushing the entry between',
        )
      if ((old & ~value & this.#hardware) !== 0 && (KIND_FLAGS[kind] & ATOMIC) === 0)
        this.#fail(
          context,
          addr,
          old,
          value,
          site,
          'a store takes bits of a present entry away; the hardware may have set others since it was read',
        )
      if (has && (old & ~value & this.#dirty) !== 0) this.#dirtyLost(context, addr, old, value, site)
      if (!has) {
        const cleared = this.#cleared[watch.cpuOf(context)]
        cleared.push(addr)
        cleared.push(old)
      }
      return
    }
    if (has) this.#filled(context, addr, value, site)
  }

  /** An entry becomes one that maps nothing. */
  #notPresent(context: number, addr: number, old: number, value: number, site: number): void {
    const watch = this.#watch
    const fail = (text: string): never => this.#fail(context, addr, old, value, site, text)
    if (watch.s.SWAP === 0) fail('no mechanism has such entries')
    if ((old & this.#present) !== 0) fail('a present entry that was not cleared first becomes another')
    const from = watch.migrating(old)
    const to = watch.migrating(value)
    if (from !== to && from >= 0) fail('a migration entry becomes another')
    if (watch.isSwap(old) && !watch.staysSwapped(old, value)) fail('a swap entry becomes another')
  }

  /** An entry that was none maps a page now: if this CPU cleared it in this section, what was there must be flushed. */
  #filled(context: number, addr: number, value: number, site: number): void {
    const watch = this.#watch
    const cleared = this.#cleared[watch.cpuOf(context)]
    for (let i = cleared.length - 2; i >= 0; i -= 2) {
      const before = cleared.items[i + 1]
      if (before >>> watch.pfnShift !== value >>> watch.pfnShift) {
        if (cleared.items[i] === addr) {
          this.#flushed(context, addr, before, value, site)
          return
        }
        continue
      }
      // The same page is back, here or elsewhere.
      if ((before & ~value & this.#dirty) !== 0) this.#dirtyLost(context, addr, before, value, site)
      if (cleared.items[i] === addr) return
    }
  }

  #flushed(context: number, addr: number, before: number, value: number, site: number): void {
    const { memory, s, tableMm, pfnShift } = this.#watch
    const mm = tableMm.words[this.#watch.tableFrame(addr)]
    const page = this.#watch.entryStart(addr)
    for (let cpu = 0; cpu < this.#watch.cpus; cpu++) {
      const area = s.PERCPU + cpu * s.PERCPU_WORDS
      if (memory[area + s.percpu$loaded_mm] !== mm) continue
      const cached = area + s.percpu$tlb + 2 * (page & (s.TLB_ENTRIES - 1))
      if (memory[cached] === page + 1 && memory[cached + 1] >>> pfnShift === before >>> pfnShift)
        this.#fail(
          context,
          addr,
          before,
          value,
          site,
          `another page while the TLB of CPU ${cpu} still translates page ${hex(page)} to pfn ` +
            `${hex(before >>> pfnShift)}`,
          this.#watch.staleCauses(cpu, mm, page),
        )
    }
  }

  #dirtyLost(context: number, addr: number, old: number, value: number, site: number): void {
    if (this.#mkclean[site] === 0) this.#fail(context, addr, old, value, site, 'the dirty bit is lost')
  }

  tableLocked(context: number): void {
    const cpu = this.#watch.cpuOf(context)
    if (this.#watch.owned.words[cpu] === 0) this.#cleared[cpu].clear()
  }

  tableUnlocked(context: number): void {
    const cpu = this.#watch.cpuOf(context)
    if (this.#watch.owned.words[cpu] === 1) this.#cleared[cpu].clear()
  }

  #fail(
    context: number,
    addr: number,
    old: number,
    value: number,
    site: number,
    text: string,
    causes: readonly Cause[] = [],
  ): never {
    const watch = this.#watch
    return watch.fail(
      NAME,
      context,
      site,
      `${watch.entryName(addr)} ${watch.entryValue(addr, old)} -> ${watch.entryValue(addr, value)}: ${text}`,
      causes,
    )
  }
}
