// Which classes of locks interrupts take, and which are taken with interrupts on (kernel/locking/lockdep.c, 6.1:
// mark_usage, check_irq_usage). A class that is both waits for itself on one CPU some day; and a class of the first
// kind under which one of the second is taken waits by way of it. The devices' and timers' interrupts that take locks
// in Linux do not exist here: a class says so by a word from outside (LOCK_CLASSES), else the execution shows it.
// Leaves out softirqs, and readers of rwlocks apart.
import type { Dependency, LockOrder } from './lock_order.ts'

export class LockUsage {
  readonly #order: LockOrder
  /** By key: who takes the class in an interrupt, in Linux. */
  readonly #declared: (string | undefined)[] = []
  /**
   * By key: the last execution in which an interrupt took it, and in which it was held with interrupts on; where that
   * was first.
   */
  readonly #inIrq: (number | undefined)[] = []
  readonly #irqsOn: (number | undefined)[] = []
  readonly #onAt: string[] = []
  #execution = 0
  /** Whether something is new since the last search. */
  #changed = false
  /** Whether all executions together have a class of the first kind that leads to one of the second. */
  #mixed = false

  constructor(order: LockOrder) {
    this.#order = order
  }

  begin(): void {
    this.#execution++
  }

  /** A class, by its key, that `who` takes in an interrupt. */
  declare(key: number, who: string): void {
    this.#declared[key] = who
  }

  /** An interrupt took it. */
  markIrq(key: number): void {
    if (this.#inIrq[key] === undefined) this.#changed = true
    this.#inIrq[key] = this.#execution
  }

  /** It is held with interrupts on. Returns whether that is new: then describeOn says where. */
  markOn(key: number): boolean {
    const known = this.#irqsOn[key] !== undefined
    this.#irqsOn[key] = this.#execution
    return !known
  }

  describeOn(key: number, where: string): void {
    this.#onAt[key] = where
    this.#changed = true
  }

  /** An order that no execution has shown before. */
  newOrder(): void {
    this.#changed = true
  }

  /** Whether an interrupt takes it (HARDIRQ-safe), in this execution or in Linux. */
  isSafe(key: number): boolean {
    return this.#declared[key] !== undefined || this.#inIrq[key] === this.#execution
  }

  /** Whether it is held with interrupts on in this execution (HARDIRQ-unsafe). */
  isUnsafe(key: number): boolean {
    return this.#irqsOn[key] === this.#execution
  }

  /** Who takes it in an interrupt. */
  safeAt(key: number): string {
    return this.#declared[key] ?? 'an interrupt of this execution'
  }

  /** Where it is held with interrupts on. */
  unsafeAt(key: number): string {
    return this.#onAt[key]
  }

  /**
   * The shortest chain of orders of this execution from a class that interrupts take to one that is held with them on.
   */
  unsafeOrder(): readonly Dependency[] | undefined {
    if (!this.#changed && !this.#mixed) return undefined
    if (!this.#mixed) {
      const ever = (key: number): boolean => this.#irqsOn[key] !== undefined
      this.#mixed = this.#order.search(this.#safeKeys(), ever, false) !== undefined
    }
    this.#changed = false
    if (!this.#mixed) return undefined
    const safe = this.#safeKeys().filter((key) => this.isSafe(key))
    return this.#order.search(safe, (key) => this.isUnsafe(key), true)
  }

  /** Of every class that an interrupt took in any execution. */
  #safeKeys(): number[] {
    const keys: number[] = []
    const length = Math.max(this.#declared.length, this.#inIrq.length)
    for (let key = 0; key < length; key++)
      if (this.#declared[key] !== undefined || this.#inIrq[key] !== undefined) keys.push(key)
    return keys
  }
}
