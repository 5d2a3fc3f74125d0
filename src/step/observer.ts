/**
 * Whoever watches the stepped machine: the checks at every step, and the recorder of histories. Observers keep their
 * state outside the machine's memory. A violation is thrown (Violation).
 */
export interface Observer {
  /** A new execution begins; memory is as setup left it. */
  begin(): void
  /**
   * `context` has taken a step: `old` is what the word held before, `result` what the access returned.
   * Operands by kind: the value written, added, …; cmpxchg: `a` expected, `b` new.
   */
  step?(
    context: number,
    kind: number,
    addr: number,
    a: number,
    b: number,
    old: number,
    result: number,
    site: number,
  ): void
  /** `context` has passed a barrier (FENCE_MB, FENCE_WMB or FENCE_RMB). */
  fence?(context: number, fence: number): void
  /**
   * The CPU has entries [first, end) of page table `table` (word address of its struct page) from now on, or no longer:
   * to look at them or to change them (`mode`, PTL_ constants of src/kernel/locking/ptl_mode.ts).
   */
  tableLocked?(context: number, table: number, first: number, end: number, mode: number): void
  tableUnlocked?(context: number, table: number, first: number, end: number, mode: number): void
  /** An optimistic look at the entry at `ptep` has ended; the design says that it has been `orig` all along. */
  tableReadDone?(context: number, ptep: number, orig: number): void
  /**
   * The CPU has taken the object at word address `object` from its cache, or gives it back; `site` is that of its last
   * step.
   */
  objectAllocated?(context: number, object: number, site: number): void
  objectFreed?(context: number, object: number, site: number): void
  /** The CPU has made a lock: it is free, and of class `lockClass` (LOCK_CLASS_ constants). */
  lockInit?(context: number, lock: number, lockClass: number): void
  /** The CPU has taken a lock (LOCK_ bits of src/kernel/arch/observe.ts), or is about to release one. */
  lockAcquire?(context: number, lock: number, subclass: number, how: number): void
  lockRelease?(context: number, lock: number): void
  /** All CPUs have left the kernel. */
  end?(): void
}

export const FENCE_MB = 0
export const FENCE_WMB = 1
export const FENCE_RMB = 2

/** An earlier step without which a violation would be none, as a check knows it: the last one that fits. */
export interface Cause {
  /** What the step did, in the report's words: `fills the TLB of CPU 1`. */
  readonly what: string
  // By what it is known; those that are given.
  /** The word by its name: `pte[mm 1, 0x7000]`. */
  readonly object?: string
  readonly cpu?: number
  readonly function?: string
  readonly site?: number
  /** Only a write. */
  readonly writes?: true
}

/** A check has failed. `check` is its name as in `mmtorture list checks`. */
export class Violation extends Error {
  override readonly name = 'Violation'
  readonly check: string
  /** What led to it, the latest first: each lies before the one that it is listed behind. */
  readonly causes: readonly Cause[]
  constructor(check: string, message: string, causes: readonly Cause[] = []) {
    super(message)
    this.check = check
    this.causes = causes
  }
}
