// What a page-table-lock design or a scenario owns: its own stores and atomics go to its words (PTLOCK_AREA, the lock's
// room in the struct page of a table, mm$page_table_lock; scenario_word, scenario_percpu) and nowhere else. Leaves out
// loads, and what they have the kernel do for them: a lock that is none of theirs is a BUG of the kernel (mm/ptl.ts).
import { hex } from '../../inspect/names.ts'
import type { KernelSymbols } from '../../inspect/symbols.ts'
import type { Step, StepCheck, StepCheckKind } from './check.ts'
import type { Watch } from './watch.ts'
import { ALL_WORDS } from './words.ts'

const NAME = 'bounds'
/** Accesses that a file makes itself; what kernel functions do for it is theirs. */
const PRIMITIVES = /^(store|WRITE_ONCE|smp_store_release|atomic_\w+|cmpxchg|xchg)$/
const LINE = 16

export const bounds: StepCheckKind = {
  id: '',
  name: NAME,
  description: 'A page-table-lock design and a scenario write to words of their own alone.',
  cost: 'a few ns a write, where they make any',
  create: (watch) => new Bounds(watch),
}

class Bounds implements StepCheck {
  readonly reads = 0
  readonly writes: number
  readonly #watch: Watch
  /** By site: 1 where a design or a scenario itself writes. */
  readonly #own: Uint8Array

  constructor(watch: Watch) {
    this.#watch = watch
    // A spinlock writes to the lock that it is given, wherever that lies.
    const spinlocks = new Set(
      watch.sites.all.filter(({ fn }) => fn.startsWith('arch_spin_')).map(({ file }) => file),
    )
    this.#own = Uint8Array.from(watch.sites.all, ({ file, helper, primitive }) =>
      isGuest(file) && !spinlocks.has(file) && helper === undefined && PRIMITIVES.test(primitive ?? '')
        ? 1
        : 0,
    )
    this.writes = this.#own.includes(1) ? ALL_WORDS : 0
  }

  begin(): void {}

  step({ context, addr, site }: Step): void {
    const watch = this.#watch
    if (this.#own[site] !== 1 || isOwned(watch.s, watch.memory, addr)) return
    watch.fail(
      NAME,
      context,
      site,
      `${watch.name(addr)} (word ${hex(addr)}) is written by ${watch.sites.all[site].fn}, which owns ` +
        `${ownedText(watch.s)}`,
    )
  }
}

/** Files that are designs or users' scenarios, or what these import. */
function isGuest(file: string): boolean {
  return !/^(src|scenarios)\//.test(file) || file.startsWith('src/kernel/locking/ptlock/')
}

function isOwned(s: KernelSymbols, memory: Int32Array, addr: number): boolean {
  if (addr >= s.PTLOCK_AREA && addr < s.PTLOCK_AREA + s.PTLOCK_WORDS) return true
  if (addr >= s.machine$scenario && addr < s.machine$scenario + LINE * s.NR_SCENARIO_WORDS) return true
  if (addr >= s.PERCPU && addr < s.PERCPU + s.NR_CPUS * s.PERCPU_WORDS) {
    const offset = (addr - s.PERCPU) % s.PERCPU_WORDS
    return offset >= s.percpu$scenario && offset < s.percpu$scenario + LINE
  }
  const inPage = (addr - s.MEMMAP) % s.PAGE_WORDS
  if (addr >= s.MEMMAP && addr < s.MEMMAP + s.NR_PAGES * s.PAGE_WORDS)
    return (
      inPage >= s.page$ptl &&
      inPage < s.page$ptl + s.PAGE_PTL_WORDS &&
      (memory[addr - inPage + s.page$flags] & s.PG_table) !== 0
    )
  return (
    addr >= s.MMS &&
    addr < s.MMS + s.NR_MMS * s.MM_WORDS &&
    (addr - s.MMS) % s.MM_WORDS === s.mm$page_table_lock
  )
}

function ownedText(s: KernelSymbols): string {
  const area =
    s.PTLOCK_WORDS === 0
      ? ''
      : `words ${hex(s.PTLOCK_AREA)} up to ${hex(s.PTLOCK_AREA + s.PTLOCK_WORDS)} (PTLOCK_AREA), `
  return (
    `${area}page$ptl up to page$ptl + ${s.PAGE_PTL_WORDS} of tables, mm$page_table_lock, and what ` +
    'scenario_word and scenario_percpu return'
  )
}
