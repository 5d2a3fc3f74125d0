/**
 * Bit spinlocks (include/linux/bit_spinlock.h, 6.1): a bit of a word that may hold other things, as long as those
 * change by atomic operations. Waiters have no order. Linux has no lockdep for them; here they are among the held
 * locks, so that reports name their owner; with LOCK_STAT their lockdep word is the one behind. Left out: trylock.
 */
import { LOCK_STAT } from '#config'
import { atomic_fetch_and, atomic_fetch_or } from '#atomic'
import { READ_ONCE, WRITE_ONCE } from '../arch/access.ts'
import { observe_lock_init, observe_lock_wanted } from '../arch/observe.ts'
import { smp_cond_load, smp_wake } from '../arch/wait.ts'
import { lock_contended, lockdep_init_map } from './lock_stat.ts'
import { lock_acquire, lock_release } from './lockdep.ts'

/** Makes the word at `addr` zero, so that its bits are free locks of class `lock_class`. */
export function bit_spin_lock_init(addr: number, lock_class: number): void {
  WRITE_ONCE(addr, 0)
  observe_lock_init(addr, lock_class)
  if (LOCK_STAT) lockdep_init_map(addr + 1, lock_class)
}

/** Takes bit `bit` (a mask) of the word at `addr`; `subclass` as in spin_lock_nested. */
export function bit_spin_lock(bit: number, addr: number, subclass: number): void {
  let begin = 0
  observe_lock_wanted(addr)
  while ((atomic_fetch_or(addr, bit) & bit) !== 0) {
    if (LOCK_STAT && begin === 0) begin = lock_contended(addr + 1, subclass)
    let value = READ_ONCE(addr)
    while ((value & bit) !== 0) value = smp_cond_load(addr, value)
  }
  lock_acquire(addr, addr + 1, subclass, begin, 0)
}

export function bit_spin_unlock(bit: number, addr: number): void {
  lock_release(addr)
  atomic_fetch_and(addr, ~bit)
  smp_wake(addr)
}
