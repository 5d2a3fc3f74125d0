// The classes that the kernel gave its locks when it made them (spin_lock_init and its kin), by the lock's word
// address. What setup gave is what every execution begins with. Leaves out what the classes are called:
// src/inspect/lock_classes.ts.

export class LockClasses {
  readonly #base = new Map<number, number>()
  readonly #since = new Map<number, number>()
  #kept = false

  /** The LOCK_CLASS_ constant that the lock has; undefined: nobody made it. */
  get(lock: number): number | undefined {
    return this.#since.get(lock) ?? this.#base.get(lock)
  }

  set(lock: number, lockClass: number): void {
    const map = this.#kept ? this.#since : this.#base
    map.set(lock, lockClass)
  }

  /** Setup is over. */
  keep(): void {
    this.#kept = true
  }

  /** Goes back to what keep() found. */
  reset(): void {
    if (this.#since.size > 0) this.#since.clear()
  }
}
