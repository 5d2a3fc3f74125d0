/**
 * Queued spinlock (kernel/locking/qspinlock.c and qspinlock_paravirt.h, 6.1), in the paravirtual form: one word, an MCS queue
 * beside it, and newcomers may take a free lock past the queue (pv_hybrid_queued_unfair_trylock).
 *
 *   31        18 17  16 15      9   8   7      0
 *   ┌───────────┬──────┬─────────┬─────┬────────┐
 *   │ tail cpu+1│ index│ stolen  │ pend│ locked │
 *   └───────────┴──────┴─────────┴─────┴────────┘
 *
 * The head of the queue waits for the word, the others each for their own node. Stealing is what keeps a machine with more CPUs than cores
 * going: the lock need not wait for a halted CPU. Linux's head forbids it (pending) while it spins and allows it while it
 * halts; here spinning and halting are one primitive, so thieves count themselves in the word's unused bits, and the one
 * that makes it _Q_STEALS sets pending: then the lock goes to the head. The queue itself is first come, first served.
 *
 * Left out, as in the paravirtual form: the second CPU that waits on pending without a node. Left out besides: the hash from lock to halted
 * head (smp_wake finds it), and the fallback for a CPU out of nodes (there is no fourth context here).
 */
import { atomic_fetch_and, atomic_store, cmpxchg } from '#atomic'
import {
  load,
  per_cpu_ptr,
  READ_ONCE,
  smp_processor_id,
  store,
  this_cpu_ptr,
  WRITE_ONCE,
} from '../../arch/access.ts'
import { BUG_ON } from '../../arch/bug.ts'
import { percpu$qnodes, QNODE_WORDS } from '../../arch/percpu.ts'
import type { Spinlock } from '../../arch/structs.ts'
import { smp_cond_load, smp_wake_one } from '../../arch/wait.ts'
import {
  mcs_spinlock$count,
  mcs_spinlock$lock,
  mcs_spinlock$locked,
  mcs_spinlock$next,
} from '../mcs_spinlock.ts'

export const SPINLOCK_WORDS = 1

export const _Q_LOCKED_VAL = 1
export const _Q_LOCKED_MASK = 0xff
export const _Q_PENDING_VAL = 1 << 8
export const _Q_LOCKED_PENDING_MASK = _Q_LOCKED_MASK | _Q_PENDING_VAL
const _Q_STOLEN_ONE = 1 << 9
const _Q_STOLEN_MASK = 0x7f << 9
/** Locks taken past one head of the queue before it is its turn. */
const _Q_STEALS = 100
export const _Q_TAIL_IDX_OFFSET = 16
export const _Q_TAIL_CPU_OFFSET = 18
export const _Q_TAIL_MASK = ~0xffff
/** Contexts of a CPU that can wait for spinlocks at once. */
export const MAX_NODES = 4

export function arch_spin_lock_init(lock: Spinlock): void {
  WRITE_ONCE(lock, 0)
}

export function arch_spin_lock(lock: Spinlock): void {
  if (cmpxchg(lock, 0, _Q_LOCKED_VAL) !== 0) queued_spin_lock_slowpath(lock)
}

export function arch_spin_trylock(lock: Spinlock): boolean {
  return READ_ONCE(lock) === 0 && cmpxchg(lock, 0, _Q_LOCKED_VAL) === 0
}

export function arch_spin_unlock(lock: Spinlock): void {
  if ((atomic_fetch_and(lock, ~_Q_LOCKED_MASK) & _Q_TAIL_MASK) !== 0) smp_wake_one(lock)
}

export function arch_spin_is_contended(lock: Spinlock): boolean {
  return (READ_ONCE(lock) & ~_Q_LOCKED_MASK) !== 0
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

/** Makes `tail` the end of the queue; returns the word as it was. */
function xchg_tail(lock: Spinlock, tail: number): number {
  let val = READ_ONCE(lock)
  for (;;) {
    const seen = cmpxchg(lock, val, (val & ~_Q_TAIL_MASK) | tail)
    if (seen === val) return val
    val = seen
  }
}

function decode_tail(tail: number): number {
  const cpu = (tail >>> _Q_TAIL_CPU_OFFSET) - 1
  return per_cpu_ptr(percpu$qnodes, cpu) + ((tail >>> _Q_TAIL_IDX_OFFSET) & (MAX_NODES - 1)) * QNODE_WORDS
}

function queued_spin_lock_slowpath(lock: Spinlock): void {
  if (pv_hybrid_queued_unfair_trylock(lock)) return
  const nodes = this_cpu_ptr(percpu$qnodes)
  const index = load(nodes + mcs_spinlock$count)
  BUG_ON(index >= MAX_NODES)
  store(nodes + mcs_spinlock$count, index + 1)
  const node = nodes + index * QNODE_WORDS
  // For reports of a wait: which lock the node queues for.
  store(node + mcs_spinlock$lock, lock)
  queue_and_lock(lock, node, index)
  store(node + mcs_spinlock$lock, 0)
  store(nodes + mcs_spinlock$count, index)
}

function queue_and_lock(lock: Spinlock, node: number, index: number): void {
  WRITE_ONCE(node + mcs_spinlock$locked, 0)
  WRITE_ONCE(node + mcs_spinlock$next, 0)
  const tail = ((smp_processor_id() + 1) << _Q_TAIL_CPU_OFFSET) | (index << _Q_TAIL_IDX_OFFSET)
  const old = xchg_tail(lock, tail)
  if ((old & _Q_TAIL_MASK) !== 0) {
    const prev = decode_tail(old)
    atomic_store(prev + mcs_spinlock$next, node)
    smp_wake_one(prev + mcs_spinlock$next)
    smp_cond_load(node + mcs_spinlock$locked, 0)
  }
  if (pv_wait_head_or_lock(lock, tail)) return
  let next = READ_ONCE(node + mcs_spinlock$next)
  if (next === 0) next = smp_cond_load(node + mcs_spinlock$next, 0)
  atomic_store(next + mcs_spinlock$locked, 1)
  smp_wake_one(next + mcs_spinlock$locked)
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
