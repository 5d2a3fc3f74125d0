// E2: what mm/page_table_check.c (6.1) counts, and that an anonymous page with several mappings can be written by none
// when a CPU drops its last page table. Leaves out huge entries.
import { Kind } from '../../step/kinds.ts'
import { hex } from '../../inspect/names.ts'
import type { Step, StepCheck, StepCheckKind } from './check.ts'
import { IntList } from './int_list.ts'
import { Rewind } from './rewind.ts'
import type { Watch } from './watch.ts'
import { Word, wordSet } from './words.ts'

const NAME = 'page-table-check'

export const pageTableCheck: StepCheckKind = {
  id: 'E2',
  name: NAME,
  description:
    'A page is mapped as anonymous or as a file, never both; an anonymous one that is mapped twice ' +
    'is writable nowhere; a free one is not mapped.',
  cost: 'some 10 ns a change of a PTE',
  create: (watch) => new PageTableCheck(watch),
}

class PageTableCheck implements StepCheck {
  readonly reads = 0
  readonly writes = wordSet(Word.ENTRY, Word.REFCOUNT)
  readonly #watch: Watch
  /** By page frame: PTEs that map it as anonymous, as a file, and those of either kind that may write. */
  readonly #anon: Rewind
  readonly #file: Rewind
  readonly #writable: Rewind
  /** Page frames whose mappings each CPU has changed since it took its first table. */
  readonly #touched: IntList[]
  readonly #rw: number
  #based = false

  constructor(watch: Watch) {
    this.#watch = watch
    this.#anon = new Rewind(watch.s.NR_PAGES)
    this.#file = new Rewind(watch.s.NR_PAGES)
    this.#writable = new Rewind(watch.s.NR_PAGES)
    this.#touched = Array.from({ length: watch.cpus }, () => new IntList())
    this.#rw = watch.s._PAGE_RW
  }

  begin(): void {
    const parts = [this.#anon, this.#file, this.#writable]
    for (const part of parts) part.rewind()
    for (const list of this.#touched) list.clear()
    if (this.#based) return
    this.#based = true
    this.#watch.basePtes((_addr, pte) => {
      if (!this.#watch.maps(pte)) return
      const pfn = pte >>> this.#watch.pfnShift
      const counts = this.#watch.isAnon(pfn) ? this.#anon : this.#file
      counts.add(pfn, 1)
      if ((pte & this.#rw) !== 0) this.#writable.add(pfn, 1)
    })
    for (const part of parts) part.forget()
  }

  step({ context, kind, addr, old, site }: Step): void {
    const watch = this.#watch
    const value = watch.memory[addr]
    if (value === old || kind === Kind.CLEAR) return
    if (watch.map.classOf[addr] === Word.REFCOUNT) {
      if (value === 0) this.#freed(context, addr, site)
      return
    }
    if (!watch.isPte(addr)) return
    const from = watch.maps(old) ? old >>> watch.pfnShift : -1
    const to = watch.maps(value) ? value >>> watch.pfnShift : -1
    if (from >= 0) this.#clear(context, addr, old, value, from, site)
    if (to >= 0) this.#set(context, addr, old, value, to, site)
  }

  #clear(context: number, addr: number, old: number, value: number, pfn: number, site: number): void {
    const watch = this.#watch
    const anon = watch.isAnon(pfn)
    const counts = anon ? this.#anon : this.#file
    const others = anon ? this.#file : this.#anon
    if (others.words[pfn] > 0 || counts.words[pfn] <= 0)
      this.#fail(context, addr, old, value, pfn, site, `unmapped as ${anon ? 'anonymous' : 'a file page'}`)
    counts.add(pfn, -1)
    if ((old & this.#rw) !== 0) this.#writable.add(pfn, -1)
    this.#touch(context, pfn)
  }

  #set(context: number, addr: number, old: number, value: number, pfn: number, site: number): void {
    const watch = this.#watch
    const anon = watch.isAnon(pfn)
    const counts = anon ? this.#anon : this.#file
    const others = anon ? this.#file : this.#anon
    counts.add(pfn, 1)
    const writable = (value & this.#rw) !== 0
    if (writable) this.#writable.add(pfn, 1)
    this.#touch(context, pfn)
    if (others.words[pfn] > 0)
      this.#fail(context, addr, old, value, pfn, site, `mapped as ${anon ? 'anonymous' : 'a file page'}`)
    if (anon && writable && counts.words[pfn] > 1)
      this.#fail(context, addr, old, value, pfn, site, 'mapped writable and not alone')
  }

  #touch(context: number, pfn: number): void {
    this.#touched[this.#watch.cpuOf(context)].push(pfn)
  }

  #freed(context: number, addr: number, site: number): void {
    const pfn = this.#watch.pfnOf(addr)
    if (this.#anon.words[pfn] === 0 && this.#file.words[pfn] === 0) return
    this.#watch.fail(
      NAME,
      context,
      site,
      `page ${hex(pfn)} is freed while ${this.#mappings(pfn)}\n${this.#watch.dumpPage(pfn)}`,
    )
  }

  tableLocked(context: number): void {
    const cpu = this.#watch.cpuOf(context)
    if (this.#watch.owned.words[cpu] === 0) this.#touched[cpu].clear()
  }

  /** When the CPU drops its last table, whatever it did is complete. */
  tableUnlocked(context: number): void {
    const watch = this.#watch
    const cpu = watch.cpuOf(context)
    if (watch.owned.words[cpu] !== 1) return
    const touched = this.#touched[cpu]
    for (let i = 0; i < touched.length; i++) {
      const pfn = touched.items[i]
      if (this.#anon.words[pfn] <= 1 || this.#writable.words[pfn] === 0) continue
      watch.fail(
        NAME,
        context,
        watch.lastSite(context),
        `anonymous page ${hex(pfn)} can be written by ${this.#writable.words[pfn]} of its ` +
          `${this.#anon.words[pfn]} mappings as its page table is unlocked\n${watch.dumpPage(pfn)}`,
      )
    }
    touched.clear()
  }

  #mappings(pfn: number): string {
    return `mapped ${this.#anon.words[pfn]} times as anonymous, ${this.#file.words[pfn]} times as a file page`
  }

  #fail(
    context: number,
    addr: number,
    old: number,
    value: number,
    pfn: number,
    site: number,
    what: string,
  ): never {
    const watch = this.#watch
    return watch.fail(
      NAME,
      context,
      site,
      `${watch.entryName(addr)} ${watch.entryValue(addr, old)} -> ${watch.entryValue(addr, value)}: ` +
        `page ${hex(pfn)} is ${what}: ${this.#mappings(pfn)}\n${watch.dumpPage(pfn)}`,
    )
  }
}
