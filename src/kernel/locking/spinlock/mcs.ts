/**
 * MCS queue lock (Mellor-Crummey and Scott 1991; kernel/locking/mcs_spinlock.h, 6.1): first come, first served, and
 * every waiter watches a line of its own. The lock is one word: the address of the last node in the queue, 0 when it is
 * free.
 *
 * A node stays in use while its lock is held. Locks are released in any order, so a CPU keeps one node for each lock it
 * holds and finds it by the lock's address. The lock goes to its next owner even if that CPU is not running (a convoy
 * with more CPUs than cores).
 */
import { atomic_store, cmpxchg, xchg } from '#atomic'
import { load, READ_ONCE, store, this_cpu_ptr, WRITE_ONCE } from '../../arch/access.ts'
import { BUG_ON } from '../../arch/bug.ts'
import { percpu$qnodes, QNODES, QNODE_WORDS } from '../../arch/percpu.ts'
import type { Spinlock } from '../../arch/structs.ts'
import { smp_cond_load, smp_wake_one } from '../../arch/wait.ts'
import { mcs_spinlock$lock, mcs_spinlock$locked, mcs_spinlock$next } from '../mcs_spinlock.ts'

export const SPINLOCK_WORDS = 1

export function arch_spin_lock_init(lock: Spinlock): void {
  WRITE_ONCE(lock, 0)
}

/** This CPU's node for `lock`; with lock 0 a free one. 0: there is none. */
function mcs_find_node(lock: number): number {
  const nodes = this_cpu_ptr(percpu$qnodes)
  for (let i = 0; i < QNODES; i++) {
    if (load(nodes + i * QNODE_WORDS + mcs_spinlock$lock) === lock) return nodes + i * QNODE_WORDS
  }
  return 0
}

/** Takes a free node into use for `lock`. */
function mcs_claim_node(lock: Spinlock): number {
  const node = mcs_find_node(0)
  BUG_ON(node === 0)
  store(node + mcs_spinlock$lock, lock)
  WRITE_ONCE(node + mcs_spinlock$next, 0)
  WRITE_ONCE(node + mcs_spinlock$locked, 0)
  return node
}

export function arch_spin_lock(lock: Spinlock): void {
  const node = mcs_claim_node(lock)
  const prev = xchg(lock, node)
  if (prev === 0) return
  atomic_store(prev + mcs_spinlock$next, node)
  smp_wake_one(prev + mcs_spinlock$next)
  smp_cond_load(node + mcs_spinlock$locked, 0)
}

export function arch_spin_trylock(lock: Spinlock): boolean {
  if (READ_ONCE(lock) !== 0) return false
  const node = mcs_claim_node(lock)
  if (cmpxchg(lock, 0, node) === 0) return true
  store(node + mcs_spinlock$lock, 0)
  return false
}

export function arch_spin_unlock(lock: Spinlock): void {
  const node = mcs_find_node(lock)
  BUG_ON(node === 0)
  let next = READ_ONCE(node + mcs_spinlock$next)
  if (next !== 0 || cmpxchg(lock, node, 0) !== node) {
    // Somebody is behind; if it has not linked itself yet, that is a matter of a few instructions.
    if (next === 0) next = smp_cond_load(node + mcs_spinlock$next, 0)
    atomic_store(next + mcs_spinlock$locked, 1)
    smp_wake_one(next + mcs_spinlock$locked)
  }
  store(node + mcs_spinlock$lock, 0)
}

/** Whether a node is queued behind the holder's. Exact for the holder; for others: whether the lock is held. */
export function arch_spin_is_contended(lock: Spinlock): boolean {
  const tail = READ_ONCE(lock)
  return tail !== 0 && tail !== mcs_find_node(lock)
}
