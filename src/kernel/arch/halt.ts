/**
 * Halting a CPU on a word and waking it: the host's futex. With atomic.ts the only kernel file that names Atomics.
 */
import { memory } from './machine.ts'

/** Halts this CPU while the word at `p` holds `old`, until cpu_notify(p) or `timeout` milliseconds have passed. */
export function cpu_wait(p: number, old: number, timeout: number): void {
  Atomics.wait(memory, p, old, timeout)
}

/** Wakes the CPU halted on the word at `p`. */
export function cpu_notify(p: number): void {
  Atomics.notify(memory, p, 1)
}
