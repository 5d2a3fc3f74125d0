// E3: reference and map counts of pages. A reference is taken only where there is one, no count falls below nothing, a
// page goes only when it is mapped nowhere, and its contents are touched only while it is referenced. Leaves out
// whether the counts equal the mappings: that is the ledger's.
import { Kind } from '../../step/kinds.ts'
import { hex } from '../../inspect/names.ts'
import type { Step, StepCheck, StepCheckKind } from './check.ts'
import type { Watch } from './watch.ts'
import { Word, wordSet } from './words.ts'

const NAME = 'page-counts'
const ALLOCATOR = 'mm/page_alloc'

export const pageCounts: StepCheckKind = {
  id: 'E3',
  name: NAME,
  description:
    'References are taken from a page that has one, counts never fall below none, and contents are ' +
    'touched only while the page is referenced.',
  cost: 'a few ns a change of a count or an access to contents',
  create: (watch) => new PageCounts(watch),
}

class PageCounts implements StepCheck {
  readonly reads = wordSet(Word.CONTENT)
  readonly writes = wordSet(Word.CONTENT, Word.REFCOUNT, Word.MAPCOUNT)
  readonly #watch: Watch
  readonly #allocator: Uint8Array

  constructor(watch: Watch) {
    this.#watch = watch
    this.#allocator = watch.sites.in(NAME, ALLOCATOR)
  }

  begin(): void {}

  step({ context, kind, addr, a, old, site }: Step): void {
    const watch = this.#watch
    const { classOf, unitOf, pageUnit } = watch.map
    switch (classOf[addr]) {
      case Word.CONTENT: {
        const dead = watch.dead.words
        if (dead[unitOf[addr]] !== 0) this.#content(context, addr, unitOf[addr] - pageUnit, site)
        if (kind === Kind.COPY && dead[unitOf[a]] !== 0) this.#content(context, a, unitOf[a] - pageUnit, site)
        return
      }
      case Word.REFCOUNT:
        this.#reference(context, kind, addr, old, site)
        return
      case Word.MAPCOUNT:
        this.#mapping(context, addr, old, site)
    }
  }

  #content(context: number, addr: number, pfn: number, site: number): void {
    // The allocator clears a page before it gives it its first reference.
    if (this.#allocator[site] === 1) return
    this.#fail(context, site, pfn, `${this.#watch.name(addr)} is touched, and the page has no reference`)
  }

  #reference(context: number, kind: number, addr: number, old: number, site: number): void {
    const watch = this.#watch
    const count = watch.memory[addr]
    if (count === old) return
    const pfn = watch.pfnOf(addr)
    const change = `page ${hex(pfn)} _refcount ${old} -> ${count}`
    if (count < 0) this.#fail(context, site, pfn, `${change}: more references dropped than there were`)
    if (old <= 0 && (kind === Kind.FETCH_ADD || kind === Kind.CMPXCHG))
      this.#fail(context, site, pfn, `${change}: a reference is taken from a page without one`)
    if (old > 0 && kind !== Kind.FETCH_ADD && kind !== Kind.CMPXCHG)
      this.#fail(context, site, pfn, `${change}: the count of a page in use is overwritten`)
    if (count === 0 && watch.memory[watch.pageOf(pfn) + watch.mapcount] !== -1)
      this.#badPage(context, site, pfn)
  }

  #mapping(context: number, addr: number, old: number, site: number): void {
    const watch = this.#watch
    const count = watch.memory[addr]
    if (count === old) return
    const pfn = watch.pfnOf(addr)
    const change = `page ${hex(pfn)} _mapcount ${old} -> ${count}`
    if (count < -1) this.#fail(context, site, pfn, `${change}: more mappings removed than there were`)
    if (count > old && watch.memory[watch.pageOf(pfn) + watch.refcount] <= 0)
      this.#fail(context, site, pfn, `${change}: a page without a reference is mapped`)
  }

  /** The last reference goes while the page is mapped: as the kernel's bad_page() prints it. */
  #badPage(context: number, site: number, pfn: number): never {
    const watch = this.#watch
    const number = pfn.toString(16).padStart(5, '0')
    return watch.fail(
      NAME,
      context,
      site,
      `BUG: Bad page state  pfn:${number}\n${watch.dumpPage(pfn)}\npage dumped because: nonzero mapcount`,
    )
  }

  #fail(context: number, site: number, pfn: number, text: string): never {
    return this.#watch.fail(NAME, context, site, `${text}\n${this.#watch.dumpPage(pfn)}`)
  }
}
