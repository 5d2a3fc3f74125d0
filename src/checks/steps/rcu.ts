// E14: objects that wait for the end of a grace period. From call_rcu until it is freed an object is touched only by
// CPUs that were in a read-side section then and have not left it since: nobody else may know of it. Leaves out what
// happens once it is freed (use_after_free.ts), and objects that setup has left waiting.
import { Kind } from '../../step/kinds.ts'
import { hex } from '../../inspect/names.ts'
import type { Step, StepCheck, StepCheckKind } from './check.ts'
import type { Watch } from './watch.ts'
import { Word, wordSet } from './words.ts'

const NAME = 'rcu'
/** Who keeps the objects that wait, and who takes them back. */
const KEEPERS = ['rcu', 'mm/slab']

export const rcu: StepCheckKind = {
  id: 'E14',
  name: NAME,
  description:
    'An object that was given to call_rcu is touched only in read-side sections that were open then, ' +
    'until it is freed.',
  cost: 'a few ns an access to an object while one waits',
  create: (watch) => new Rcu(watch),
}

class Rcu implements StepCheck {
  readonly reads = wordSet(Word.OBJECT)
  readonly writes = wordSet(Word.OBJECT, Word.RCU_NESTING)
  readonly #watch: Watch
  readonly #call: Uint8Array
  readonly #keepers: readonly Uint8Array[]
  /** By unit of an object that waits: the CPUs that may still read it. */
  readonly #waiting = new Map<number, Set<number>>()

  constructor(watch: Watch) {
    this.#watch = watch
    this.#call = watch.sites.of(NAME, ['call_rcu'])
    this.#keepers = KEEPERS.map((module) => watch.sites.in(NAME, module))
  }

  begin(): void {
    this.#waiting.clear()
  }

  step({ context, kind, addr, site }: Step): void {
    const watch = this.#watch
    const { classOf, unitOf } = watch.map
    if (classOf[addr] === Word.RCU_NESTING) {
      if (watch.memory[addr] === 0)
        for (const readers of this.#waiting.values()) readers.delete(watch.cpuOf(context))
      return
    }
    if (this.#call[site] === 1 && kind === Kind.PLAIN_WRITE) this.#waiting.set(unitOf[addr], this.#readers())
    else if (this.#waiting.size > 0) this.#touched(context, addr, site)
  }

  /** The CPUs that are in a read-side section. */
  #readers(): Set<number> {
    const { s, memory, cpus } = this.#watch
    const readers = new Set<number>()
    for (let cpu = 0; cpu < cpus; cpu++)
      if (memory[s.PERCPU + cpu * s.PERCPU_WORDS + s.percpu$rcu_nesting] > 0) readers.add(cpu)
    return readers
  }

  #touched(context: number, addr: number, site: number): void {
    const watch = this.#watch
    const unit = watch.map.unitOf[addr]
    const readers = this.#waiting.get(unit)
    if (readers === undefined) return
    if (watch.dead.words[unit] !== 0) {
      this.#waiting.delete(unit)
      return
    }
    const cpu = watch.cpuOf(context)
    if (readers.has(cpu) || this.#keepers.some((sites) => sites[site] === 1)) return
    const section = watch.memory[watch.s.PERCPU + cpu * watch.s.PERCPU_WORDS + watch.s.percpu$rcu_nesting] > 0
    const who = section ? 'whose read-side section began later' : 'which is in no read-side section'
    watch.fail(
      NAME,
      context,
      site,
      `${watch.name(addr)} at ${hex(addr)} waits for the end of a grace period and is touched by CPU ${cpu}, ${who}`,
    )
  }
}
