/**
 * Memory barriers and acquire/release accesses (include/asm-generic/barrier.h, 6.1). Natively the plain barriers cost
 * nothing: x86 keeps stores in order and loads in order, and the JIT does not move accesses across calls of Atomics.
 * They are here for KCSAN: a marked write publishes what came before the last of them, a marked read acquires it.
 */
import { atomic_fetch_add, atomic_load, atomic_store } from '#atomic'
import { this_cpu_ptr } from './access.ts'
import { percpu$barrier } from './percpu.ts'

/** Orders this CPU's earlier stores before its later ones. */
export function smp_wmb(): void {}

/** Orders this CPU's earlier loads before its later ones. */
export function smp_rmb(): void {}

/** Full barrier: x86 uses a locked add to the stack, this a locked add to a word of the CPU's own. */
export function smp_mb(): void {
  atomic_fetch_add(this_cpu_ptr(percpu$barrier), 0)
}

export function smp_load_acquire(p: number): number {
  return atomic_load(p)
}

export function smp_store_release(p: number, value: number): void {
  atomic_store(p, value)
}
