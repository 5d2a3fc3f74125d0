/**
 * What the kernel tells the checks of the stepped machine besides its accesses. Natively nothing: the calls vanish.
 * On the stepped machine these are the machine's own functions; they are no steps and touch no memory of the machine.
 */
import type { Page, Pte, PteP } from './structs.ts'

/**
 * This CPU has entries [first, end) of the page table `table` from now on, to look at (PTL_READ) or to change
 * (PTL_WRITE): it has taken what the design has for them.
 */
export function observe_table_locked(table: Page, first: number, end: number, mode: number): void {}

/** This CPU is about to give them up. */
export function observe_table_unlocked(table: Page, first: number, end: number, mode: number): void {}

/** An optimistic look at the entry at `ptep` has ended, and the design says that it has been `orig` all along. */
export function observe_table_read_done(ptep: PteP, orig: Pte): void {}

/** This CPU has taken `object` from its cache. */
export function observe_object_alloc(object: number): void {}

/** This CPU gives `object` back: nobody may use it any more. */
export function observe_object_free(object: number): void {}

/** How a lock was taken: by an attempt that could not wait; for reading; a lock whose waiters sleep. */
export const LOCK_TRY = 1
export const LOCK_READ = 2
export const LOCK_SLEEPS = 4

/** This CPU makes `lock`, which is of class `lock_class` (a LOCK_CLASS_ constant) from now on. */
export function observe_lock_init(lock: number, lock_class: number): void {}

/** This CPU has taken `lock`, in the way that the LOCK_ bits of `how` say; `subclass` as in spin_lock_nested. */
export function observe_lock_acquire(lock: number, subclass: number, how: number): void {}

/** This CPU is about to release `lock`. */
export function observe_lock_release(lock: number): void {}

/** Whether another CPU waits for the abstract spinlock at `lock`; natively not known. */
export function observe_contended(lock: number): boolean {
  return false
}

/** This CPU wants `lock` now: from here until observe_lock_acquire it waits for it. */
export function observe_lock_wanted(lock: number): void {}

/** An exception brings this CPU into the kernel; what its entry and its return cost is the hardware's affair. */
export function observe_exception(): void {}

/** A task begins a turn on this CPU: the one before is over, so something gets done. */
export function observe_turn(): void {}

/** This CPU has slept in the kernel, and runs again: the way there from the wake-up takes time. */
export function observe_woken(): void {}

/** This CPU wakes another one that sleeps. */
export function observe_wakes(): void {}
