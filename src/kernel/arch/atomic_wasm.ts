/**
 * The same operations as atomic.ts through a small WebAssembly module on the same memory (ATOMICS=wasm): the same
 * locked instructions at about 4 ns a call. Halting is arch/halt.ts in both.
 */
import { wasm } from './machine.ts'

export function atomic_load(p: number): number {
  return wasm.load(p)
}

export function atomic_store(p: number, value: number): void {
  wasm.store(p, value)
}

export function atomic_fetch_add(p: number, value: number): number {
  return wasm.add(p, value)
}

export function atomic_fetch_and(p: number, value: number): number {
  return wasm.and(p, value)
}

export function atomic_fetch_or(p: number, value: number): number {
  return wasm.or(p, value)
}

export function xchg(p: number, value: number): number {
  return wasm.xchg(p, value)
}

export function cmpxchg(p: number, expected: number, value: number): number {
  return wasm.cmpxchg(p, expected, value)
}
