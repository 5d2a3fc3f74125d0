/**
 * Read-copy update (kernel/rcu/tree.c, 6.1, reduced to what the model needs): rcu_read_lock, call_rcu, grace periods.
 * A CPU passes a quiescent state between two turns of programs and while it idles; what was given to call_rcu is freed when
 * every CPU has passed one since. What is freed so are nodes of xarrays (lib/xarray.ts), with SWAP anon_vmas (mm/rmap), with VMA_LOCK
 * VMAs. Left out: the tree of CPUs, expedited and polled grace periods, readers that sleep.
 */
import { SWAP, VMA_LOCK } from '#config'
import { atomic_fetch_add, atomic_load, atomic_store } from '#atomic'
import {
  load,
  per_cpu_ptr,
  READ_ONCE,
  store,
  this_cpu_add,
  this_cpu_ptr,
  this_cpu_read,
  this_cpu_write,
} from './arch/access.ts'
import { BUG_ON } from './arch/bug.ts'
import {
  ANON_VMA_CHAINS,
  ANON_VMAS,
  machine$nr_cpus,
  machine$nr_online,
  machine$rcu_gp,
  machine$rcu_lock,
  machine$rcu_orphans,
} from './arch/memory_map.ts'
import {
  percpu$rcu_list,
  percpu$rcu_needed,
  percpu$rcu_nesting,
  percpu$rcu_next_list,
  percpu$rcu_qs,
} from './arch/percpu.ts'
import type { KmemCache, Spinlock } from './arch/structs.ts'
import { anon_vma$rcu_next, rcu_head$next } from './arch/structs.ts'
import { LOCK_CLASS_rcu } from './locking/lock_class.ts'
import { spin_lock, spin_lock_init, spin_unlock } from './locking/spinlock.ts'
import { anon_vma_cachep, kmem_cache_free, vm_area_cachep, xa_node_cachep } from './mm/slab.ts'

/** A CPU that reads nothing under RCU: idle, or outside the kernel. */
export const RCU_IDLE = -1

/** Begins a section in which nothing given to call_rcu is freed that can still be found. */
export function rcu_read_lock(): void {
  this_cpu_add(percpu$rcu_nesting, 1)
}

export function rcu_read_unlock(): void {
  this_cpu_add(percpu$rcu_nesting, -1)
}

/** Asks for a grace period that begins now. */
function start_grace_period(): void {
  this_cpu_write(percpu$rcu_needed, atomic_fetch_add(machine$rcu_gp, 1) + 1)
}

function is_anon_vma(object: number): boolean {
  return SWAP !== 0 && object >= ANON_VMAS && object < ANON_VMA_CHAINS
}

/** The word that links an object that waits (rcu_head). */
function rcu_next(object: number): number {
  return object + (is_anon_vma(object) ? anon_vma$rcu_next : rcu_head$next)
}

function rcu_cachep(object: number): KmemCache {
  if (is_anon_vma(object)) return anon_vma_cachep
  return VMA_LOCK !== 0 && object < ANON_VMAS ? vm_area_cachep : xa_node_cachep
}

/** Frees an xa_node, an anon_vma or a VMA, which nobody can find any more, after a grace period. */
export function call_rcu(node: number): void {
  const waiting = this_cpu_read(percpu$rcu_list) !== 0
  const list = waiting ? percpu$rcu_next_list : percpu$rcu_list
  store(rcu_next(node), this_cpu_read(list))
  this_cpu_write(list, node)
  if (!waiting) start_grace_period()
}

function grace_period_over(needed: number): boolean {
  const nr_cpus = load(machine$nr_cpus)
  for (let cpu = 0; cpu < nr_cpus; cpu++) {
    const qs = atomic_load(per_cpu_ptr(percpu$rcu_qs, cpu))
    if (qs !== RCU_IDLE && qs - needed < 0) return false
  }
  return true
}

/** Frees a list of objects. */
function rcu_do_batch(first: number): void {
  let node = first
  while (node !== 0) {
    const next = load(rcu_next(node))
    kmem_cache_free(rcu_cachep(node), node)
    node = next
  }
}

/** Frees what has waited long enough; what came meanwhile waits for the next grace period. */
function rcu_core(): void {
  if (!grace_period_over(this_cpu_read(percpu$rcu_needed))) return
  rcu_do_batch(this_cpu_read(percpu$rcu_list))
  const next = this_cpu_read(percpu$rcu_next_list)
  this_cpu_write(percpu$rcu_list, next)
  this_cpu_write(percpu$rcu_next_list, 0)
  if (next !== 0) start_grace_period()
}

/** Between two turns: this CPU has seen everything removed so far go (rcu_note_context_switch). */
export function rcu_note_context_switch(): void {
  BUG_ON(this_cpu_read(percpu$rcu_nesting) !== 0)
  const gp = READ_ONCE(machine$rcu_gp)
  if (this_cpu_read(percpu$rcu_qs) !== gp) atomic_store(this_cpu_ptr(percpu$rcu_qs), gp)
  if (this_cpu_read(percpu$rcu_list) !== 0) rcu_core()
}

/** This CPU reads nothing from now on (rcu_idle_enter). */
export function rcu_idle_enter(): void {
  atomic_store(this_cpu_ptr(percpu$rcu_qs), RCU_IDLE)
}

/** This CPU may read again (rcu_idle_exit). */
export function rcu_idle_exit(): void {
  atomic_store(this_cpu_ptr(percpu$rcu_qs), READ_ONCE(machine$rcu_gp))
}

const rcu_lock = machine$rcu_lock as Spinlock

export function rcu_init(): void {
  spin_lock_init(rcu_lock, LOCK_CLASS_rcu)
}

/** This CPU begins to execute tasks (rcu_cpu_starting). */
export function rcu_cpu_starting(): void {
  spin_lock(rcu_lock)
  store(machine$nr_online, load(machine$nr_online) + 1)
  spin_unlock(rcu_lock)
  rcu_idle_exit()
}

/** Leaves a list of this CPU's to whoever is the last. Under rcu_lock. */
function rcu_orphan(list: number): void {
  let node = this_cpu_read(list)
  this_cpu_write(list, 0)
  while (node !== 0) {
    const next = load(rcu_next(node))
    store(rcu_next(node), load(machine$rcu_orphans))
    store(machine$rcu_orphans, node)
    node = next
  }
}

/**
 * This CPU leaves (rcu_report_dead, rcutree_migrate_callbacks): what it has not freed yet is an orphan. The last CPU frees
 * the orphans, for nobody reads any more; whoever begins meanwhile waits for the lock.
 */
export function rcu_report_dead(): void {
  rcu_idle_enter()
  spin_lock(rcu_lock)
  rcu_orphan(percpu$rcu_list)
  rcu_orphan(percpu$rcu_next_list)
  const online = load(machine$nr_online) - 1
  store(machine$nr_online, online)
  if (online === 0) {
    const orphans = load(machine$rcu_orphans)
    store(machine$rcu_orphans, 0)
    rcu_do_batch(orphans)
  }
  spin_unlock(rcu_lock)
}
