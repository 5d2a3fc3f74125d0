/**
 * SPINLOCK=abstract: a lock without an algorithm, taken and released in one step each. The default of the stepped
 * machine, where a waiting CPU simply is not run; choose a real one to hunt in the lock itself.
 */
import { READ_ONCE, WRITE_ONCE } from '../../arch/access.ts'
import { acquire_word, release_word, try_acquire_word } from '../../arch/lock_word.ts'
import { observe_contended } from '../../arch/observe.ts'
import type { Spinlock } from '../../arch/structs.ts'

export const SPINLOCK_WORDS = 1

export function arch_spin_lock_init(lock: Spinlock): void {
  WRITE_ONCE(lock, 0)
}

export function arch_spin_lock(lock: Spinlock): void {
  acquire_word(lock)
}

export function arch_spin_trylock(lock: Spinlock): boolean {
  return READ_ONCE(lock) === 0 && try_acquire_word(lock) === 1
}

export function arch_spin_unlock(lock: Spinlock): void {
  release_word(lock)
}

/** The word does not say who waits; the machine does. */
export function arch_spin_is_contended(lock: Spinlock): boolean {
  return observe_contended(lock)
}
