/**
 * What a CPU does that could not have a reader-writer semaphore at once, and what one does that lets go of it while
 * others wait (kernel/locking/rwsem.c, 6.1: rwsem_down_read_slowpath, rwsem_down_write_slowpath, rwsem_wake,
 * rwsem_downgrade_wake). Left out: waits that signals end.
 */
import { atomic_fetch_add, atomic_fetch_or } from '#atomic'
import { READ_ONCE, smp_processor_id, this_cpu_ptr, this_cpu_read } from '../../arch/access.ts'
import { smp_load_acquire, smp_rmb } from '../../arch/barrier.ts'
import { percpu$waiter_granted, percpu$waiter_handoff_set } from '../../arch/percpu.ts'
import { rwsem$count, rwsem$wait_lock, type Rwsem, type Spinlock } from '../../arch/structs.ts'
import { spin_lock_irq, spin_lock_irqsave, spin_unlock_irq, spin_unlock_irqrestore } from '../spinlock.ts'
import {
  __set_current_running,
  schedule_uninterruptible,
  set_current_uninterruptible,
  wake_q_empty,
  wake_q_init,
  wake_up_q,
} from '../wake_q.ts'
import {
  RWSEM_FLAG_HANDOFF,
  RWSEM_FLAG_WAITERS,
  RWSEM_READER_BIAS,
  RWSEM_READER_SHIFT,
  RWSEM_WRITER_LOCKED,
} from './count.ts'
import { RWSEM_READER_OWNED, rwsem_set_reader_owned, rwsem_test_oflags } from './owner.ts'
import { OWNER_NULL, rwsem_can_spin_on_owner, rwsem_optimistic_spin, rwsem_spin_on_owner } from './spin.ts'
import {
  rwsem_add_waiter,
  rwsem_cond_wake_waiter,
  rwsem_first_waiter,
  rwsem_mark_wake,
  rwsem_try_write_lock,
  RWSEM_WAITING_FOR_READ,
  RWSEM_WAITING_FOR_WRITE,
  RWSEM_WAKE_ANY,
  RWSEM_WAKE_READ_OWNED,
} from './waiters.ts'

/** Wakes those of the queue that `wake_type` (a RWSEM_WAKE_ constant) means. */
function rwsem_wake_waiters(sem: Rwsem, wake_type: number): void {
  const wait_lock = (sem + rwsem$wait_lock) as Spinlock
  wake_q_init()
  const flags = spin_lock_irqsave(wait_lock)
  rwsem_mark_wake(sem, wake_type)
  spin_unlock_irqrestore(wait_lock, flags)
  wake_up_q()
}

/** The lock has become free: wakes the head of the queue. */
export function rwsem_wake(sem: Rwsem): void {
  rwsem_wake_waiters(sem, RWSEM_WAKE_ANY)
}

/** This CPU holds it for reading now: wakes readers, if one is first. */
export function rwsem_downgrade_wake(sem: Rwsem): void {
  rwsem_wake_waiters(sem, RWSEM_WAKE_READ_OWNED)
}

/** `count` has this reader's share already. Returns when it has the lock. */
export function rwsem_down_read_slowpath(sem: Rwsem, count: number): void {
  const readers = count >> RWSEM_READER_SHIFT
  // Readers that come one after the other must not keep a waiting writer out.
  const starves =
    readers > 1 && (count & RWSEM_WRITER_LOCKED) === 0 && rwsem_test_oflags(sem, RWSEM_READER_OWNED) !== 0
  if (!starves && (count & (RWSEM_WRITER_LOCKED | RWSEM_FLAG_HANDOFF)) === 0) {
    rwsem_set_reader_owned(sem)
    // As a reader is in now, the others may come as well.
    if (readers === 1 && (count & RWSEM_FLAG_WAITERS) !== 0) rwsem_downgrade_wake(sem)
    return
  }
  const wait_lock = (sem + rwsem$wait_lock) as Spinlock
  let adjustment = -RWSEM_READER_BIAS
  wake_q_init()
  spin_lock_irq(wait_lock)
  if (rwsem_first_waiter(sem) === 0) {
    // Nobody waits: if the writer has left meanwhile, this reader's share of the count is its lock.
    if ((READ_ONCE(sem + rwsem$count) & RWSEM_WRITER_LOCKED) === 0) {
      // What the writer did comes before what is read from here on (smp_acquire__after_ctrl_dep).
      smp_rmb()
      spin_unlock_irq(wait_lock)
      rwsem_set_reader_owned(sem)
      return
    }
    adjustment += RWSEM_FLAG_WAITERS
  }
  rwsem_add_waiter(sem, RWSEM_WAITING_FOR_READ)
  rwsem_cond_wake_waiter(sem, atomic_fetch_add(sem + rwsem$count, adjustment) + adjustment)
  spin_unlock_irq(wait_lock)
  wake_up_q()
  const granted = this_cpu_ptr(percpu$waiter_granted)
  for (;;) {
    set_current_uninterruptible()
    if (smp_load_acquire(granted) !== 0) break
    schedule_uninterruptible()
  }
  __set_current_running()
}

/** Returns when this CPU has the lock for writing. */
export function rwsem_down_write_slowpath(sem: Rwsem): void {
  if (rwsem_can_spin_on_owner(sem) && rwsem_optimistic_spin(sem)) return
  const wait_lock = (sem + rwsem$wait_lock) as Spinlock
  wake_q_init()
  spin_lock_irq(wait_lock)
  rwsem_add_waiter(sem, RWSEM_WAITING_FOR_WRITE)
  if (rwsem_first_waiter(sem) === smp_processor_id() + 1)
    atomic_fetch_or(sem + rwsem$count, RWSEM_FLAG_WAITERS)
  else {
    rwsem_cond_wake_waiter(sem, READ_ONCE(sem + rwsem$count))
    if (!wake_q_empty()) {
      spin_unlock_irq(wait_lock)
      wake_up_q()
      spin_lock_irq(wait_lock)
    }
  }
  set_current_uninterruptible()
  while (!rwsem_try_write_lock(sem)) {
    spin_unlock_irq(wait_lock)
    // With handoff the owner is the last one: a writer that runs is waited for without sleeping.
    const handoff = this_cpu_read(percpu$waiter_handoff_set) !== 0
    if (!handoff || rwsem_spin_on_owner(sem) !== OWNER_NULL) {
      schedule_uninterruptible()
      set_current_uninterruptible()
    }
    spin_lock_irq(wait_lock)
  }
  __set_current_running()
  spin_unlock_irq(wait_lock)
}
