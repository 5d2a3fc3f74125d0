// E6: what the page lock keeps. As long as an entry of migration stands for a page, the page is locked, since faults
// wait for that; what a page belongs to (page->mapping) changes from one owner to another only under its lock; and an
// anonymous page does not look like one of a file in between, since readers take no lock. Leaves out first owners and
// the page cache.
import { Kind } from '../../step/kinds.ts'
import { hex } from '../../inspect/names.ts'
import type { Step, StepCheck, StepCheckKind } from './check.ts'
import { Rewind } from './rewind.ts'
import type { Watch } from './watch.ts'
import { Word, wordSet } from './words.ts'

const NAME = 'page-lock'

export const pageLock: StepCheckKind = {
  id: 'E6',
  name: NAME,
  description:
    'A page that a migration entry stands for is locked, a page goes from one owner to another only ' +
    'while it is locked, and an anonymous page stays one.',
  cost: 'a few ns a change of a page or of a PTE',
  create: (watch) => new PageLock(watch),
}

class PageLock implements StepCheck {
  readonly reads = 0
  readonly writes: number
  readonly #watch: Watch
  /** By page frame: migration entries that stand for it. */
  readonly #migrating: Rewind
  readonly #flags: number
  readonly #mapping: number
  readonly #anon: number
  readonly #locked: number

  constructor(watch: Watch) {
    this.#watch = watch
    // Without swap nothing of this happens.
    this.writes = watch.s.SWAP === 0 ? 0 : wordSet(Word.ENTRY, Word.PAGE, Word.PAGE_FLAGS)
    this.#migrating = new Rewind(watch.s.NR_PAGES)
    this.#flags = watch.s.page$flags
    this.#mapping = watch.s.page$mapping
    this.#anon = watch.s.PAGE_MAPPING_ANON
    this.#locked = watch.s.PG_locked
  }

  begin(): void {
    // Setup leaves no page in migration.
    this.#migrating.rewind()
  }

  step({ context, kind, addr, old, site }: Step): void {
    const watch = this.#watch
    const value = watch.memory[addr]
    if (value === old || kind === Kind.CLEAR) return
    if (watch.map.classOf[addr] === Word.ENTRY) {
      if (watch.isPte(addr)) this.#entry(context, addr, old, value, site)
      return
    }
    const field = (addr - watch.memmap) % watch.pageWords
    const pfn = ((addr - watch.memmap) / watch.pageWords) | 0
    if (field === this.#flags) {
      if ((old & ~value & this.#locked) !== 0 && this.#migrating.words[pfn] > 0)
        watch.fail(
          NAME,
          context,
          site,
          `page ${hex(pfn)} is unlocked while ${this.#migrating.words[pfn]} migration entries stand ` +
            `for it\n${watch.dumpPage(pfn)}`,
        )
    } else if (field === this.#mapping && old !== 0 && value !== 0) {
      const wrong = this.#isLocked(pfn) ? this.#losesAnon(old, value) : 'while it is not locked'
      if (wrong !== '')
        watch.fail(
          NAME,
          context,
          site,
          `page ${hex(pfn)} goes from mapping ${hex(old)} to ${hex(value)} ${wrong}\n${watch.dumpPage(pfn)}`,
        )
    }
  }

  #losesAnon(old: number, value: number): string {
    return (old & ~value & this.#anon) !== 0 ? 'and looks like one of a file' : ''
  }

  #entry(context: number, addr: number, old: number, value: number, site: number): void {
    const watch = this.#watch
    const from = watch.migrating(old)
    const to = watch.migrating(value)
    if (from >= 0) this.#migrating.add(from, -1)
    if (to < 0) return
    this.#migrating.add(to, 1)
    if (!this.#isLocked(to))
      watch.fail(
        NAME,
        context,
        site,
        `${watch.entryName(addr)} ${watch.entryValue(addr, old)} -> ` +
          `${watch.entryValue(addr, value)}: page ${hex(to)} is not locked\n${watch.dumpPage(to)}`,
      )
  }

  #isLocked(pfn: number): boolean {
    return (this.#watch.memory[this.#watch.pageOf(pfn) + this.#flags] & this.#locked) !== 0
  }
}
