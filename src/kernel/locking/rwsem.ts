/**
 * Reader-writer semaphores (kernel/locking/rwsem.c, 6.1): mmap_lock and the rmap locks. One atomic add takes or drops a read lock, one
 * compare-and-swap takes a write lock; whoever cannot have it joins a FIFO of CPUs and sleeps on a word of its own.
 *
 *   count   bit 0 a writer holds it · bit 1 somebody waits · bit 2 handoff · from bit 8 the number of readers
 *
 *   - A waiting writer is woken and competes. A reader may take the lock past the queue while it is free of writers; once the writer at
 *     the head has been woken in vain it sets handoff, and then nobody passes it.
 *   - Waiting readers are granted the lock, all of the queue at once, those behind a writer too: phases of readers and writers alternate.
 *
 * The queue is linked through the per-CPU areas (percpu$waiter_*, CPU number + 1): a CPU sleeps for one semaphore or wait queue at a
 * time. Left out: optimistic spinning (smp_cond_load spins before it sleeps), the waits that signals end, and the 4 ms before handoff
 * (a failed wake-up stands for it, since kernel code reads no clock).
 */
import { LOCK_STAT } from '#config'
import { atomic_fetch_add, atomic_fetch_or, atomic_store, cmpxchg } from '#atomic'
import {
  load,
  per_cpu_ptr,
  READ_ONCE,
  smp_processor_id,
  store,
  this_cpu_ptr,
  this_cpu_write,
  WRITE_ONCE,
} from '../arch/access.ts'
import { BUG_ON } from '../arch/bug.ts'
import { LOCK_READ, LOCK_SLEEPS, LOCK_TRY, observe_lock_wanted } from '../arch/observe.ts'
import { percpu$waiter_granted, percpu$waiter_next, percpu$waiter_type } from '../arch/percpu.ts'
import {
  rwsem$count,
  rwsem$lockdep_read,
  rwsem$lockdep_write,
  rwsem$owner,
  rwsem$wait_head,
  rwsem$wait_lock,
  rwsem$wait_tail,
  type Rwsem,
  type Spinlock,
} from '../arch/structs.ts'
import { smp_cond_load, smp_wake_one } from '../arch/wait.ts'
import { LOCK_CLASS_rwsem_wait_lock } from './lock_class.ts'
import { lock_contended, lockdep_init_map } from './lock_stat.ts'
import { lock_acquire, lock_is_held, lock_release } from './lockdep.ts'
import { spin_lock, spin_lock_init, spin_unlock } from './spinlock.ts'

export const RWSEM_WRITER_LOCKED = 1 << 0
export const RWSEM_FLAG_WAITERS = 1 << 1
export const RWSEM_FLAG_HANDOFF = 1 << 2
export const RWSEM_READER_SHIFT = 8
export const RWSEM_READER_BIAS = 1 << RWSEM_READER_SHIFT
export const RWSEM_READER_MASK = ~(RWSEM_READER_BIAS - 1)
export const RWSEM_LOCK_MASK = RWSEM_WRITER_LOCKED | RWSEM_READER_MASK
const RWSEM_READ_FAILED_MASK = RWSEM_WRITER_LOCKED | RWSEM_FLAG_WAITERS | RWSEM_FLAG_HANDOFF

const RWSEM_WAITING_FOR_WRITE = 0
const RWSEM_WAITING_FOR_READ = 1

/** Whom rwsem_mark_wake wakes: whoever is first; readers if one is first; readers, the caller being one of the holders. */
const RWSEM_WAKE_ANY = 0
const RWSEM_WAKE_READERS = 1
const RWSEM_WAKE_READ_OWNED = 2

/** Makes `sem` free. The classes (LOCK_CLASS_ constants) are those of its read and its write mode. */
export function init_rwsem(sem: Rwsem, class_read: number, class_write: number): void {
  WRITE_ONCE(sem + rwsem$count, 0)
  WRITE_ONCE(sem + rwsem$owner, 0)
  store(sem + rwsem$wait_head, 0)
  store(sem + rwsem$wait_tail, 0)
  spin_lock_init((sem + rwsem$wait_lock) as Spinlock, LOCK_CLASS_rwsem_wait_lock)
  if (LOCK_STAT) {
    lockdep_init_map(sem + rwsem$lockdep_read, class_read)
    lockdep_init_map(sem + rwsem$lockdep_write, class_write)
  }
}

export function down_read(sem: Rwsem): void {
  observe_lock_wanted(sem)
  const count = atomic_fetch_add(sem + rwsem$count, RWSEM_READER_BIAS)
  let begin = 0
  if ((count & RWSEM_READ_FAILED_MASK) !== 0) {
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
  if ((count & (RWSEM_LOCK_MASK | RWSEM_FLAG_WAITERS)) === RWSEM_FLAG_WAITERS) rwsem_wake(sem)
}

export function down_write(sem: Rwsem): void {
  down_write_nested(sem, 0)
}

/** down_write while another semaphore of the class is held (a child's mmap_lock under its parent's). */
export function down_write_nested(sem: Rwsem, subclass: number): void {
  observe_lock_wanted(sem)
  let begin = 0
  if (cmpxchg(sem + rwsem$count, 0, RWSEM_WRITER_LOCKED) !== 0) {
    if (LOCK_STAT) begin = lock_contended(sem + rwsem$lockdep_write, subclass)
    rwsem_down_write_slowpath(sem)
  }
  WRITE_ONCE(sem + rwsem$owner, smp_processor_id() + 1)
  lock_acquire(sem, sem + rwsem$lockdep_write, subclass, begin, LOCK_SLEEPS)
}

export function down_write_trylock(sem: Rwsem): boolean {
  if (cmpxchg(sem + rwsem$count, 0, RWSEM_WRITER_LOCKED) !== 0) return false
  WRITE_ONCE(sem + rwsem$owner, smp_processor_id() + 1)
  lock_acquire(sem, sem + rwsem$lockdep_write, 0, 0, LOCK_SLEEPS | LOCK_TRY)
  return true
}

export function up_write(sem: Rwsem): void {
  BUG_ON(load(sem + rwsem$owner) !== smp_processor_id() + 1)
  lock_release(sem)
  WRITE_ONCE(sem + rwsem$owner, 0)
  const count = atomic_fetch_add(sem + rwsem$count, -RWSEM_WRITER_LOCKED)
  if ((count & RWSEM_FLAG_WAITERS) !== 0) rwsem_wake(sem)
}

/** Turns this CPU's write lock into a read lock without letting a writer in between. */
export function downgrade_write(sem: Rwsem): void {
  BUG_ON(load(sem + rwsem$owner) !== smp_processor_id() + 1)
  lock_release(sem)
  WRITE_ONCE(sem + rwsem$owner, 0)
  const count = atomic_fetch_add(sem + rwsem$count, RWSEM_READER_BIAS - RWSEM_WRITER_LOCKED)
  if ((count & RWSEM_FLAG_WAITERS) !== 0) {
    spin_lock((sem + rwsem$wait_lock) as Spinlock)
    const woken = rwsem_mark_wake(sem, RWSEM_WAKE_READ_OWNED)
    spin_unlock((sem + rwsem$wait_lock) as Spinlock)
    rwsem_wake_up_q(woken)
  }
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

/** Whether this CPU holds `sem` for writing. */
export function rwsem_is_held_write(sem: Rwsem): boolean {
  return READ_ONCE(sem + rwsem$owner) === smp_processor_id() + 1
}

/** BUG if this CPU does not hold `sem` in either mode. */
export function rwsem_assert_held(sem: Rwsem): void {
  BUG_ON(!lock_is_held(sem))
}

/** BUG if this CPU does not hold `sem` for writing. */
export function rwsem_assert_held_write(sem: Rwsem): void {
  BUG_ON(!rwsem_is_held_write(sem))
}

/** Puts this CPU at the end of the queue; returns whether the queue was empty. Under wait_lock. */
function rwsem_add_waiter(sem: Rwsem, type: number): boolean {
  const me = smp_processor_id() + 1
  this_cpu_write(percpu$waiter_next, 0)
  this_cpu_write(percpu$waiter_type, type)
  WRITE_ONCE(this_cpu_ptr(percpu$waiter_granted), 0)
  const tail = load(sem + rwsem$wait_tail)
  if (tail === 0) store(sem + rwsem$wait_head, me)
  else store(per_cpu_ptr(percpu$waiter_next, tail - 1), me)
  store(sem + rwsem$wait_tail, me)
  return tail === 0
}

/**
 * `count` holds this reader already. Returns when it has the lock.
 */
function rwsem_down_read_slowpath(sem: Rwsem, count: number): void {
  const waiting = this_cpu_ptr(percpu$waiter_granted)
  const readers = count >> RWSEM_READER_SHIFT
  // Past the queue: no writer, no handoff, and no other readers who would keep a writer waiting.
  if ((count & (RWSEM_WRITER_LOCKED | RWSEM_FLAG_HANDOFF)) === 0 && readers === 1) {
    // As a reader is in now, the others may come as well.
    if ((count & RWSEM_FLAG_WAITERS) !== 0) {
      spin_lock((sem + rwsem$wait_lock) as Spinlock)
      const others = rwsem_mark_wake(sem, RWSEM_WAKE_READ_OWNED)
      spin_unlock((sem + rwsem$wait_lock) as Spinlock)
      rwsem_wake_up_q(others)
    }
    return
  }
  spin_lock((sem + rwsem$wait_lock) as Spinlock)
  let adjustment = -RWSEM_READER_BIAS
  if (load(sem + rwsem$wait_head) === 0) {
    // Nobody waits: if the writer has left meanwhile, this reader's share of the count is its lock.
    if ((READ_ONCE(sem + rwsem$count) & (RWSEM_WRITER_LOCKED | RWSEM_FLAG_HANDOFF)) === 0) {
      spin_unlock((sem + rwsem$wait_lock) as Spinlock)
      return
    }
    adjustment += RWSEM_FLAG_WAITERS
  }
  rwsem_add_waiter(sem, RWSEM_WAITING_FOR_READ)
  const now = atomic_fetch_add(sem + rwsem$count, adjustment) + adjustment
  const woken = rwsem_cond_mark_wake(sem, now)
  spin_unlock((sem + rwsem$wait_lock) as Spinlock)
  rwsem_wake_up_q(woken)
  smp_cond_load(waiting, 0)
}

/** After joining a queue: wakes whoever can have the lock if `count` shows it free of writers. Under wait_lock. */
function rwsem_cond_mark_wake(sem: Rwsem, count: number): number {
  if ((count & RWSEM_WRITER_LOCKED) !== 0) return 0
  return rwsem_mark_wake(sem, (count & RWSEM_READER_MASK) !== 0 ? RWSEM_WAKE_READERS : RWSEM_WAKE_ANY)
}

function rwsem_down_write_slowpath(sem: Rwsem): void {
  const me = smp_processor_id() + 1
  const granted = this_cpu_ptr(percpu$waiter_granted)
  const lock = (sem + rwsem$wait_lock) as Spinlock
  spin_lock(lock)
  let woken = 0
  if (rwsem_add_waiter(sem, RWSEM_WAITING_FOR_WRITE)) atomic_fetch_or(sem + rwsem$count, RWSEM_FLAG_WAITERS)
  else woken = rwsem_cond_mark_wake(sem, READ_ONCE(sem + rwsem$count))
  if (woken !== 0) {
    spin_unlock(lock)
    rwsem_wake_up_q(woken)
    spin_lock(lock)
  }
  let handoff = false
  while (load(sem + rwsem$wait_head) !== me || !rwsem_try_write_lock(sem, handoff)) {
    // Whoever wakes this CPU says so under wait_lock: no wake-up falls between the reset and the sleep. Only the head of the
    // queue is woken, when the lock is free: a failure after that means that somebody passed it.
    WRITE_ONCE(granted, 0)
    spin_unlock(lock)
    smp_cond_load(granted, 0)
    handoff = true
    spin_lock(lock)
  }
  spin_unlock(lock)
}

/**
 * Takes the lock for this CPU, the head of the queue, and leaves the queue; false if the lock is held. Then, with
 * `handoff`, forbids others to pass. Under wait_lock.
 */
function rwsem_try_write_lock(sem: Rwsem, handoff: boolean): boolean {
  const next = load(this_cpu_ptr(percpu$waiter_next))
  let count = READ_ONCE(sem + rwsem$count)
  for (;;) {
    const locked = (count & RWSEM_LOCK_MASK) !== 0
    if (locked && (!handoff || (count & RWSEM_FLAG_HANDOFF) !== 0)) return false
    let wanted = count | RWSEM_FLAG_HANDOFF
    if (!locked) {
      wanted = (count | RWSEM_WRITER_LOCKED) & ~RWSEM_FLAG_HANDOFF
      if (next === 0) wanted &= ~RWSEM_FLAG_WAITERS
    }
    const seen = cmpxchg(sem + rwsem$count, count, wanted)
    if (seen === count) {
      if (locked) return false
      break
    }
    count = seen
  }
  store(sem + rwsem$wait_head, next)
  if (next === 0) store(sem + rwsem$wait_tail, 0)
  return true
}

/** The lock has become free, or only readers hold it: wakes the head of the queue. */
function rwsem_wake(sem: Rwsem): void {
  spin_lock((sem + rwsem$wait_lock) as Spinlock)
  const woken = rwsem_mark_wake(sem, RWSEM_WAKE_ANY)
  spin_unlock((sem + rwsem$wait_lock) as Spinlock)
  rwsem_wake_up_q(woken)
}

/**
 * Chooses whom to wake: a writer at the head of the queue (it stays there and competes), or all readers of the queue if one is
 * at the head; these get their shares of the count and leave the queue. Under wait_lock. Returns what rwsem_wake_up_q takes: the
 * first reader (CPU + 1, the others linked behind it), minus the writer, or 0.
 */
function rwsem_mark_wake(sem: Rwsem, wake_type: number): number {
  const head = load(sem + rwsem$wait_head)
  if (head === 0) return 0
  if (load(per_cpu_ptr(percpu$waiter_type, head - 1)) === RWSEM_WAITING_FOR_WRITE) {
    if (wake_type === RWSEM_WAKE_ANY) {
      // Stored under wait_lock: later it could hit that CPU's next wait.
      atomic_store(per_cpu_ptr(percpu$waiter_granted, head - 1), 1)
      return -head
    }
    return 0
  }
  let adjustment = 0
  if (wake_type !== RWSEM_WAKE_READ_OWNED) {
    // A share for the first reader, before anything is promised: a writer may hold the lock again.
    adjustment = RWSEM_READER_BIAS
    if ((atomic_fetch_add(sem + rwsem$count, adjustment) & RWSEM_WRITER_LOCKED) !== 0) {
      atomic_fetch_add(sem + rwsem$count, -adjustment)
      return 0
    }
  }
  let first = 0
  let last = 0
  let kept = 0
  let readers = 0
  let cpu = head
  store(sem + rwsem$wait_head, 0)
  while (cpu !== 0) {
    const link = per_cpu_ptr(percpu$waiter_next, cpu - 1)
    const next = load(link)
    if (load(per_cpu_ptr(percpu$waiter_type, cpu - 1)) === RWSEM_WAITING_FOR_READ) {
      if (last === 0) first = cpu
      else store(per_cpu_ptr(percpu$waiter_next, last - 1), cpu)
      last = cpu
      readers++
    } else {
      if (kept === 0) store(sem + rwsem$wait_head, cpu)
      else store(per_cpu_ptr(percpu$waiter_next, kept - 1), cpu)
      kept = cpu
    }
    store(link, 0)
    cpu = next
  }
  store(sem + rwsem$wait_tail, kept)
  adjustment = readers * RWSEM_READER_BIAS - adjustment
  if (kept === 0) adjustment -= RWSEM_FLAG_WAITERS
  if (adjustment !== 0) atomic_fetch_add(sem + rwsem$count, adjustment)
  return first
}

/**
 * Wakes whom rwsem_mark_wake chose, after wait_lock is dropped: readers are told here that they have the lock (each link is
 * read before its CPU goes on); a writer has been told, and is only woken.
 */
function rwsem_wake_up_q(woken: number): void {
  if (woken < 0) smp_wake_one(per_cpu_ptr(percpu$waiter_granted, -woken - 1))
  let reader = woken
  while (reader > 0) {
    const next = load(per_cpu_ptr(percpu$waiter_next, reader - 1))
    const granted = per_cpu_ptr(percpu$waiter_granted, reader - 1)
    atomic_store(granted, 1)
    smp_wake_one(granted)
    reader = next
  }
}
