/**
 * Test-and-test-and-set spinlock: a waiter reads first and writes only what it must. No order among waiters, so a lock
 * is never handed to a CPU that is not running.
 *
 *   0 free · 1 held · 2 held, and somebody may wait (as in tas.ts)
 *
 * Models the x86 spinlocks before 2.6.25 (the decb loop with its reading spin); left out: nothing.
 */
import { cmpxchg, xchg } from '#atomic'
import { READ_ONCE, WRITE_ONCE } from '../../arch/access.ts'
import type { Spinlock } from '../../arch/structs.ts'
import { smp_cond_load, smp_wake_one } from '../../arch/wait.ts'

export const SPINLOCK_WORDS = 1

export function arch_spin_lock_init(lock: Spinlock): void {
  WRITE_ONCE(lock, 0)
}

export function arch_spin_lock(lock: Spinlock): void {
  if (cmpxchg(lock, 0, 1) !== 0) ttas_lock_slowpath(lock)
}

function ttas_lock_slowpath(lock: Spinlock): void {
  let val = READ_ONCE(lock)
  for (;;) {
    if (val === 0) {
      val = cmpxchg(lock, 0, 2)
      if (val === 0) return
    }
    if (val === 1) val = cmpxchg(lock, 1, 2)
    if (val !== 0) val = smp_cond_load(lock, 2)
  }
}

export function arch_spin_trylock(lock: Spinlock): boolean {
  return READ_ONCE(lock) === 0 && cmpxchg(lock, 0, 1) === 0
}

export function arch_spin_unlock(lock: Spinlock): void {
  if (xchg(lock, 0) === 2) smp_wake_one(lock)
}

/** Whether somebody may wait: true once too often after the last waiter got the lock. */
export function arch_spin_is_contended(lock: Spinlock): boolean {
  return READ_ONCE(lock) === 2
}
