/**
 * Those who wait for a reader-writer semaphore (kernel/locking/rwsem.c, 6.1: struct rwsem_waiter, rwsem_mark_wake,
 * rwsem_try_write_lock): a FIFO of CPUs under wait_lock, linked through the per-CPU areas (percpu$waiter_*, CPU + 1).
 *
 *   - A waiting writer is woken and competes; readers block behind it. Who has waited for RWSEM_WAIT_TIMEOUT sets
 *     handoff: then nobody passes it any more.
 *   - Waiting readers are granted the lock, all of the queue at once, those behind a writer too: phases of readers and
 *     writers alternate.
 *
 * Left out: the most readers that one wake-up takes (256, as many as there are CPUs), real-time tasks, waits that
 * signals end.
 */
import { atomic_fetch_add, cmpxchg } from '#atomic'
import {
  load,
  per_cpu_ptr,
  READ_ONCE,
  smp_processor_id,
  store,
  this_cpu_ptr,
  this_cpu_read,
  this_cpu_write,
  WRITE_ONCE,
} from '../../arch/access.ts'
import { smp_store_release } from '../../arch/barrier.ts'
import { ktime_get_ns } from '../../arch/delay.ts'
import { machine$wait_timeout } from '../../arch/memory_map.ts'
import {
  percpu$waiter_granted,
  percpu$waiter_handoff_set,
  percpu$waiter_next,
  percpu$waiter_timeout,
  percpu$waiter_type,
} from '../../arch/percpu.ts'
import { rwsem$count, rwsem$wait_head, rwsem$wait_tail, type Rwsem } from '../../arch/structs.ts'
import { wake_q_add } from '../wake_q.ts'
import {
  RWSEM_FLAG_HANDOFF,
  RWSEM_FLAG_WAITERS,
  RWSEM_LOCK_MASK,
  RWSEM_READER_BIAS,
  RWSEM_READER_MASK,
  RWSEM_WRITER_LOCKED,
} from './count.ts'
import { __rwsem_set_reader_owned, clear_nonspinnable, rwsem_set_owner } from './owner.ts'

export const RWSEM_WAITING_FOR_WRITE = 0
export const RWSEM_WAITING_FOR_READ = 1

/**
 * Whom rwsem_mark_wake wakes: whoever is first; readers if one is first; readers, the caller being one of the holders.
 */
export const RWSEM_WAKE_ANY = 0
export const RWSEM_WAKE_READERS = 1
export const RWSEM_WAKE_READ_OWNED = 2

/** Puts this CPU at the end of the queue. Under wait_lock; the caller sets RWSEM_FLAG_WAITERS. */
export function rwsem_add_waiter(sem: Rwsem, type: number): void {
  const me = smp_processor_id() + 1
  this_cpu_write(percpu$waiter_next, 0)
  this_cpu_write(percpu$waiter_type, type)
  this_cpu_write(percpu$waiter_timeout, (ktime_get_ns() + load(machine$wait_timeout)) | 0)
  this_cpu_write(percpu$waiter_handoff_set, 0)
  WRITE_ONCE(this_cpu_ptr(percpu$waiter_granted), 0)
  const tail = load(sem + rwsem$wait_tail)
  if (tail === 0) store(sem + rwsem$wait_head, me)
  else store(per_cpu_ptr(percpu$waiter_next, tail - 1), me)
  store(sem + rwsem$wait_tail, me)
}

/** The first of the queue, CPU + 1; 0: nobody waits. Under wait_lock. */
export function rwsem_first_waiter(sem: Rwsem): number {
  return load(sem + rwsem$wait_head)
}

/** Whether a waiter whose time is up at `timeout` has waited long enough (time_after; modulo 2^32 ns). */
function rwsem_waited_long(timeout: number): boolean {
  return ((ktime_get_ns() - timeout) | 0) > 0
}

/**
 * Chooses whom to wake, and puts them into this CPU's wake_q: a writer at the head of the queue (it stays there and
 * competes), or all readers of the queue if one is at the head; these get their shares of the count and leave the
 * queue. Under wait_lock.
 */
export function rwsem_mark_wake(sem: Rwsem, wake_type: number): void {
  const head = rwsem_first_waiter(sem)
  if (head === 0) return
  if (load(per_cpu_ptr(percpu$waiter_type, head - 1)) === RWSEM_WAITING_FOR_WRITE) {
    if (wake_type === RWSEM_WAKE_ANY) wake_q_add(head - 1)
    return
  }
  let adjustment = 0
  if (wake_type !== RWSEM_WAKE_READ_OWNED) {
    // A share for the first reader, before anything is promised: a writer may have taken the lock again.
    adjustment = RWSEM_READER_BIAS
    const oldcount = atomic_fetch_add(sem + rwsem$count, adjustment)
    if ((oldcount & RWSEM_WRITER_LOCKED) !== 0) {
      if (rwsem_waited_long(load(per_cpu_ptr(percpu$waiter_timeout, head - 1)))) {
        if ((oldcount & RWSEM_FLAG_HANDOFF) === 0) adjustment -= RWSEM_FLAG_HANDOFF
        store(per_cpu_ptr(percpu$waiter_handoff_set, head - 1), 1)
      }
      atomic_fetch_add(sem + rwsem$count, -adjustment)
      return
    }
    // Spinners see early that readers have it now.
    __rwsem_set_reader_owned(sem, head - 1)
  }
  rwsem_grant_readers(sem, head, adjustment)
}

/**
 * Grants the lock to all readers of the queue, which begins with `cpu`; the count has `granted` of it already. Under
 * wait_lock.
 */
function rwsem_grant_readers(sem: Rwsem, cpu: number, granted: number): void {
  let first = 0
  let last = 0
  let kept = 0
  let woken = 0
  store(sem + rwsem$wait_head, 0)
  while (cpu !== 0) {
    const link = per_cpu_ptr(percpu$waiter_next, cpu - 1)
    const next = load(link)
    if (load(per_cpu_ptr(percpu$waiter_type, cpu - 1)) === RWSEM_WAITING_FOR_READ) {
      if (last === 0) first = cpu
      else store(per_cpu_ptr(percpu$waiter_next, last - 1), cpu)
      last = cpu
      woken++
    } else {
      if (kept === 0) store(sem + rwsem$wait_head, cpu)
      else store(per_cpu_ptr(percpu$waiter_next, kept - 1), cpu)
      kept = cpu
    }
    store(link, 0)
    cpu = next
  }
  store(sem + rwsem$wait_tail, kept)
  let adjustment = woken * RWSEM_READER_BIAS - granted
  if (kept === 0) adjustment -= RWSEM_FLAG_WAITERS
  // Whoever set handoff has been served, or is behind readers now.
  if ((READ_ONCE(sem + rwsem$count) & RWSEM_FLAG_HANDOFF) !== 0) adjustment -= RWSEM_FLAG_HANDOFF
  if (adjustment !== 0) atomic_fetch_add(sem + rwsem$count, adjustment)
  // Only now: a reader that has not slept yet goes on, and may unlock, as soon as it is told.
  while (first !== 0) {
    const next = load(per_cpu_ptr(percpu$waiter_next, first - 1))
    smp_store_release(per_cpu_ptr(percpu$waiter_granted, first - 1), 1)
    wake_q_add(first - 1)
    first = next
  }
}

/** After joining a queue: wakes whoever can have the lock if `count` shows it free of writers. Under wait_lock. */
export function rwsem_cond_wake_waiter(sem: Rwsem, count: number): void {
  if ((count & RWSEM_WRITER_LOCKED) !== 0) return
  if ((count & RWSEM_READER_MASK) !== 0) rwsem_mark_wake(sem, RWSEM_WAKE_READERS)
  else {
    clear_nonspinnable(sem)
    rwsem_mark_wake(sem, RWSEM_WAKE_ANY)
  }
}

/**
 * Takes the lock for this CPU, a waiting writer, and takes it off the queue; false if that is not possible, and then,
 * if it has waited long, others may not pass the head of the queue any more. Under wait_lock.
 */
export function rwsem_try_write_lock(sem: Rwsem): boolean {
  const me = smp_processor_id() + 1
  const first = rwsem_first_waiter(sem)
  let count = READ_ONCE(sem + rwsem$count)
  for (;;) {
    const has_handoff = (count & RWSEM_FLAG_HANDOFF) !== 0
    if (has_handoff && first !== me && load(per_cpu_ptr(percpu$waiter_handoff_set, first - 1)) !== 0)
      return false
    const locked = (count & RWSEM_LOCK_MASK) !== 0
    let wanted = count | RWSEM_FLAG_HANDOFF
    if (!locked) {
      wanted = (count | RWSEM_WRITER_LOCKED) & ~RWSEM_FLAG_HANDOFF
      if (first === load(sem + rwsem$wait_tail)) wanted &= ~RWSEM_FLAG_WAITERS
    } else if (has_handoff || !rwsem_waited_long(this_cpu_read(percpu$waiter_timeout))) return false
    const seen = cmpxchg(sem + rwsem$count, count, wanted)
    if (seen === count) {
      if (!locked) break
      // The head alone may spin for the lock now.
      store(per_cpu_ptr(percpu$waiter_handoff_set, first - 1), 1)
      return false
    }
    count = seen
  }
  rwsem_unlink_waiter(sem, me)
  rwsem_set_owner(sem)
  return true
}

/** Takes CPU `cpu` (+ 1) off the queue. Under wait_lock. */
function rwsem_unlink_waiter(sem: Rwsem, cpu: number): void {
  let prev = 0
  let at = rwsem_first_waiter(sem)
  while (at !== cpu) {
    prev = at
    at = load(per_cpu_ptr(percpu$waiter_next, at - 1))
  }
  const next = load(per_cpu_ptr(percpu$waiter_next, cpu - 1))
  if (prev === 0) store(sem + rwsem$wait_head, next)
  else store(per_cpu_ptr(percpu$waiter_next, prev - 1), next)
  if (next === 0) store(sem + rwsem$wait_tail, prev)
}
