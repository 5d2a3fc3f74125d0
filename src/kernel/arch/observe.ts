/**
 * What the kernel tells the checks of the stepped machine besides its accesses. Natively nothing: the calls vanish.
 * On the stepped machine these are the machine's own functions; they are no steps and touch no memory of the machine.
 */
import type { Page } from './structs.ts'

/** This CPU owns the entries of the page table `table` from now on: it has taken its lock (or what the design gave it). */
export function observe_table_locked(table: Page): void {}

/** This CPU is about to drop that lock. */
export function observe_table_unlocked(table: Page): void {}

/** Whether another CPU waits for the abstract spinlock at `lock`; natively not known. */
export function observe_contended(lock: number): boolean {
  return false
}
