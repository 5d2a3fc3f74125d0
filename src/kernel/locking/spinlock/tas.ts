/**
 * Test-and-set spinlock: whoever contends writes the word at every attempt. No order among waiters: whoever comes first
 * after an unlock gets it, so a lock is never handed to a CPU that is not running.
 *
 *   0 free · 1 held · 2 held, and somebody may wait
 *
 * The 2 spares an unlock without waiters every look for parked CPUs. A waiter that gets the lock leaves a 2, since it
 * cannot know whether others wait; the unlock of that 2 then looks once, perhaps in vain. Models the first spinlocks of
 * arch/ia64 and of asm-generic; left out: nothing.
 */
import { cmpxchg, xchg } from '#atomic'
import { READ_ONCE, WRITE_ONCE } from '../../arch/access.ts'
import type { Spinlock } from '../../arch/structs.ts'
import { cpu_relax, smp_wake_one } from '../../arch/wait.ts'

export const SPINLOCK_WORDS = 1

export function arch_spin_lock_init(lock: Spinlock): void {
  WRITE_ONCE(lock, 0)
}

export function arch_spin_lock(lock: Spinlock): void {
  if (cmpxchg(lock, 0, 1) === 0) return
  while (xchg(lock, 2) !== 0) cpu_relax(lock, 2)
}

export function arch_spin_trylock(lock: Spinlock): boolean {
  return cmpxchg(lock, 0, 1) === 0
}

export function arch_spin_unlock(lock: Spinlock): void {
  if (xchg(lock, 0) === 2) smp_wake_one(lock)
}

/** Whether somebody may wait: true once too often after the last waiter got the lock. */
export function arch_spin_is_contended(lock: Spinlock): boolean {
  return READ_ONCE(lock) === 2
}
