/**
 * CPUs that sleep in the kernel, and who wakes them (kernel/sched/core.c: set_current_state, schedule, wake_q_add,
 * wake_up_q, 6.1). A sleeper says that it will sleep, looks once more at what it waits for, and sleeps until its state
 * is set back:
 *
 *   sleeper                            waker
 *   set_current_uninterruptible()      condition = true
 *   if (condition) …                   wake_q_add(cpu)
 *   schedule_uninterruptible()         wake_up_q(), after its locks are dropped
 *
 * A task does not leave its CPU while it is in the kernel, so CPUs stand for tasks. A CPU is in one wake_q at a time:
 * who adds it a second time leaves the wake-up to the first, who has yet to come. Left out: references to tasks, states
 * that signals end.
 */
import { atomic_store, cmpxchg, xchg } from '#atomic'
import {
  per_cpu_ptr,
  READ_ONCE,
  this_cpu_ptr,
  this_cpu_read,
  this_cpu_write,
  WRITE_ONCE,
} from '../arch/access.ts'
import { observe_woken, observe_wakes } from '../arch/observe.ts'
import {
  percpu$cpu_state,
  percpu$wake_q_first,
  percpu$wake_q_last,
  percpu$wake_q_next,
} from '../arch/percpu.ts'
import { smp_cond_load, smp_wake_one } from '../arch/wait.ts'

/** percpu$cpu_state of a CPU that runs, and of one that sleeps or is about to. */
export const CPU_RUNS = 0
export const CPU_SLEEPS = 1

/** percpu$wake_q_next of the last in a wake_q. */
const WAKE_Q_TAIL = -1

/** Says that this CPU will sleep; a full barrier before the look at the condition. */
export function set_current_uninterruptible(): void {
  atomic_store(this_cpu_ptr(percpu$cpu_state), CPU_SLEEPS)
}

/** Takes that back: the condition holds. */
export function __set_current_running(): void {
  WRITE_ONCE(this_cpu_ptr(percpu$cpu_state), CPU_RUNS)
}

/** Sleeps until somebody has woken this CPU since set_current_uninterruptible. */
export function schedule_uninterruptible(): void {
  const state = this_cpu_ptr(percpu$cpu_state)
  if (READ_ONCE(state) === CPU_RUNS) return
  smp_cond_load(state, CPU_SLEEPS)
  observe_woken()
}

/** Whether CPU `cpu` runs; false while it sleeps in the kernel (task->on_cpu). */
export function cpu_runs(cpu: number): boolean {
  return READ_ONCE(per_cpu_ptr(percpu$cpu_state, cpu)) === CPU_RUNS
}

/** Wakes CPU `cpu` if it sleeps (try_to_wake_up). */
function wake_up_sleeper(cpu: number): void {
  const state = per_cpu_ptr(percpu$cpu_state, cpu)
  if (xchg(state, CPU_RUNS) === CPU_RUNS) return
  observe_wakes()
  smp_wake_one(state)
}

/** Begins an empty wake_q; a CPU has one (DEFINE_WAKE_Q). */
export function wake_q_init(): void {
  this_cpu_write(percpu$wake_q_first, 0)
}

/** Whether nobody is in this CPU's wake_q. */
export function wake_q_empty(): boolean {
  return this_cpu_read(percpu$wake_q_first) === 0
}

/** Puts CPU `cpu` at the end of this CPU's wake_q, unless it is in another one already. */
export function wake_q_add(cpu: number): void {
  if (cmpxchg(per_cpu_ptr(percpu$wake_q_next, cpu), 0, WAKE_Q_TAIL) !== 0) return
  if (wake_q_empty()) this_cpu_write(percpu$wake_q_first, cpu + 1)
  else WRITE_ONCE(per_cpu_ptr(percpu$wake_q_next, this_cpu_read(percpu$wake_q_last) - 1), cpu + 1)
  this_cpu_write(percpu$wake_q_last, cpu + 1)
}

/** Wakes all CPUs of this CPU's wake_q. */
export function wake_up_q(): void {
  let cpu = this_cpu_read(percpu$wake_q_first)
  while (cpu !== 0) {
    const link = per_cpu_ptr(percpu$wake_q_next, cpu - 1)
    const next = READ_ONCE(link)
    // From here on it can be added again.
    WRITE_ONCE(link, 0)
    wake_up_sleeper(cpu - 1)
    cpu = next === WAKE_Q_TAIL ? 0 : next
  }
  wake_q_init()
}
