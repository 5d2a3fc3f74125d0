/**
 * Which locks a CPU holds (kernel/locking/lockdep.c, 6.1: held_locks). One list a CPU, oldest first, for spinlocks and
 * semaphores alike: assertions and reports find a lock's owner here, no lock carries a word for it. Left out: the
 * checker of lock order, which watches the stepped machine (src/checks/steps/lockdep.ts).
 */
import { LOCK_STAT } from '#config'
import { this_cpu_read, this_cpu_write } from '../arch/access.ts'
import { BUG_ON } from '../arch/bug.ts'
import { observe_lock_acquire, observe_lock_release } from '../arch/observe.ts'
import { MAX_HELD_LOCKS, percpu$held_count, percpu$held_locks } from '../arch/percpu.ts'
import { lock_acquired, lock_released } from './lock_stat.ts'

/**
 * Notes that this CPU has taken `lock`. `map` is the lock's lockdep word and `begin` the start of the wait in ns (0:
 * none); they matter with LOCK_STAT only. `how`: LOCK_ bits of arch/observe.ts, for the checker of lock order.
 */
export function lock_acquire(lock: number, map: number, subclass: number, begin: number, how: number): void {
  const count = this_cpu_read(percpu$held_count)
  BUG_ON(count >= MAX_HELD_LOCKS)
  this_cpu_write(percpu$held_locks + count, lock)
  this_cpu_write(percpu$held_count, count + 1)
  if (LOCK_STAT) lock_acquired(map, subclass, count, begin)
  observe_lock_acquire(lock, subclass, how)
}

/** Notes that this CPU is about to release `lock`; BUG if it does not hold it. Any order. */
export function lock_release(lock: number): void {
  const count = this_cpu_read(percpu$held_count)
  let i = count - 1
  while (i >= 0 && this_cpu_read(percpu$held_locks + i) !== lock) i--
  BUG_ON(i < 0)
  if (LOCK_STAT) lock_released(i, count)
  for (; i < count - 1; i++) this_cpu_write(percpu$held_locks + i, this_cpu_read(percpu$held_locks + i + 1))
  this_cpu_write(percpu$held_count, count - 1)
  observe_lock_release(lock)
}

/** Whether this CPU holds `lock`, in whatever mode. */
export function lock_is_held(lock: number): boolean {
  for (let i = this_cpu_read(percpu$held_count) - 1; i >= 0; i--)
    if (this_cpu_read(percpu$held_locks + i) === lock) return true
  return false
}

/** BUG if this CPU does not hold `lock`. */
export function lockdep_assert_held(lock: number): void {
  BUG_ON(!lock_is_held(lock))
}

/** How many locks this CPU holds. */
export function lockdep_depth(): number {
  return this_cpu_read(percpu$held_count)
}
