/**
 * Atomic read-modify-write operations by the Atomics builtins (ATOMICS=js). All are sequentially consistent, as x86's
 * locked instructions are. About 10 ns a call. Models include/linux/atomic/atomic-instrumented.h, 6.1; left out: 64-bit
 * and relaxed forms.
 */
import { memory } from './machine.ts'

export function atomic_load(p: number): number {
  return Atomics.load(memory, p)
}

export function atomic_store(p: number, value: number): void {
  Atomics.store(memory, p, value)
}

/** Adds `value`, returns what was there before. */
export function atomic_fetch_add(p: number, value: number): number {
  return Atomics.add(memory, p, value)
}

export function atomic_fetch_and(p: number, value: number): number {
  return Atomics.and(memory, p, value)
}

export function atomic_fetch_or(p: number, value: number): number {
  return Atomics.or(memory, p, value)
}

export function xchg(p: number, value: number): number {
  return Atomics.exchange(memory, p, value)
}

/** Stores `value` if the word holds `expected`; returns what it held. */
export function cmpxchg(p: number, expected: number, value: number): number {
  return Atomics.compareExchange(memory, p, expected, value)
}
