/**
 * What both forms of the queued spinlock share (kernel/locking/qspinlock.c, include/asm-generic/qspinlock.h and
 * qspinlock_types.h, 6.1): the lock's word and the MCS queue beside it.
 *
 *   31        18 17  16 15      9   8   7      0
 *   ┌───────────┬──────┬─────────┬─────┬────────┐
 *   │ tail cpu+1│ index│ stolen  │ pend│ locked │      stolen: spinlock/pvqspinlock.ts
 *   └───────────┴──────┴─────────┴─────┴────────┘
 *
 * Left out: the fallback for a CPU out of nodes (there is no fourth context here).
 */
import { atomic_store, cmpxchg } from '#atomic'
import {
  load,
  per_cpu_ptr,
  READ_ONCE,
  smp_processor_id,
  store,
  this_cpu_ptr,
  WRITE_ONCE,
} from '../arch/access.ts'
import { BUG_ON } from '../arch/bug.ts'
import { percpu$qnodes, QNODE_WORDS } from '../arch/percpu.ts'
import type { Spinlock } from '../arch/structs.ts'
import { smp_cond_load, smp_wake_one } from '../arch/wait.ts'
import {
  mcs_spinlock$count,
  mcs_spinlock$lock,
  mcs_spinlock$locked,
  mcs_spinlock$next,
} from './mcs_spinlock.ts'

export const _Q_LOCKED_VAL = 1
export const _Q_LOCKED_MASK = 0xff
export const _Q_PENDING_VAL = 1 << 8
export const _Q_LOCKED_PENDING_MASK = _Q_LOCKED_MASK | _Q_PENDING_VAL
export const _Q_TAIL_IDX_OFFSET = 16
export const _Q_TAIL_CPU_OFFSET = 18
export const _Q_TAIL_MASK = ~0xffff
/** Contexts of a CPU that can wait for spinlocks at once. */
export const MAX_NODES = 4

/** Makes the lock a free one. */
export function queued_spin_lock_init(lock: Spinlock): void {
  WRITE_ONCE(lock, 0)
}

/** Takes a lock that is free and that nobody waits for. */
export function queued_spin_trylock(lock: Spinlock): boolean {
  return READ_ONCE(lock) === 0 && cmpxchg(lock, 0, _Q_LOCKED_VAL) === 0
}

/** Whether somebody waits for it. */
export function queued_spin_is_contended(lock: Spinlock): boolean {
  return (READ_ONCE(lock) & ~_Q_LOCKED_MASK) !== 0
}

/** Takes one of this CPU's nodes, to queue for `lock`. */
export function grab_mcs_node(lock: Spinlock): number {
  const nodes = this_cpu_ptr(percpu$qnodes)
  const index = load(nodes + mcs_spinlock$count)
  BUG_ON(index >= MAX_NODES)
  store(nodes + mcs_spinlock$count, index + 1)
  const node = nodes + index * QNODE_WORDS
  // For reports of a wait: which lock the node queues for.
  store(node + mcs_spinlock$lock, lock)
  WRITE_ONCE(node + mcs_spinlock$locked, 0)
  WRITE_ONCE(node + mcs_spinlock$next, 0)
  return node
}

/** Gives the node that was taken last back. */
export function release_mcs_node(node: number): void {
  const nodes = this_cpu_ptr(percpu$qnodes)
  store(node + mcs_spinlock$lock, 0)
  store(nodes + mcs_spinlock$count, load(nodes + mcs_spinlock$count) - 1)
}

/** What names a node of this CPU in a lock's word. */
export function encode_tail(node: number): number {
  const index = ((node - this_cpu_ptr(percpu$qnodes)) / QNODE_WORDS) | 0
  return ((smp_processor_id() + 1) << _Q_TAIL_CPU_OFFSET) | (index << _Q_TAIL_IDX_OFFSET)
}

function decode_tail(tail: number): number {
  const cpu = (tail >>> _Q_TAIL_CPU_OFFSET) - 1
  return per_cpu_ptr(percpu$qnodes, cpu) + ((tail >>> _Q_TAIL_IDX_OFFSET) & (MAX_NODES - 1)) * QNODE_WORDS
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

/** Joins the queue with `node`, which `tail` names, and waits until it is its head. */
export function wait_for_head(lock: Spinlock, node: number, tail: number): void {
  const old = xchg_tail(lock, tail)
  if ((old & _Q_TAIL_MASK) === 0) return
  const prev = decode_tail(old)
  atomic_store(prev + mcs_spinlock$next, node)
  smp_wake_one(prev + mcs_spinlock$next)
  smp_cond_load(node + mcs_spinlock$locked, 0)
}

/** Makes the node behind `node`, which is there or about to come, the head of the queue. */
export function make_next_head(node: number): void {
  let next = READ_ONCE(node + mcs_spinlock$next)
  if (next === 0) next = smp_cond_load(node + mcs_spinlock$next, 0)
  atomic_store(next + mcs_spinlock$locked, 1)
  smp_wake_one(next + mcs_spinlock$locked)
}
