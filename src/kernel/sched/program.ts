/**
 * What a scenario's program has at hand besides system calls: the registers of its task, which live from turn to turn,
 * random numbers that follow from the seed, and shared words of the scenario's own.
 */
import { per_cpu_ptr, private_load, private_store } from '../arch/access.ts'
import {
  machine$nr_cpus,
  machine$pages,
  machine$scenario,
  machine$section,
  machine$think,
  machine$turns,
  NR_SCENARIO_WORDS,
} from '../arch/memory_map.ts'
import { BUG_ON, BUG_SCENARIO_WORD } from '../arch/bug.ts'
import { machine_bug } from '../arch/machine.ts'
import { percpu$scenario } from '../arch/percpu.ts'
import { arch_random_below } from '../arch/random.ts'
import { NR_TASK_REGS, task$pid, task$program, task$reg, task$rng, task$turns } from '../arch/structs.ts'
import { current, stop_task } from './core.ts'

/** Which part the current task plays: the number it was forked or cloned with; 0: the first task. */
export function task_program(): number {
  return private_load(current() + task$program)
}

/** Register `i` of the current task, 0 to NR_TASK_REGS - 1. A child starts with its parent's. */
export function get_reg(i: number): number {
  BUG_ON(i >>> 0 >= NR_TASK_REGS)
  return private_load(current() + task$reg + i)
}

export function set_reg(i: number, value: number): void {
  BUG_ON(i >>> 0 >= NR_TASK_REGS)
  private_store(current() + task$reg + i, value)
}

/**
 * A random number of 0 to bound - 1, of the current task's own sequence (xorshift32, Marsaglia 2003). In a hunt each
 * execution makes another number of it.
 */
export function prandom(bound: number): number {
  const task = current()
  let x = private_load(task + task$rng)
  x ^= x << 13
  x ^= x >>> 17
  x ^= x << 5
  private_store(task + task$rng, x)
  return arch_random_below(private_load(task + task$pid), x, bound)
}

/** Bits of the fraction that prandom_exponential draws. */
const FRACTION_BITS = 16

/**
 * A random number of exponential distribution with this mean, in integers and comparisons alone (von Neumann 1951): a
 * falling run of odd length ends the search, and each one of even length adds the mean once.
 */
export function prandom_exponential(mean: number): number {
  for (let whole = 0; ; whole += mean) {
    const first = prandom(1 << FRACTION_BITS)
    let last = first
    let odd = true
    for (let next = prandom(1 << FRACTION_BITS); next < last; next = prandom(1 << FRACTION_BITS)) {
      last = next
      odd = !odd
    }
    if (odd) return whole + Math.floor((mean * first) / (1 << FRACTION_BITS))
  }
}

/** What the machine was told of the critical section and of the mean think time of a scenario, in ns; 0: nothing. */
export function section_ns(): number {
  return private_load(machine$section)
}

export function think_ns(): number {
  return private_load(machine$think)
}

/** Number of CPUs of the machine. */
export function nr_cpus(): number {
  return private_load(machine$nr_cpus)
}

/** Address of the scenario's shared word `i`, 0 to 15; each lies on a line of its own and starts as 0. */
export function scenario_word(i: number): number {
  if (i >>> 0 >= NR_SCENARIO_WORDS) machine_bug(BUG_SCENARIO_WORD, i, NR_SCENARIO_WORDS)
  return machine$scenario + i * 16
}

/** Address of the scenario's word of CPU `cpu`; each lies on a line of its own and starts as 0. */
export function scenario_percpu(cpu: number): number {
  return per_cpu_ptr(percpu$scenario, cpu)
}

/** Pages that the scenario works on: `own`, unless the machine was told another number. */
export function pages(own: number): number {
  const told = private_load(machine$pages)
  return told === 0 ? own : told
}

/**
 * Counts a turn of the current task. True: it has had as many as the machine gives each task, and is stopped; the
 * program returns. On a machine without such a limit never.
 */
export function last_turn(): boolean {
  const limit = private_load(machine$turns)
  if (limit === 0) return false
  const task = current()
  const turns = private_load(task + task$turns) + 1
  private_store(task + task$turns, turns)
  if (turns <= limit) return false
  stop_task()
  return true
}
