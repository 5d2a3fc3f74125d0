/**
 * Queued spinlock (kernel/locking/qspinlock.c and qspinlock_paravirt.h, 6.1), in the paravirtual form, for machines
 * with more CPUs than cores: newcomers may take a free lock past the queue (pv_hybrid_queued_unfair_trylock), so that
 * it need not wait for a halted CPU.
 *
 * Linux's head forbids stealing (pending) while it spins and allows it while it halts; here spinning and halting are
 * one primitive, so thieves count themselves in the word's unused bits, and the one that makes it _Q_STEALS sets
 * pending: then the lock goes to the head. The queue itself is first come, first served.
 *
 * Left out, as in Linux: the second CPU that waits on pending without a node. Left out besides: the hash from lock to
 * halted head (smp_wake finds it).
 */
import { atomic_fetch_and, cmpxchg } from '#atomic'
import { READ_ONCE } from '../../arch/access.ts'
import type { Spinlock } from '../../arch/structs.ts'
import { smp_cond_load, smp_wake_one } from '../../arch/wait.ts'
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

const _Q_STOLEN_ONE = 1 << 9
const _Q_STOLEN_MASK = 0x7f << 9
/** Locks taken past one head of the queue before it is its turn. */
const _Q_STEALS = 100

export function arch_spin_lock_init(lock: Spinlock): void {
  queued_spin_lock_init(lock)
}

export function arch_spin_lock(lock: Spinlock): void {
  if (cmpxchg(lock, 0, _Q_LOCKED_VAL) !== 0) pv_queued_spin_lock_slowpath(lock)
}

export function arch_spin_trylock(lock: Spinlock): boolean {
  return queued_spin_trylock(lock)
}

export function arch_spin_unlock(lock: Spinlock): void {
  if ((atomic_fetch_and(lock, ~_Q_LOCKED_MASK) & _Q_TAIL_MASK) !== 0) smp_wake_one(lock)
}

export function arch_spin_is_contended(lock: Spinlock): boolean {
  return queued_spin_is_contended(lock)
}

/** Takes the lock if it is free, past whoever is queued, unless that is forbidden. */
function pv_hybrid_queued_unfair_trylock(lock: Spinlock): boolean {
  let val = READ_ONCE(lock)
  while ((val & _Q_LOCKED_PENDING_MASK) === 0) {
    let taken = val | _Q_LOCKED_VAL
    if ((val & _Q_TAIL_MASK) !== 0) {
      taken += _Q_STOLEN_ONE
      if ((taken & _Q_STOLEN_MASK) >= _Q_STEALS * _Q_STOLEN_ONE) taken |= _Q_PENDING_VAL
    }
    const seen = cmpxchg(lock, val, taken)
    if (seen === val) return true
    val = seen
  }
  return false
}

function pv_queued_spin_lock_slowpath(lock: Spinlock): void {
  if (pv_hybrid_queued_unfair_trylock(lock)) return
  const node = grab_mcs_node(lock)
  const tail = encode_tail(node)
  wait_for_head(lock, node, tail)
  if (!pv_wait_head_or_lock(lock, tail)) make_next_head(node)
  release_mcs_node(node)
}

/** Takes the lock as the head of the queue; returns whether the queue is empty now. */
function pv_wait_head_or_lock(lock: Spinlock, tail: number): boolean {
  let val = READ_ONCE(lock)
  for (;;) {
    while ((val & _Q_LOCKED_MASK) !== 0) val = smp_cond_load(lock, val)
    const last = (val & _Q_TAIL_MASK) === tail
    // Pending and the count of thefts were this head's; the next one begins anew.
    const seen = cmpxchg(lock, val, last ? _Q_LOCKED_VAL : (val & _Q_TAIL_MASK) | _Q_LOCKED_VAL)
    if (seen === val) return last
    val = seen
  }
}
