/**
 * Read-copy update (kernel/rcu/tree.c, tree_plugin.h, 6.1, reduced to what the model needs): rcu_read_lock, call_rcu,
 * synchronize_rcu. What was given to call_rcu is freed when every CPU has passed a quiescent state since; a grace
 * period may so begin and end while another CPU is in the middle of a system call. What is freed so are nodes of
 * xarrays (lib/xarray.ts), with VMA_LOCK VMAs, with SWAP anon_vmas whose slab is given back (mm/rmap/anon_vma.ts).
 *
 * The semantics are those of preemptible RCU (CONFIG_PREEMPT_RCU, which PREEMPT_DYNAMIC brings): every point outside a
 * section of rcu_read_lock is quiescent, in the kernel, in a user's program, asleep and idle. Linux finds a running CPU
 * there by its tick, which may come between any two instructions. On the stepped machine whoever waits for the grace
 * period looks at the CPU's nesting. On real threads a CPU tells by itself, between two turns, in cond_resched and when
 * it idles: seldomer, but in the same places.
 *
 * Left out: the tree of CPUs, expedited and polled grace periods, preempted readers (no reader gives up its CPU), and
 * that sections with preemption or interrupts off are readers as well (since 4.20): nothing here relies on it.
 */
import { STEPPED, SWAP, VMA_LOCK } from '#config'
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
import { smp_store_release } from './arch/barrier.ts'
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
  percpu$rcu_need_qs,
  percpu$rcu_needed,
  percpu$rcu_nesting,
  percpu$rcu_next_list,
  percpu$rcu_qs,
} from './arch/percpu.ts'
import type { KmemCache, Spinlock } from './arch/structs.ts'
import { anon_vma$rcu_next, rcu_head$next } from './arch/structs.ts'
import { smp_cond_load, smp_wake } from './arch/wait.ts'
import { LOCK_CLASS_rcu } from './locking/lock_class.ts'
import { spin_lock_init, spin_lock_irqsave, spin_unlock_irqrestore } from './locking/spinlock.ts'
import { anon_vma_cachep, kmem_cache_free, vm_area_cachep, xa_node_cachep } from './mm/slab.ts'

/** A CPU that reads nothing under RCU: idle, or outside the kernel. */
export const RCU_IDLE = -1

/** Begins a section in which nothing given to call_rcu is freed that can still be found. */
export function rcu_read_lock(): void {
  this_cpu_add(percpu$rcu_nesting, 1)
}

/** Ends it; whoever waits for the end of the outermost one is woken (rcu_read_unlock_special). */
export function rcu_read_unlock(): void {
  const nesting = this_cpu_read(percpu$rcu_nesting) - 1
  // Release: whoever finds no section comes after what was read in it.
  if (STEPPED) smp_store_release(this_cpu_ptr(percpu$rcu_nesting), nesting)
  else this_cpu_write(percpu$rcu_nesting, nesting)
  if (nesting === 0 && READ_ONCE(this_cpu_ptr(percpu$rcu_need_qs)) !== 0)
    rcu_report_qs(READ_ONCE(machine$rcu_gp))
}

/**
 * Says that this CPU has passed a quiescent state in grace period `gp`; RCU_IDLE: it passes one until it says
 * otherwise.
 */
function rcu_report_qs(gp: number): void {
  const qs = this_cpu_ptr(percpu$rcu_qs)
  atomic_store(qs, gp)
  if (READ_ONCE(this_cpu_ptr(percpu$rcu_need_qs)) === 0) return
  atomic_store(this_cpu_ptr(percpu$rcu_need_qs), 0)
  smp_wake(qs)
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

/** Whether the CPU has been outside a section since grace period `needed` began, or is so now. */
function rcu_cpu_passed(cpu: number, needed: number): boolean {
  const qs = atomic_load(per_cpu_ptr(percpu$rcu_qs, cpu))
  if (qs === RCU_IDLE || qs - needed >= 0) return true
  return STEPPED !== 0 && atomic_load(per_cpu_ptr(percpu$rcu_nesting, cpu)) === 0
}

function grace_period_over(needed: number): boolean {
  const nr_cpus = load(machine$nr_cpus)
  for (let cpu = 0; cpu < nr_cpus; cpu++) if (!rcu_cpu_passed(cpu, needed)) return false
  return true
}

/** Waits until the CPU has passed a quiescent state. */
function rcu_wait_cpu(cpu: number, needed: number): void {
  const qs = per_cpu_ptr(percpu$rcu_qs, cpu)
  for (;;) {
    const seen = atomic_load(qs)
    atomic_store(per_cpu_ptr(percpu$rcu_need_qs, cpu), 1)
    // After the request: a section that ends from here on sees it.
    if (rcu_cpu_passed(cpu, needed)) return
    smp_cond_load(qs, seen)
  }
}

/** Waits for a grace period: every section that was open at the call has ended. Sleeps; not inside a section. */
export function synchronize_rcu(): void {
  BUG_ON(this_cpu_read(percpu$rcu_nesting) !== 0)
  const needed = atomic_fetch_add(machine$rcu_gp, 1) + 1
  const nr_cpus = load(machine$nr_cpus)
  // Asleep: another CPU's grace period does not wait for this one.
  rcu_idle_enter()
  for (let cpu = 0; cpu < nr_cpus; cpu++) rcu_wait_cpu(cpu, needed)
  rcu_idle_exit()
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

/**
 * Between two turns, and where a task would give up its CPU: what was removed before cannot be found from here on
 * (rcu_note_context_switch).
 */
export function rcu_note_context_switch(): void {
  BUG_ON(this_cpu_read(percpu$rcu_nesting) !== 0)
  const gp = READ_ONCE(machine$rcu_gp)
  if (this_cpu_read(percpu$rcu_qs) !== gp) rcu_report_qs(gp)
  if (this_cpu_read(percpu$rcu_list) !== 0) rcu_core()
}

/** This CPU reads nothing from now on (rcu_idle_enter). */
export function rcu_idle_enter(): void {
  rcu_report_qs(RCU_IDLE)
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
  const flags = spin_lock_irqsave(rcu_lock)
  store(machine$nr_online, load(machine$nr_online) + 1)
  spin_unlock_irqrestore(rcu_lock, flags)
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
 * This CPU leaves (rcu_report_dead, rcutree_migrate_callbacks): what it has not freed yet is an orphan. The last CPU
 * frees the orphans, for nobody reads any more; whoever begins meanwhile waits for the lock.
 */
export function rcu_report_dead(): void {
  rcu_idle_enter()
  const flags = spin_lock_irqsave(rcu_lock)
  rcu_orphan(percpu$rcu_list)
  rcu_orphan(percpu$rcu_next_list)
  const online = load(machine$nr_online) - 1
  store(machine$nr_online, online)
  if (online === 0) {
    const orphans = load(machine$rcu_orphans)
    store(machine$rcu_orphans, 0)
    rcu_do_batch(orphans)
  }
  spin_unlock_irqrestore(rcu_lock, flags)
}
