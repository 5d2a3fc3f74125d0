// In which order the real spinlocks are granted: an observer sees who arrives at the lock of lock-torture, and who gets
// it.
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { buildHunt } from '../../src/hunt/build.ts'
import { huntSettings } from '../../src/hunt/plan.ts'
import { hunt } from '../../src/explore/hunt.ts'
import { SCHEDULERS } from '../../src/explore/schedulers/index.ts'
import { parseConfig } from '../../src/kbuild/config.ts'
import { packageRoot } from '../../src/base/root.ts'
import { Kind } from '../../src/step/kinds.ts'
import { type Observer, Violation } from '../../src/step/observer.ts'

const CPUS = 3
/** Bits of a qspinlock's word that name the end of the queue. */
const QUEUE_TAIL = ~0xffff
const PENDING = 1 << 8
const LOCKED = 0xff

/** Whether a step on the lock's word is the one by which a CPU takes its place in line. */
type Arrives = (kind: number, a: number, b: number, old: number) => boolean

const ARRIVALS: Readonly<Record<string, Arrives>> = {
  ticket: (kind) => kind === Kind.FETCH_ADD,
  mcs: (kind) => kind === Kind.XCHG,
  // Its queue: who takes the lock past the queue is not in line.
  // The pending CPU, then the queue.
  qspinlock: (kind, a, b, old) =>
    (kind === Kind.FETCH_OR && a === PENDING && (old & ~LOCKED) === 0) ||
    (kind === Kind.CMPXCHG && old === a && (b & QUEUE_TAIL) !== 0 && (b & QUEUE_TAIL) !== (old & QUEUE_TAIL)),
  pvqspinlock: (kind, a, b, old) =>
    kind === Kind.CMPXCHG && old === a && (b & QUEUE_TAIL) !== 0 && (b & QUEUE_TAIL) !== (old & QUEUE_TAIL),
  tas: (kind, a, _b, old) =>
    (kind === Kind.CMPXCHG && a === 0) || (kind === Kind.XCHG && old !== 0 && a !== 0),
}

/** Throws when a CPU in line is granted the lock before one that was in line earlier. `grants` counts those in line. */
class ArrivalOrder implements Observer {
  grants = 0
  readonly #lock: number
  readonly #count: number
  readonly #arrives: Arrives
  readonly #line: number[] = []

  constructor(symbols: Readonly<Record<string, number>>, arrives: Arrives) {
    this.#lock = symbols.machine$scenario
    this.#count = symbols.machine$scenario + 16
    this.#arrives = arrives
  }

  begin(): void {
    this.#line.length = 0
  }

  step(entity: number, kind: number, addr: number, a: number, b: number, old: number): void {
    if (addr === this.#lock && !this.#line.includes(entity) && this.#arrives(kind, a, b, old))
      this.#line.push(entity)
    // The first access of the critical section.
    if (addr !== this.#count || kind !== Kind.PLAIN_READ) return
    const place = this.#line.indexOf(entity)
    if (place < 0) return
    this.grants++
    if (place > 0)
      throw new Violation('order', `CPU ${entity} is granted the lock before CPU ${this.#line[0]}`)
    this.#line.shift()
  }
}

async function granted(name: string): Promise<{ verdict: string; grants: number }> {
  const built = await buildHunt({
    config: parseConfig(huntSettings(CPUS, [`SPINLOCK=${name}`])),
    scenario: join(packageRoot(), 'scenarios', 'lock-torture.ts'),
    patches: [],
    seed: 1,
    stepLimit: 20_000,
    off: [],
  })
  const order = new ArrivalOrder(built.image.symbols, ARRIVALS[name])
  const { machine } = built.make({ cpus: CPUS, operations: 3, pages: 1 })
  const result = hunt(
    { machine, observers: [order] },
    { seed: 1, scheduler: SCHEDULERS[0], sites: built.image.sites.length, executions: 1024 },
  )
  return { verdict: result.violations[0]?.check ?? 'held', grants: order.grants }
}

describe('the order in which a spinlock is granted', () => {
  it.each(['ticket', 'mcs', 'qspinlock', 'pvqspinlock'])(
    'is that of arrival in line with %s',
    { timeout: 120_000 },
    async (name) => {
      const { verdict, grants } = await granted(name)
      expect(verdict).toBe('held')
      expect(grants).toBeGreaterThan(100)
    },
  )

  it('is any with tas', { timeout: 120_000 }, async () => {
    expect((await granted('tas')).verdict).toBe('order')
  })
})
