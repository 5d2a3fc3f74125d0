/**
 * Queued spinlock (kernel/locking/qspinlock.c, 6.1), in the native form of a machine with a core for each CPU: the
 * first CPU that waits sets the pending bit and waits for the lock's word; the others queue, each waits for its own
 * node, and the head of the queue for the word. Nobody passes anybody: while one waits the word is not 0.
 *
 * Left out: that the locked byte is written by itself (here an atomic operation on the word), and the bound on the wait
 * for a pending CPU that is about to have the lock.
 */
import { atomic_fetch_add, atomic_fetch_and, atomic_fetch_or, cmpxchg } from '#atomic'
import { READ_ONCE } from '../../arch/access.ts'
import type { Spinlock } from '../../arch/structs.ts'
import { smp_cond_load, smp_wake } from '../../arch/wait.ts'
import {
  _Q_LOCKED_MASK,
  _Q_LOCKED_PENDING_MASK,
  _Q_LOCKED_VAL,
  _Q_PENDING_VAL,
  _Q_TAIL_MASK,
  encode_tail,
  grab_mcs_node,
  make_next_head,
  queued_spin_is_contended,
  queued_spin_lock_init,
  queued_spin_trylock,
  release_mcs_node,
  wait_for_head,
} from '../qspinlock.ts'

export const SPINLOCK_WORDS = 1

export function arch_spin_lock_init(lock: Spinlock): void {
  queued_spin_lock_init(lock)
}

export function arch_spin_lock(lock: Spinlock): void {
  const val = cmpxchg(lock, 0, _Q_LOCKED_VAL)
  if (val !== 0) queued_spin_lock_slowpath(lock, val)
}

export function arch_spin_trylock(lock: Spinlock): boolean {
  return queued_spin_trylock(lock)
}

export function arch_spin_unlock(lock: Spinlock): void {
  // The pending CPU and the head of the queue wait for it.
  if ((atomic_fetch_and(lock, ~_Q_LOCKED_MASK) & ~_Q_LOCKED_MASK) !== 0) smp_wake(lock)
}

export function arch_spin_is_contended(lock: Spinlock): boolean {
  return queued_spin_is_contended(lock)
}

/** Becomes the pending CPU and takes the lock when it is free. False: another CPU waits already. */
function lock_pending(lock: Spinlock): boolean {
  let val = atomic_fetch_or(lock, _Q_PENDING_VAL)
  if ((val & ~_Q_LOCKED_MASK) !== 0) {
    // The bit is ours only if it was clear.
    if ((val & _Q_PENDING_VAL) === 0) {
      atomic_fetch_and(lock, ~_Q_PENDING_VAL)
      smp_wake(lock)
    }
    return false
  }
  while ((val & _Q_LOCKED_MASK) !== 0) val = smp_cond_load(lock, val)
  // clear_pending_set_locked()
  atomic_fetch_add(lock, _Q_LOCKED_VAL - _Q_PENDING_VAL)
  smp_wake(lock)
  return true
}

/** Takes the lock, whose word was `seen` and not 0. */
function queued_spin_lock_slowpath(lock: Spinlock, seen: number): void {
  // The pending CPU is about to have it.
  const val = seen === _Q_PENDING_VAL ? smp_cond_load(lock, seen) : seen
  if ((val & ~_Q_LOCKED_MASK) === 0 && lock_pending(lock)) return
  const node = grab_mcs_node(lock)
  // Taking the node may have lasted long enough.
  if (!queued_spin_trylock(lock)) queue_and_lock(lock, node)
  release_mcs_node(node)
}

function queue_and_lock(lock: Spinlock, node: number): void {
  const tail = encode_tail(node)
  wait_for_head(lock, node, tail)
  let val = READ_ONCE(lock)
  while ((val & _Q_LOCKED_PENDING_MASK) !== 0) val = smp_cond_load(lock, val)
  // The last of the queue leaves no trace of it.
  if ((val & _Q_TAIL_MASK) === tail && cmpxchg(lock, val, _Q_LOCKED_VAL) === val) return
  atomic_fetch_or(lock, _Q_LOCKED_VAL)
  make_next_head(node)
}
