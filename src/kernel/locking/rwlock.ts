/**
 * Reader-writer spinlocks (include/linux/rwlock.h, kernel/locking/qrwlock.c, 6.1): readers share the lock, whoever must
 * wait does so in the order in which it came, behind one spinlock. The count has 1 for a writer that waits, 0xff for
 * one that holds, and 512 for each reader. Left out: readers in interrupts, who may pass a writer that waits; _irq and
 * _bh forms.
 */
import { LOCK_STAT } from '#config'
import { atomic_fetch_add, atomic_fetch_or, atomic_load, cmpxchg } from '#atomic'
import { arch_spin_lock, arch_spin_lock_init, arch_spin_unlock } from '#spinlock'
import { READ_ONCE, WRITE_ONCE } from '../arch/access.ts'
import { LOCK_READ, observe_lock_init, observe_lock_wanted } from '../arch/observe.ts'
import {
  rwlock$cnts,
  rwlock$lockdep_read,
  rwlock$lockdep_write,
  rwlock$wait_lock,
  type Rwlock,
  type Spinlock,
} from '../arch/structs.ts'
import { smp_cond_load, smp_wake } from '../arch/wait.ts'
import { lock_contended, lockdep_init_map } from './lock_stat.ts'
import { lock_acquire, lock_release } from './lockdep.ts'

/** A writer waits. */
const _QW_WAITING = 0x100
/** A writer holds the lock. */
const _QW_LOCKED = 0xff
const _QW_WMASK = 0x1ff
const _QR_BIAS = 0x200

/** Makes `lock` free. The classes (LOCK_CLASS_ constants) are those of its read and its write mode. */
export function rwlock_init(lock: Rwlock, class_read: number, class_write: number): void {
  WRITE_ONCE(lock + rwlock$cnts, 0)
  arch_spin_lock_init((lock + rwlock$wait_lock) as Spinlock)
  observe_lock_init(lock, class_write)
  if (LOCK_STAT) {
    lockdep_init_map(lock + rwlock$lockdep_read, class_read)
    lockdep_init_map(lock + rwlock$lockdep_write, class_write)
  }
}

/** Waits until no writer holds the lock; what the last one wrote is seen from here on. */
function wait_for_writer(cnts: number): void {
  let value = atomic_load(cnts)
  while ((value & _QW_LOCKED) === _QW_LOCKED) value = smp_cond_load(cnts, value)
}

/** A writer holds the lock or waits for it: this reader gives its share back and joins the queue. */
function queued_read_lock_slowpath(lock: Rwlock): void {
  const cnts = lock + rwlock$cnts
  const wait_lock = (lock + rwlock$wait_lock) as Spinlock
  // The writer at the head may wait for this share alone.
  atomic_fetch_add(cnts, -_QR_BIAS)
  smp_wake(cnts)
  arch_spin_lock(wait_lock)
  atomic_fetch_add(cnts, _QR_BIAS)
  wait_for_writer(cnts)
  arch_spin_unlock(wait_lock)
}

function queued_write_lock_slowpath(lock: Rwlock): void {
  const cnts = lock + rwlock$cnts
  const wait_lock = (lock + rwlock$wait_lock) as Spinlock
  arch_spin_lock(wait_lock)
  if (READ_ONCE(cnts) !== 0 || cmpxchg(cnts, 0, _QW_LOCKED) !== 0) {
    // From here on readers queue up behind this writer.
    atomic_fetch_or(cnts, _QW_WAITING)
    do {
      let value = READ_ONCE(cnts)
      while (value !== _QW_WAITING) value = smp_cond_load(cnts, value)
    } while (cmpxchg(cnts, _QW_WAITING, _QW_LOCKED) !== _QW_WAITING)
  }
  arch_spin_unlock(wait_lock)
}

export function read_lock(lock: Rwlock): void {
  let begin = 0
  observe_lock_wanted(lock)
  if ((atomic_fetch_add(lock + rwlock$cnts, _QR_BIAS) & _QW_WMASK) !== 0) {
    if (LOCK_STAT) begin = lock_contended(lock + rwlock$lockdep_read, 0)
    queued_read_lock_slowpath(lock)
  }
  lock_acquire(lock, lock + rwlock$lockdep_read, 0, begin, LOCK_READ)
}

export function read_unlock(lock: Rwlock): void {
  lock_release(lock)
  const cnts = lock + rwlock$cnts
  if ((atomic_fetch_add(cnts, -_QR_BIAS) & _QW_WAITING) !== 0) smp_wake(cnts)
}

export function write_lock(lock: Rwlock): void {
  write_lock_nested(lock, 0)
}

/** Takes `lock` for writing while another lock of its class is held. */
export function write_lock_nested(lock: Rwlock, subclass: number): void {
  let begin = 0
  observe_lock_wanted(lock)
  if (cmpxchg(lock + rwlock$cnts, 0, _QW_LOCKED) !== 0) {
    if (LOCK_STAT) begin = lock_contended(lock + rwlock$lockdep_write, subclass)
    queued_write_lock_slowpath(lock)
  }
  lock_acquire(lock, lock + rwlock$lockdep_write, subclass, begin, 0)
}

export function write_unlock(lock: Rwlock): void {
  lock_release(lock)
  const cnts = lock + rwlock$cnts
  if (atomic_fetch_add(cnts, -_QW_LOCKED) !== _QW_LOCKED) smp_wake(cnts)
}

/**
 * Whether somebody waits for `lock`; asked by whoever holds it for writing. A hint. Linux asks whether the queue's lock
 * is held (queued_rwlock_is_contended), which is by whoever has added to the count.
 */
export function write_is_contended(lock: Rwlock): boolean {
  return READ_ONCE(lock + rwlock$cnts) !== _QW_LOCKED
}
