/**
 * Reader-writer semaphores (kernel/locking/rwsem.c, 6.1): mmap_lock and the rmap locks. One atomic add takes or drops a
 * read lock, one compare-and-swap takes a write lock; whoever cannot have it spins while a writer that runs owns it, or
 * sleeps in a queue (rwsem/). Left out: the waits that signals end, CONFIG_DEBUG_RWSEMS but for the owner's test,
 * PREEMPT_RT.
 */
import { LOCK_STAT } from '#config'
import { atomic_fetch_add, cmpxchg } from '#atomic'
import { READ_ONCE, store, WRITE_ONCE } from '../arch/access.ts'
import { BUG_ON } from '../arch/bug.ts'
import { LOCK_READ, LOCK_SLEEPS, LOCK_TRY, observe_lock_init, observe_lock_wanted } from '../arch/observe.ts'
import {
  rwsem$count,
  rwsem$lockdep_read,
  rwsem$lockdep_write,
  rwsem$osq,
  rwsem$owner,
  rwsem$wait_head,
  rwsem$wait_lock,
  rwsem$wait_tail,
  type Rwsem,
  type Spinlock,
} from '../arch/structs.ts'
import { LOCK_CLASS_rwsem_wait_lock } from './lock_class.ts'
import { lock_contended, lockdep_init_map } from './lock_stat.ts'
import { lock_acquire, lock_is_held, lock_release } from './lockdep.ts'
import {
  RWSEM_FLAG_WAITERS,
  RWSEM_LOCK_MASK,
  RWSEM_READ_FAILED_MASK,
  RWSEM_READER_BIAS,
  RWSEM_WRITER_LOCKED,
} from './rwsem/count.ts'
import {
  clear_nonspinnable,
  rwsem_clear_owner,
  rwsem_is_held_write,
  rwsem_set_owner,
  rwsem_set_reader_owned,
} from './rwsem/owner.ts'
import {
  rwsem_down_read_slowpath,
  rwsem_down_write_slowpath,
  rwsem_downgrade_wake,
  rwsem_wake,
} from './rwsem/slowpath.ts'
import { spin_lock_init } from './spinlock.ts'

/** Makes `sem` free. The classes (LOCK_CLASS_ constants) are those of its read and its write mode. */
export function init_rwsem(sem: Rwsem, class_read: number, class_write: number): void {
  WRITE_ONCE(sem + rwsem$count, 0)
  WRITE_ONCE(sem + rwsem$owner, 0)
  WRITE_ONCE(sem + rwsem$osq, 0)
  store(sem + rwsem$wait_head, 0)
  store(sem + rwsem$wait_tail, 0)
  spin_lock_init((sem + rwsem$wait_lock) as Spinlock, LOCK_CLASS_rwsem_wait_lock)
  observe_lock_init(sem, class_write)
  if (LOCK_STAT) {
    lockdep_init_map(sem + rwsem$lockdep_read, class_read)
    lockdep_init_map(sem + rwsem$lockdep_write, class_write)
  }
}

export function down_read(sem: Rwsem): void {
  observe_lock_wanted(sem)
  const count = atomic_fetch_add(sem + rwsem$count, RWSEM_READER_BIAS)
  let begin = 0
  if ((count & RWSEM_READ_FAILED_MASK) === 0) rwsem_set_reader_owned(sem)
  else {
    if (LOCK_STAT) begin = lock_contended(sem + rwsem$lockdep_read, 0)
    rwsem_down_read_slowpath(sem, count + RWSEM_READER_BIAS)
  }
  lock_acquire(sem, sem + rwsem$lockdep_read, 0, begin, LOCK_SLEEPS | LOCK_READ)
}

export function down_read_trylock(sem: Rwsem): boolean {
  let count = READ_ONCE(sem + rwsem$count)
  while ((count & RWSEM_READ_FAILED_MASK) === 0) {
    const seen = cmpxchg(sem + rwsem$count, count, count + RWSEM_READER_BIAS)
    if (seen === count) {
      rwsem_set_reader_owned(sem)
      lock_acquire(sem, sem + rwsem$lockdep_read, 0, 0, LOCK_SLEEPS | LOCK_READ | LOCK_TRY)
      return true
    }
    count = seen
  }
  return false
}

export function up_read(sem: Rwsem): void {
  lock_release(sem)
  const count = atomic_fetch_add(sem + rwsem$count, -RWSEM_READER_BIAS) - RWSEM_READER_BIAS
  if ((count & (RWSEM_LOCK_MASK | RWSEM_FLAG_WAITERS)) === RWSEM_FLAG_WAITERS) {
    clear_nonspinnable(sem)
    rwsem_wake(sem)
  }
}

function rwsem_write_trylock(sem: Rwsem): boolean {
  if (cmpxchg(sem + rwsem$count, 0, RWSEM_WRITER_LOCKED) !== 0) return false
  rwsem_set_owner(sem)
  return true
}

export function down_write(sem: Rwsem): void {
  down_write_nested(sem, 0)
}

/** down_write while another semaphore of the class is held (a child's mmap_lock under its parent's). */
export function down_write_nested(sem: Rwsem, subclass: number): void {
  observe_lock_wanted(sem)
  let begin = 0
  if (!rwsem_write_trylock(sem)) {
    if (LOCK_STAT) begin = lock_contended(sem + rwsem$lockdep_write, subclass)
    rwsem_down_write_slowpath(sem)
  }
  lock_acquire(sem, sem + rwsem$lockdep_write, subclass, begin, LOCK_SLEEPS)
}

export function down_write_trylock(sem: Rwsem): boolean {
  if (!rwsem_write_trylock(sem)) return false
  lock_acquire(sem, sem + rwsem$lockdep_write, 0, 0, LOCK_SLEEPS | LOCK_TRY)
  return true
}

export function up_write(sem: Rwsem): void {
  BUG_ON(!rwsem_is_held_write(sem))
  lock_release(sem)
  rwsem_clear_owner(sem)
  const count = atomic_fetch_add(sem + rwsem$count, -RWSEM_WRITER_LOCKED)
  if ((count & RWSEM_FLAG_WAITERS) !== 0) rwsem_wake(sem)
}

/** Turns this CPU's write lock into a read lock without letting a writer in between. */
export function downgrade_write(sem: Rwsem): void {
  BUG_ON(!rwsem_is_held_write(sem))
  lock_release(sem)
  const count = atomic_fetch_add(sem + rwsem$count, RWSEM_READER_BIAS - RWSEM_WRITER_LOCKED)
  rwsem_set_reader_owned(sem)
  if ((count & RWSEM_FLAG_WAITERS) !== 0) rwsem_downgrade_wake(sem)
  lock_acquire(sem, sem + rwsem$lockdep_read, 0, 0, LOCK_SLEEPS | LOCK_READ | LOCK_TRY)
}

/** Whether anybody holds `sem`. */
export function rwsem_is_locked(sem: Rwsem): boolean {
  return (READ_ONCE(sem + rwsem$count) & RWSEM_LOCK_MASK) !== 0
}

/** Whether anybody waits for `sem`: whoever holds it may let go. */
export function rwsem_is_contended(sem: Rwsem): boolean {
  return (READ_ONCE(sem + rwsem$count) & RWSEM_FLAG_WAITERS) !== 0
}

/** BUG if this CPU does not hold `sem` in either mode. */
export function rwsem_assert_held(sem: Rwsem): void {
  BUG_ON(!lock_is_held(sem))
}

/** BUG if this CPU does not hold `sem` for writing. */
export function rwsem_assert_held_write(sem: Rwsem): void {
  BUG_ON(!rwsem_is_held_write(sem))
}

export { RWSEM_READER_BIAS, RWSEM_WRITER_LOCKED } from './rwsem/count.ts'
export { rwsem_is_held_write } from './rwsem/owner.ts'
