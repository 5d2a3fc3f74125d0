/**
 * The abstract spinlock: a word that is taken and released, each in one step. The stepped machine does not run a CPU
 * that wants a taken one, so that searches need not explore spinning. Natively it is a test-and-set lock.
 */
import { atomic_store, cmpxchg } from '#atomic'
import { READ_ONCE } from './access.ts'
import { smp_cond_load, smp_wake_one } from './wait.ts'

/** Takes the word at `p`; waits until it is free. */
export function acquire_word(p: number): void {
  while (cmpxchg(p, 0, 1) !== 0) if (READ_ONCE(p) !== 0) smp_cond_load(p, 1)
}

/** Takes the word at `p` if it is free: 1, else 0. */
export function try_acquire_word(p: number): number {
  return cmpxchg(p, 0, 1) === 0 ? 1 : 0
}

export function release_word(p: number): void {
  atomic_store(p, 0)
  smp_wake_one(p)
}
