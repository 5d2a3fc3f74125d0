// lockdep (kernel/locking/lockdep.c, 6.1): lock classes and subclasses, the order in which they nest in an execution, cycles of
// that order reported when the last edge appears, whether or not anything deadlocked; sleeping locks and waits under a spinlock or
// with interrupts off; waiting for a TLB flush with interrupts off; locks held at the end. A lock's class is where it lies, since
// without LOCK_STAT a lock has no word for it. Leaves out recursive readers (no lock here allows them).
import { Kind } from '../../step/kinds.ts'
import { Violation } from '../../step/observer.ts'
import { hex } from '../../inspect/names.ts'
import { LOCK_CLASSES, lockClassAt } from '../../inspect/lock_classes.ts'
import type { Step, StepCheck, StepCheckKind } from './check.ts'
import { LockOrder } from './lock_order.ts'
import type { Watch } from './watch.ts'
import { Word, wordSet } from './words.ts'

const NAME = 'lockdep'

/** Functions that wait by giving the CPU up, not by spinning. */
const SLEEPERS = ['rwsem_down_read_slowpath', 'rwsem_down_write_slowpath', 'schedule_wait', 'do_idle']

export const lockdep: StepCheckKind = {
  id: '',
  name: NAME,
  description:
    'The order in which lock classes nest has no cycle; nothing sleeps under a spinlock; no flush waits with interrupts off; no lock is held at the end.',
  cost: 'some 30 ns a lock taken',
  create: (watch) => new Lockdep(watch),
}

/** A lock that a CPU holds. */
interface Held {
  lock: number
  /** Class and subclass: class * 8 + subclass. */
  key: number
  how: number
  site: number
}

interface LockClass {
  readonly name: string
  /** The last executions in which it was taken in an interrupt, and with interrupts on: never the same. */
  inIrq: number
  irqsOn: number
}

class Lockdep implements StepCheck {
  readonly reads = wordSet(Word.OTHER)
  readonly writes = 0
  readonly #watch: Watch
  readonly #order = new LockOrder()
  readonly #classes: LockClass[] = []
  readonly #byName = new Map<string, number>()
  /** Class of a lock address, once it was looked up. */
  readonly #classOf = new Map<number, number>()
  readonly #held: Held[][]
  readonly #depth: Int32Array
  readonly #sleepers: Uint8Array
  readonly #try: number
  readonly #sleeps: number
  #execution = 0

  constructor(watch: Watch) {
    this.#watch = watch
    this.#held = Array.from({ length: 2 * watch.cpus }, () =>
      Array.from({ length: 16 }, () => ({ lock: 0, key: 0, how: 0, site: 0 })),
    )
    this.#depth = new Int32Array(2 * watch.cpus)
    this.#sleepers = watch.sites.of(NAME, SLEEPERS)
    this.#try = watch.s.LOCK_TRY
    this.#sleeps = watch.s.LOCK_SLEEPS
  }

  begin(): void {
    this.#depth.fill(0)
    this.#order.begin()
    this.#execution++
  }

  // Waits are the only steps that matter.
  step({ context, kind, addr, site }: Step): void {
    if (kind !== Kind.WAIT) return
    const { s, memory } = this.#watch
    const cpu = this.#watch.cpuOf(context)
    const area = s.PERCPU + cpu * s.PERCPU_WORDS
    if (this.#sleepers[site] === 1) this.#mightSleep(context, site)
    else if (addr === area + s.percpu$flush_acks && memory[area + s.percpu$irqs_off] !== 0)
      this.#fail(
        context,
        site,
        `WARNING: CPU: ${cpu} at ${this.#watch.sites.where(site)}\nirqs_disabled(): waits for the acknowledgement of a TLB flush with interrupts off`,
      )
  }

  lockAcquire(context: number, lock: number, subclass: number, how: number): void {
    const site = this.#watch.lastSite(context)
    const key = this.#classFor(lock) * 8 + subclass
    const held = this.#held[context]
    const depth = this.#depth[context]
    if ((how & (this.#sleeps | this.#try)) === this.#sleeps) this.#mightSleep(context, site)
    this.#irqUse(context, key, site)
    if ((how & this.#try) === 0)
      for (let i = 0; i < depth; i++) {
        const before = held[i]
        if (before.key === key) this.#recursive(context, before, lock, key, site)
        if (!this.#order.note(before.key, key)) this.#newOrder(context, before, lock, key, site)
      }
    if (depth === held.length) held.push({ lock: 0, key: 0, how: 0, site: 0 })
    const slot = held[depth]
    slot.lock = lock
    slot.key = key
    slot.how = how
    slot.site = site
    this.#depth[context] = depth + 1
  }

  lockRelease(context: number, lock: number): void {
    const held = this.#held[context]
    let i = this.#depth[context] - 1
    while (i >= 0 && held[i].lock !== lock) i--
    if (i < 0) return
    const slot = held[i]
    const last = --this.#depth[context]
    for (; i < last; i++) held[i] = held[i + 1]
    held[last] = slot
  }

  end(): void {
    for (let context = 0; context < this.#depth.length; context++) {
      if (this.#depth[context] === 0) continue
      const banner = '='.repeat(48)
      throw new Violation(
        NAME,
        `${banner}\nWARNING: lock held when returning to user space!\n${'-'.repeat(48)}\nCPU ${this.#watch.cpuOf(context)} has left the kernel with locks still held!\n${this.#locksHeld(context)}`,
      )
    }
  }

  // Rules.

  #mightSleep(context: number, site: number): void {
    const { s, memory } = this.#watch
    const cpu = this.#watch.cpuOf(context)
    const irqsOff = memory[s.PERCPU + cpu * s.PERCPU_WORDS + s.percpu$irqs_off] !== 0
    let spinlocks = 0
    for (let i = 0; i < this.#depth[context]; i++)
      if ((this.#held[context][i].how & this.#sleeps) === 0) spinlocks++
    if (spinlocks === 0 && !irqsOff && context < this.#watch.cpus) return
    this.#fail(
      context,
      site,
      `BUG: sleeping function called from invalid context at ${this.#watch.sites.where(site)}\n` +
        `in_atomic(): ${spinlocks > 0 || context >= this.#watch.cpus ? 1 : 0}, irqs_disabled(): ${irqsOff ? 1 : 0}, on CPU ${cpu}\n` +
        `${this.#locksHeld(context)}\n${this.#trace()}`,
    )
  }

  /** A lock that interrupts take must be taken with interrupts off elsewhere. */
  #irqUse(context: number, key: number, site: number): void {
    const { s, memory, cpus } = this.#watch
    const lockClass = this.#classes[key >> 3]
    const cpu = this.#watch.cpuOf(context)
    if (context >= cpus) lockClass.inIrq = this.#execution
    else if (memory[s.PERCPU + cpu * s.PERCPU_WORDS + s.percpu$irqs_off] === 0)
      lockClass.irqsOn = this.#execution
    if (lockClass.inIrq !== this.#execution || lockClass.irqsOn !== this.#execution) return
    const banner = '='.repeat(32)
    this.#fail(
      context,
      site,
      `${banner}\nWARNING: inconsistent lock state\n${'-'.repeat(32)}\n` +
        `inconsistent {IN-HARDIRQ-W} and {HARDIRQ-ON-W} usage of ${lockClass.name}\n${this.#trace()}`,
    )
  }

  #recursive(context: number, before: Held, lock: number, key: number, site: number): never {
    const banner = '='.repeat(44)
    return this.#fail(
      context,
      site,
      `${banner}\nWARNING: possible recursive locking detected\n${'-'.repeat(44)}\n` +
        `CPU ${this.#watch.cpuOf(context)} is trying to acquire lock:\n${this.#lockText(lock, key, site)}\n\n` +
        `but task is already holding lock:\n${this.#lockText(before.lock, before.key, before.site)}\n\n` +
        'other info that might help us debug this:\n Possible unsafe locking scenario:\n\n' +
        `       CPU0\n       ----\n  lock(${this.#keyName(before.key)});\n  lock(${this.#keyName(key)});\n\n *** DEADLOCK ***\n\n` +
        `${this.#locksHeld(context)}\n${this.#trace()}`,
    )
  }

  /** `key` is taken under `before` for the first time: does an order the other way exist? */
  #newOrder(context: number, before: Held, lock: number, key: number, site: number): void {
    const stack = this.#watch.stack()
    const path = this.#order.closes({ from: before.key, to: key, stack })
    if (path === undefined) return
    const banner = '='.repeat(54)
    const chain = path
      .toReversed()
      .map((edge, i) => `-> #${path.length - i} (${this.#keyName(edge.to)}){+.+.}:\n${traceOf(edge.stack)}`)
    this.#fail(
      context,
      site,
      `${banner}\nWARNING: possible circular locking dependency detected\n${'-'.repeat(54)}\n` +
        `CPU ${this.#watch.cpuOf(context)} is trying to acquire lock:\n${this.#lockText(lock, key, site)}\n\n` +
        `but task is already holding lock:\n${this.#lockText(before.lock, before.key, before.site)}\n\n` +
        'which lock already depends on the new lock.\n\n\nthe existing dependency chain (in reverse order) is:\n\n' +
        `${chain.join('\n\n')}\n\n-> #0 (${this.#keyName(key)}){+.+.}:\n${traceOf(stack)}\n\n` +
        'other info that might help us debug this:\n\n' +
        `${this.#scenario(before.key, key, path)}\n\n${this.#locksHeld(context)}`,
    )
  }

  #scenario(
    held: number,
    wanted: number,
    path: readonly { readonly from: number; readonly to: number }[],
  ): string {
    const rows = [
      ' Possible unsafe locking scenario:',
      '',
      '       CPU0                    CPU1',
      '       ----                    ----',
      `  lock(${this.#keyName(held)});`,
    ]
    // The last order of the chain is what the other CPU does.
    const other = path.at(-1)!
    rows.push(`                               lock(${this.#keyName(other.from)});`)
    rows.push(`                               lock(${this.#keyName(other.to)});`)
    rows.push(`  lock(${this.#keyName(wanted)});`, '', ' *** DEADLOCK ***')
    return rows.join('\n')
  }

  // Texts.

  #fail(context: number, site: number, text: string): never {
    return this.#watch.fail(NAME, context, site, text)
  }

  #trace(): string {
    return `stack backtrace:\n${traceOf(this.#watch.stack())}`
  }

  #locksHeld(context: number): string {
    const n = this.#depth[context]
    const rows = Array.from({ length: n }, (_, i) => {
      const { lock, key, site } = this.#held[context][i]
      return ` #${i}: ${this.#lockText(lock, key, site)}`
    })
    return `${n} lock${n === 1 ? '' : 's'} held by CPU ${this.#watch.cpuOf(context)}:${rows.map((row) => `\n${row}`).join('')}`
  }

  #lockText(lock: number, key: number, site: number): string {
    return `${hex(lock)} (${this.#keyName(key)}){+.+.}, at: ${this.#watch.sites.where(site)} (${this.#watch.name(lock)})`
  }

  #keyName(key: number): string {
    const subclass = key & 7
    return `${this.#classes[key >> 3].name}${subclass === 0 ? '' : `/${subclass}`}`
  }

  // Classes.

  #classFor(lock: number): number {
    let found = this.#classOf.get(lock)
    if (found !== undefined) return found
    const name = this.#className(lock)
    found = this.#byName.get(name)
    if (found === undefined) {
      found = this.#classes.push({ name, inIrq: -1, irqsOn: -1 }) - 1
      this.#byName.set(name, found)
    }
    this.#classOf.set(lock, found)
    return found
  }

  #className(lock: number): string {
    const symbol = lockClassAt(this.#watch.s, lock)
    if (symbol !== undefined) return LOCK_CLASSES[symbol].name
    // A lock of a scenario or a user's design: each is a class of its own.
    return this.#watch.name(lock)
  }
}

function traceOf(stack: readonly string[]): string {
  return stack.map((name) => `       ${name}`).join('\n')
}
