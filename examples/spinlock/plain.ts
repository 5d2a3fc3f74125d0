/**
 * A spinlock in one word: 0 free, 1 held, 2 held and somebody may be waiting. Run it with --config
 * SPINLOCK=examples/spinlock/plain.ts
 */
import {
  cmpxchg,
  READ_ONCE,
  smp_cond_load,
  smp_wake_one,
  type Spinlock,
  WRITE_ONCE,
  xchg,
} from 'mmtorture/kernel'

export const SPINLOCK_WORDS = 1

export function arch_spin_lock_init(lock: Spinlock): void {
  WRITE_ONCE(lock, 0)
}

export function arch_spin_lock(lock: Spinlock): void {
  if (cmpxchg(lock, 0, 1) === 0) return
  // Waits until the word is no longer 2: spins for a while, then halts the CPU, which still takes interrupts.
  while (xchg(lock, 2) !== 0) smp_cond_load(lock, 2)
}

export function arch_spin_trylock(lock: Spinlock): boolean {
  return cmpxchg(lock, 0, 1) === 0
}

export function arch_spin_unlock(lock: Spinlock): void {
  if (xchg(lock, 0) === 2) smp_wake_one(lock)
}

/** What spin_needbreak() asks in copy_pte_range. */
export function arch_spin_is_contended(lock: Spinlock): boolean {
  return READ_ONCE(lock) === 2
}
