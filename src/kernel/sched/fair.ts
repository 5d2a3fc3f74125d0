/**
 * Which run queue a task joins, and what a CPU without a task does (kernel/sched/fair.c, 6.1, much reduced):
 * select_task_rq_fair, find_idlest_cpu, newidle_balance. A task that is woken goes back to its CPU if that idles, else
 * to one that does; a new one to the CPU with the fewest tasks; a CPU that finds its queue empty takes the first task
 * that waits in the longest of the others. Left out: domains (every CPU is as near as any other), load averages, wake
 * affinity, periodic balancing of busy CPUs.
 */
import { atomic_load, atomic_store } from '#atomic'
import { load, READ_ONCE, WRITE_ONCE } from '../arch/access.ts'
import { this_cpu } from '../arch/machine.ts'
import { machine$nr_cpus, machine$nr_idle, machine$overload, RQ } from '../arch/memory_map.ts'
import type { Rq, Spinlock } from '../arch/structs.ts'
import { rq$curr, rq$lock, rq$nr_running, RQ_WORDS, task$cpu } from '../arch/structs.ts'
import { spin_lock_irqsave, spin_unlock_irqrestore } from '../locking/spinlock.ts'
import { dequeue_task, enqueue_task } from './core.ts'

/** The run queue of CPU `cpu`. */
export function cpu_rq(cpu: number): Rq {
  return (RQ + cpu * RQ_WORDS) as Rq
}

/** Tasks that a CPU executes or has waiting. A hint. */
function cpu_load(cpu: number): number {
  const rq = cpu_rq(cpu)
  return READ_ONCE(rq + rq$nr_running) + (READ_ONCE(rq + rq$curr) === 0 ? 0 : 1)
}

function next_cpu(cpu: number): number {
  return cpu + 1 === load(machine$nr_cpus) ? 0 : cpu + 1
}

/** The CPU for a task that last ran on `prev`. */
export function select_task_rq(prev: number): number {
  if (cpu_load(prev) === 0) return prev
  if (atomic_load(machine$nr_idle) === 0) return prev
  for (let cpu = next_cpu(prev); cpu !== prev; cpu = next_cpu(cpu)) if (cpu_load(cpu) === 0) return cpu
  return prev
}

/** The CPU for a new task: the one with the fewest, this one before others (find_idlest_cpu). */
export function select_task_rq_fork(): number {
  let idlest = this_cpu
  let least = cpu_load(this_cpu)
  for (let cpu = next_cpu(this_cpu); cpu !== this_cpu && least > 0; cpu = next_cpu(cpu)) {
    const tasks = cpu_load(cpu)
    if (tasks >= least) continue
    least = tasks
    idlest = cpu
  }
  return idlest
}

/**
 * Moves a task that waits elsewhere to this CPU's queue, which is empty. False: there was none. Takes one queue's lock
 * at a time.
 */
export function newidle_balance(): boolean {
  if (atomic_load(machine$overload) === 0) return false
  // Before the look: a task that comes to wait after it says so again.
  atomic_store(machine$overload, 0)
  let busiest = -1
  let most = 1
  for (let cpu = next_cpu(this_cpu); cpu !== this_cpu; cpu = next_cpu(cpu)) {
    const tasks = cpu_load(cpu)
    if (tasks <= most) continue
    most = tasks
    busiest = cpu
  }
  if (busiest < 0) return false
  // There may be more of them.
  atomic_store(machine$overload, 1)
  return move_task(cpu_rq(busiest), cpu_rq(this_cpu))
}

/** Moves the first task that waits in one queue to another (detach_tasks, attach_tasks). */
function move_task(from: Rq, to: Rq): boolean {
  const from_lock = (from + rq$lock) as Spinlock
  const flags = spin_lock_irqsave(from_lock)
  const task = dequeue_task(from)
  if (task !== 0) WRITE_ONCE(task + task$cpu, this_cpu)
  spin_unlock_irqrestore(from_lock, flags)
  if (task === 0) return false
  const to_lock = (to + rq$lock) as Spinlock
  const to_flags = spin_lock_irqsave(to_lock)
  enqueue_task(to, task)
  spin_unlock_irqrestore(to_lock, to_flags)
  return true
}
