// lockdep (kernel/locking/lockdep.c, 6.1): lock classes and subclasses, the order in which they nest in an execution,
// cycles of that order reported when the last edge appears, whether or not anything deadlocked; locks that interrupts
// take but that are taken, or under which others are taken, with interrupts on; sleeping locks and waits under a
// spinlock or with interrupts off; waiting for a TLB flush with interrupts off; locks held at the end. A lock's class
// is where it lies, since without LOCK_STAT a lock has no word for it. Leaves out recursive readers (no lock here
// allows them).
import { Kind } from '../../step/kinds.ts'
import { Violation } from '../../step/observer.ts'
import { hex } from '../../inspect/names.ts'
import { LOCK_CLASSES } from '../../inspect/lock_classes.ts'
import type { Step, StepCheck, StepCheckKind } from './check.ts'
import { LockOrder, type Dependency } from './lock_order.ts'
import { LockUsage } from './lock_usage.ts'
import type { Watch } from './watch.ts'
import { Word, wordSet } from './words.ts'

const NAME = 'lockdep'
/** More than LOCK_CLASS_ constants. */
const MAX_CLASSES = 64

/** Functions that wait by giving the CPU up, not by spinning. */
const SLEEPERS = ['rwsem_down_read_slowpath', 'rwsem_down_write_slowpath', 'schedule_wait', 'do_idle']

export const lockdep: StepCheckKind = {
  id: '',
  name: NAME,
  description:
    'The order in which lock classes nest has no cycle; what interrupts take is taken with ' +
    'interrupts off; nothing sleeps under a spinlock; no flush waits with interrupts off; no lock is ' +
    'held at the end.',
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

class Lockdep implements StepCheck {
  readonly reads = wordSet(Word.OTHER)
  readonly writes = 0
  readonly #watch: Watch
  readonly #order = new LockOrder()
  readonly #usage = new LockUsage(this.#order)
  /** Names of the classes. */
  readonly #classes: string[] = []
  readonly #byName = new Map<string, number>()
  /** Class of a lock address, once it was looked up. */
  /** By lock and the class that it was given: finding a lock's class by where it lies takes time. */
  readonly #classOf = new Map<number, number>()
  readonly #held: Held[][]
  readonly #depth: Int32Array
  readonly #sleepers: Uint8Array
  readonly #try: number
  readonly #sleeps: number

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
    this.#usage.begin()
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
        `WARNING: CPU: ${cpu} at ${this.#watch.sites.where(site)}\nirqs_disabled(): waits for the ` +
          'acknowledgement of a TLB flush with interrupts off',
      )
  }

  lockAcquire(context: number, lock: number, subclass: number, how: number): void {
    const site = this.#watch.lastSite(context)
    const key = this.#classFor(lock) * 8 + subclass
    const held = this.#held[context]
    const depth = this.#depth[context]
    if ((how & (this.#sleeps | this.#try)) === this.#sleeps) this.#mightSleep(context, site)
    this.#irqUse(context, lock, key, how, site)
    if ((how & this.#try) === 0)
      for (let i = 0; i < depth; i++) {
        const before = held[i]
        if (before.key === key) this.#recursive(context, before, lock, key, site)
        if (!this.#order.note(before.key, key)) this.#newOrder(context, before, lock, key, site)
      }
    const unsafe = this.#usage.unsafeOrder()
    if (unsafe !== undefined) this.#unsafeOrder(context, unsafe, lock, key, site)
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
    this.#irqsOn(context, lock, slot.key)
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
        `${banner}\nWARNING: lock held when returning to user space!\n${'-'.repeat(48)}\nCPU ` +
          `${this.#watch.cpuOf(context)} has left the kernel with locks still held!\n` +
          `${this.#locksHeld(context)}`,
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
        `in_atomic(): ${spinlocks > 0 || context >= this.#watch.cpus ? 1 : 0}, irqs_disabled(): ` +
        `${irqsOff ? 1 : 0}, on CPU ${cpu}\n` +
        `${this.#locksHeld(context)}\n${this.#trace()}`,
    )
  }

  /**
   * A lock that interrupts take must be taken with interrupts off elsewhere. Who only tries waits for nobody in an
   * interrupt.
   */
  #irqUse(context: number, lock: number, key: number, how: number, site: number): void {
    if (context >= this.#watch.cpus && (how & this.#try) === 0) {
      this.#usage.markIrq(key)
      if (this.#usage.isUnsafe(key)) this.#inconsistent(context, lock, key, site)
    }
    this.#irqsOn(context, lock, key)
  }

  /** A lock is held now: with interrupts on? As it is taken, or as it is released, if they were turned on meanwhile. */
  #irqsOn(context: number, lock: number, key: number): void {
    const { s, memory, cpus } = this.#watch
    if (context >= cpus || memory[s.PERCPU + context * s.PERCPU_WORDS + s.percpu$irqs_off] !== 0) return
    if (this.#usage.markOn(key))
      this.#usage.describeOn(key, this.#watch.sites.where(this.#watch.lastSite(context)))
    if (this.#usage.isSafe(key)) this.#inconsistent(context, lock, key, this.#watch.lastSite(context))
  }

  #inconsistent(context: number, lock: number, key: number, site: number): never {
    const banner = '='.repeat(32)
    const name = this.#keyName(key)
    return this.#fail(
      context,
      site,
      `${banner}\nWARNING: inconsistent lock state\n${'-'.repeat(32)}\n` +
        `inconsistent {IN-HARDIRQ-W} -> {HARDIRQ-ON-W} usage.\n` +
        `CPU ${this.#watch.cpuOf(context)} takes, or holds, with interrupts on:\n${this.#lockText(lock, key, site)}\n` +
        `{IN-HARDIRQ-W} state was registered at:\n  ${this.#usage.safeAt(key)}\n\n` +
        'other info that might help us debug this:\n Possible unsafe locking scenario:\n\n' +
        `       CPU0\n       ----\n  lock(${name});\n  <Interrupt>\n    lock(${name});\n\n *** DEADLOCK ***\n\n` +
        `${this.#locksHeld(context)}\n${this.#trace()}`,
    )
  }

  /** A class that interrupts take leads to one that is taken with interrupts on. */
  #unsafeOrder(context: number, path: readonly Dependency[], lock: number, key: number, site: number): never {
    const banner = '='.repeat(59)
    const safe = path[0].from
    const unsafe = path.at(-1)!.to
    const [first, last] = [this.#keyName(safe), this.#keyName(unsafe)]
    const indent = ' '.repeat(31)
    const chain = path.map((edge) => `-> (${this.#keyText(edge.to)}:\n${traceOf(edge.stack)}`)
    return this.#fail(
      context,
      site,
      `${banner}\nWARNING: HARDIRQ-safe -> HARDIRQ-unsafe lock order detected\n${'-'.repeat(59)}\n` +
        `CPU ${this.#watch.cpuOf(context)} is trying to acquire lock:\n${this.#lockText(lock, key, site)}\n\n` +
        `a HARDIRQ-irq-safe lock:\n (${this.#keyText(safe)}\n` +
        `... which became HARDIRQ-irq-safe at:\n  ${this.#usage.safeAt(safe)}\n\n` +
        `leads to a HARDIRQ-irq-unsafe lock:\n (${this.#keyText(unsafe)}\n` +
        `... which became HARDIRQ-irq-unsafe at:\n  ${this.#usage.unsafeAt(unsafe)}\n\n` +
        `the dependencies between them:\n\n${chain.join('\n\n')}\n\n` +
        'other info that might help us debug this:\n Possible interrupt unsafe locking scenario:\n\n' +
        '       CPU0                    CPU1\n       ----                    ----\n' +
        `  lock(${last});\n${indent}local_irq_disable();\n${indent}lock(${first});\n${indent}lock(${last});\n` +
        `  <Interrupt>\n    lock(${first});\n\n *** DEADLOCK ***\n\n${this.#locksHeld(context)}`,
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
        `       CPU0\n       ----\n  lock(${this.#keyName(before.key)});\n  ` +
        `lock(${this.#keyName(key)});\n\n *** DEADLOCK ***\n\n` +
        `${this.#locksHeld(context)}\n${this.#trace()}`,
    )
  }

  /** `key` is taken under `before` for the first time: does an order the other way exist? */
  #newOrder(context: number, before: Held, lock: number, key: number, site: number): void {
    const stack = this.#watch.stack()
    const path = this.#order.closes({ from: before.key, to: key, stack })
    this.#usage.newOrder()
    if (path === undefined) return
    const banner = '='.repeat(54)
    const chain = path
      .toReversed()
      .map((edge, i) => `-> #${path.length - i} (${this.#keyText(edge.to)}:\n${traceOf(edge.stack)}`)
    this.#fail(
      context,
      site,
      `${banner}\nWARNING: possible circular locking dependency detected\n${'-'.repeat(54)}\n` +
        `CPU ${this.#watch.cpuOf(context)} is trying to acquire lock:\n${this.#lockText(lock, key, site)}\n\n` +
        `but task is already holding lock:\n${this.#lockText(before.lock, before.key, before.site)}\n\n` +
        'which lock already depends on the new lock.\n\n\nthe existing dependency chain (in reverse order) is:\n\n' +
        `${chain.join('\n\n')}\n\n-> #0 (${this.#keyText(key)}:\n${traceOf(stack)}\n\n` +
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
    const listed = rows.map((row) => `\n${row}`).join('')
    return `${n} lock${n === 1 ? '' : 's'} held by CPU ${this.#watch.cpuOf(context)}:${listed}`
  }

  #lockText(lock: number, key: number, site: number): string {
    return `${hex(lock)} (${this.#keyText(key)}, at: ${this.#watch.sites.where(site)} (${this.#watch.name(lock)})`
  }

  /**
   * Name and usage as lockdep prints them: `-` in interrupts, `+` with interrupts on, `?` both, for hard and soft
   * interrupts alike.
   */
  #keyText(key: number): string {
    const usage = this.#usage.isSafe(key)
      ? this.#usage.isUnsafe(key)
        ? '?'
        : '-'
      : this.#usage.isUnsafe(key)
        ? '+'
        : '.'
    return `${this.#keyName(key)}){${usage}.${usage}.}`
  }

  #keyName(key: number): string {
    const subclass = key & 7
    return `${this.#classes[key >> 3]}${subclass === 0 ? '' : `/${subclass}`}`
  }

  // Classes.

  #classFor(lock: number): number {
    const known = lock * MAX_CLASSES + (this.#watch.givenLockClass(lock) ?? 0)
    const cached = this.#classOf.get(known)
    if (cached !== undefined) return cached
    const symbol = this.#watch.lockClass(lock)
    // A lock of a scenario or a user's design: each is a class of its own.
    const name = symbol === undefined ? this.#watch.name(lock) : LOCK_CLASSES[symbol].name
    let found = this.#byName.get(name)
    if (found === undefined) {
      found = this.#classes.push(name) - 1
      this.#byName.set(name, found)
      const hardirq = symbol === undefined ? undefined : LOCK_CLASSES[symbol].hardirq
      if (hardirq !== undefined)
        for (let subclass = 0; subclass < 8; subclass++) this.#usage.declare(found * 8 + subclass, hardirq)
    }
    this.#classOf.set(known, found)
    return found
  }
}

function traceOf(stack: readonly string[]): string {
  return stack.map((name) => `       ${name}`).join('\n')
}
