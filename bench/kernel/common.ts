/**
 * For the benchmark: the little program that tools are compared by. Each CPU, twice: lock, read, write, unlock; then
 * one read without the lock. bench/kernel/common.patch runs it without the run queue, so that its ten steps are all
 * that there is.
 */
import { BUG_ON, READ_ONCE, scenario_word, WRITE_ONCE } from 'mmtorture/kernel'
import { arch_spin_lock, arch_spin_unlock } from '#spinlock'
import type { Spinlock } from '../../src/kernel/arch/structs.ts'

const TIMES = 2

export function setup(): number {
  return 0
}

export function program(): void {
  const lock = scenario_word(0) as Spinlock
  const counter = scenario_word(1)
  for (let i = 0; i < TIMES; i++) {
    arch_spin_lock(lock)
    WRITE_ONCE(counter, READ_ONCE(counter) + 1)
    arch_spin_unlock(lock)
  }
  BUG_ON(READ_ONCE(counter) < TIMES)
}
