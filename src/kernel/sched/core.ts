/**
 * Run queues and the CPUs' main loop (kernel/sched/core.c, 6.1, much reduced). A task is a program with an mm; a CPU
 * switches tasks only between turns of programs, so no stack ever has to be kept. A task that waits for an event of its
 * program is on no CPU and no queue; whoever causes the event puts it on one.
 *
 * Each CPU has a FIFO queue under its own rq->lock. Which one a task joins is chosen when it is made or woken, and a
 * CPU that finds its queue empty takes a task from another's (fair.ts). What a task waits for is a word (futex.ts) or
 * an event of its own. pi_lock orders those who wake one task; the queue's lock, a waker against the task that goes to
 * sleep.
 *
 * Left out: classes, priorities, preemption by whoever is woken, balancing of CPUs that are all busy, wake lists.
 */
import { NR_CPUS, SWAP, TICK } from '#config'
import { program } from '#scenario'
import { atomic_fetch_add, atomic_load, atomic_store } from '#atomic'
import { load, READ_ONCE, store, this_cpu_read, this_cpu_write, WRITE_ONCE } from '../arch/access.ts'
import { BUG_ON } from '../arch/bug.ts'
import { irq_enter_offline, irq_exit_parked, poll_irq } from '../arch/irq.ts'
import { this_cpu } from '../arch/machine.ts'
import {
  machine$nr_cpus,
  machine$nr_idle,
  machine$nr_tasks,
  machine$overload,
  machine$stop,
} from '../arch/memory_map.ts'
import { observe_turn } from '../arch/observe.ts'
import {
  percpu$current,
  percpu$held_count,
  percpu$irqs_off,
  percpu$need_resched,
  percpu$operations,
  percpu$tick,
} from '../arch/percpu.ts'
import type { Mm, Rq, Spinlock, Task } from '../arch/structs.ts'
import {
  rq$curr,
  rq$event,
  rq$head,
  rq$idle,
  rq$lock,
  rq$nr_running,
  rq$tail,
  task$__state,
  task$cpu,
  task$mm,
  task$on_cpu,
  task$on_rq,
  task$pi_lock,
  task$run_next,
  task$wait_word,
  TASK_DEAD,
  TASK_IDLE,
  TASK_INTERRUPTIBLE,
  TASK_RUNNING,
  TASK_STOPPED,
} from '../arch/structs.ts'
import { check_panic, smp_cond_load, smp_wake, smp_wake_one } from '../arch/wait.ts'
import { LOCK_CLASS_pi_lock, LOCK_CLASS_rq_lock } from '../locking/lock_class.ts'
import { spin_lock_init, spin_lock_irqsave, spin_unlock_irqrestore } from '../locking/spinlock.ts'
import { anon_vma_slab_flush } from '../mm/rmap/anon_vma.ts'
import { lru_add_drain } from '../mm/swap.ts'
import { CONTEXT_SWITCHES, count_vm_event } from '../mm/vmstat.ts'
import { free_dead_task, sys_exit } from '../exit.ts'
import {
  rcu_cpu_starting,
  rcu_idle_enter,
  rcu_idle_exit,
  rcu_note_context_switch,
  rcu_report_dead,
} from '../rcu.ts'
import { fatal_signal_pending } from '../signal.ts'
import { context_switch, finish_task_switch, idle_task_exit } from './active_mm.ts'
import { cpu_rq, newidle_balance, select_task_rq, select_task_rq_fork } from './fair.ts'
import { futex_init, futex_unqueue } from './futex.ts'

export function sched_init(): void {
  for (let cpu = 0; cpu < NR_CPUS; cpu++) spin_lock_init(rq_lockp(cpu_rq(cpu)), LOCK_CLASS_rq_lock)
  futex_init()
}

/** Takes every task off its queue, while the machine is at rest. */
export function sched_empty(): void {
  for (let cpu = 0; cpu < NR_CPUS; cpu++) {
    store(cpu_rq(cpu) + rq$head, 0)
    store(cpu_rq(cpu) + rq$tail, 0)
    store(cpu_rq(cpu) + rq$nr_running, 0)
  }
}

function this_rq(): Rq {
  return cpu_rq(this_cpu)
}

function rq_lockp(rq: Rq): Spinlock {
  return (rq + rq$lock) as Spinlock
}

/** The task that this CPU executes. */
export function current(): Task {
  return this_cpu_read(percpu$current) as Task
}

/**
 * Counts an operation of the program: a user access, a system call, a lock/unlock pair. Every TICK of them the timer
 * ticks.
 */
export function begin_operation(): void {
  this_cpu_write(percpu$operations, this_cpu_read(percpu$operations) + 1)
  const left = this_cpu_read(percpu$tick) - 1
  this_cpu_write(percpu$tick, left > 0 ? left : TICK)
  if (left <= 0) this_cpu_write(percpu$need_resched, 1)
}

/** Whether the current task has had its time, or one that goes before it was woken. */
export function need_resched(): boolean {
  return this_cpu_read(percpu$need_resched) !== 0
}

/**
 * A place where the kernel may be interrupted or would give up the CPU: takes interrupts, forgets need_resched; a
 * quiescent state.
 */
export function cond_resched(): void {
  poll_irq()
  rcu_note_context_switch()
  this_cpu_write(percpu$need_resched, 0)
}

// Queues. Under rq->lock; what is read without it is written by WRITE_ONCE.

/** Puts a task at the end of a queue. */
export function enqueue_task(rq: Rq, task: Task): void {
  store(task + task$run_next, 0)
  const tail = load(rq + rq$tail)
  if (tail === 0) store(rq + rq$head, task)
  else store(tail + task$run_next, task)
  store(rq + rq$tail, task)
  WRITE_ONCE(rq + rq$nr_running, load(rq + rq$nr_running) + 1)
}

/** Takes the first task off a queue; 0 if it is empty. */
export function dequeue_task(rq: Rq): Task {
  const task = load(rq + rq$head) as Task
  if (task === 0) return task
  store(rq + rq$head, load(task + task$run_next))
  if (load(task + task$run_next) === 0) store(rq + rq$tail, 0)
  WRITE_ONCE(rq + rq$nr_running, load(rq + rq$nr_running) - 1)
  return task
}

/** Has a CPU that idles look at its queue (resched_curr). */
function resched_cpu(rq: Rq): void {
  if (atomic_load(rq + rq$idle) === 0) return
  atomic_fetch_add(rq + rq$event, 1)
  smp_wake_one(rq + rq$event)
}

/** Has one idle CPU look for a task that it could take from another (kick_ilb). */
function kick_ilb(): void {
  const nr_cpus = load(machine$nr_cpus)
  for (let cpu = 0; cpu < nr_cpus; cpu++)
    if (atomic_load(cpu_rq(cpu) + rq$idle) !== 0) return resched_cpu(cpu_rq(cpu))
}

/** Puts a task that is on no queue on that of CPU `cpu` (ttwu_queue, activate_task). Under its pi_lock. */
function activate_task(task: Task, cpu: number): void {
  const rq = cpu_rq(cpu)
  const flags = spin_lock_irqsave(rq_lockp(rq))
  WRITE_ONCE(task + task$cpu, cpu)
  WRITE_ONCE(task + task$on_rq, 1)
  enqueue_task(rq, task)
  const waiting = load(rq + rq$nr_running) > 1 || load(rq + rq$curr) !== 0
  spin_unlock_irqrestore(rq_lockp(rq), flags)
  resched_cpu(rq)
  if (!waiting) return
  // It waits for its turn. Whoever goes idle looks here after it has said that it does: one of the two sees the other.
  if (atomic_load(machine$overload) === 0) atomic_store(machine$overload, 1)
  if (atomic_load(machine$nr_idle) !== 0) kick_ilb()
}

function pi_lockp(task: Task): Spinlock {
  return (task + task$pi_lock) as Spinlock
}

/** A task that nobody else knows yet (sched_fork). */
export function sched_fork(task: Task): void {
  spin_lock_init(pi_lockp(task), LOCK_CLASS_pi_lock)
}

/** Makes the first task, which nobody has queued, this CPU's (init_idle). */
export function set_init_task(task: Task): void {
  WRITE_ONCE(task + task$cpu, this_cpu)
  WRITE_ONCE(task + task$on_rq, 1)
  WRITE_ONCE(this_rq() + rq$curr, task)
  this_cpu_write(percpu$current, task)
}

/** Lets a new task run. */
export function wake_up_new_task(task: Task): void {
  const flags = spin_lock_irqsave(pi_lockp(task))
  WRITE_ONCE(task + task$__state, TASK_RUNNING)
  activate_task(task, select_task_rq_fork())
  spin_unlock_irqrestore(pi_lockp(task), flags)
}

/**
 * Wakes a task that has not left its CPU yet: that one finds it running when its turn ends. False: it has. Under its
 * pi_lock.
 */
function ttwu_runnable(task: Task): boolean {
  if (READ_ONCE(task + task$on_rq) === 0) return false
  const rq = cpu_rq(READ_ONCE(task + task$cpu))
  const flags = spin_lock_irqsave(rq_lockp(rq))
  const on_rq = READ_ONCE(task + task$on_rq) !== 0
  if (on_rq) WRITE_ONCE(task + task$__state, TASK_RUNNING)
  spin_unlock_irqrestore(rq_lockp(rq), flags)
  return on_rq
}

/** Lets a task that waits run again. */
export function try_to_wake_up(task: Task): void {
  const flags = spin_lock_irqsave(pi_lockp(task))
  const state = READ_ONCE(task + task$__state)
  if (state === TASK_INTERRUPTIBLE || state === TASK_IDLE) {
    if (state === TASK_IDLE) atomic_fetch_add(machine$nr_tasks, 1)
    if (!ttwu_runnable(task)) {
      // It is on no queue, and may be on its CPU still.
      for (let cpu = atomic_load(task + task$on_cpu); cpu !== 0;) cpu = smp_cond_load(task + task$on_cpu, cpu)
      WRITE_ONCE(task + task$__state, TASK_RUNNING)
      activate_task(task, select_task_rq(READ_ONCE(task + task$cpu)))
    }
  }
  spin_unlock_irqrestore(pi_lockp(task), flags)
}

/** Wakes a task that waits for an event. One that waits for a word is woken by that word alone (task_wake). */
export function wake_up_process(task: Task): void {
  if (READ_ONCE(task + task$wait_word) === 0) try_to_wake_up(task)
}

/** Lets a task that was sent a signal run, whatever it waits for. */
export function signal_wake_up(task: Task): void {
  try_to_wake_up(task)
}

/** Says what the current task does when its turn ends; nobody can wake it in between (set_special_state). */
export function set_special_state(state: number): void {
  const task = current()
  const flags = spin_lock_irqsave(pi_lockp(task))
  WRITE_ONCE(task + task$__state, state)
  spin_unlock_irqrestore(pi_lockp(task), flags)
}

/**
 * Says that the current task will wait when its turn ends, unless somebody wakes it before (smp_store_mb). The caller
 * looks at what it waits for after this, not before.
 */
export function set_current_interruptible(): void {
  atomic_store(current() + task$__state, TASK_INTERRUPTIBLE)
}

/** Takes that back. */
export function set_current_running(): void {
  WRITE_ONCE(current() + task$__state, TASK_RUNNING)
}

/**
 * The current task has done its work: it never runs again, but keeps its address space for whoever looks at the
 * machine.
 */
export function stop_task(): void {
  set_special_state(TASK_STOPPED)
  if (atomic_fetch_add(machine$nr_tasks, -1) === 1) wake_up_idle_cpus()
}

/** The task leaves this CPU: back to the queue if it can run. Under rq->lock. Returns its state. */
function put_prev_task(rq: Rq, task: Task): number {
  // With a signal it does not sleep (signal_pending_state).
  if (SWAP && fatal_signal_pending(task) && READ_ONCE(task + task$__state) === TASK_INTERRUPTIBLE)
    WRITE_ONCE(task + task$__state, TASK_RUNNING)
  const state = READ_ONCE(task + task$__state)
  if (state === TASK_RUNNING) enqueue_task(rq, task)
  return state
}

function task_mm(task: Task): Mm {
  return (task !== 0 ? load(task + task$mm) : 0) as Mm
}

/**
 * Switches this CPU from its current task (0: it is idle) to the first one of its queue if `pick`; without one it
 * idles. Until its address space is no longer loaded, or referenced, the former task is on this CPU: rq->lock keeps
 * from it who would take it from the queue, and on_cpu who would wake it (__schedule, prepare_task, finish_task).
 */
function __schedule(pick: boolean): void {
  const prev = current()
  const rq = this_rq()
  const flags = spin_lock_irqsave(rq_lockp(rq))
  const state = prev !== 0 ? put_prev_task(rq, prev) : TASK_RUNNING
  const next = pick ? dequeue_task(rq) : (0 as Task)
  if (state !== TASK_RUNNING) WRITE_ONCE(prev + task$on_rq, 0)
  const prev_mm = context_switch(task_mm(prev), task_mm(next))
  if (prev !== next) {
    if (prev !== 0) {
      atomic_store(prev + task$on_cpu, 0)
      smp_wake(prev + task$on_cpu)
    }
    if (next !== 0) WRITE_ONCE(next + task$on_cpu, this_cpu + 1)
  }
  WRITE_ONCE(rq + rq$curr, next)
  spin_unlock_irqrestore(rq_lockp(rq), flags)
  this_cpu_write(percpu$current, next)
  if (next !== 0) count_vm_event(CONTEXT_SWITCHES)
  finish_task_switch(prev_mm)
  if (state === TASK_DEAD) free_dead_task(prev)
}

/** Puts the first task, which set the machine up, on the queue. */
export function put_init_task(): void {
  __schedule(false)
}

/** An idle CPU takes the next task; false if there is none (schedule_idle). */
function schedule_idle(): boolean {
  if (READ_ONCE(this_rq() + rq$nr_running) === 0 && !newidle_balance()) return false
  __schedule(true)
  return current() !== 0
}

/** After a turn: the current task goes on, or gives way to another. */
function schedule(): void {
  poll_irq()
  rcu_note_context_switch()
  const task = current()
  const resched = this_cpu_read(percpu$need_resched) !== 0
  this_cpu_write(percpu$need_resched, 0)
  if (READ_ONCE(task + task$__state) !== TASK_RUNNING) __schedule(true)
  else if (resched && READ_ONCE(this_rq() + rq$nr_running) !== 0) __schedule(true)
}

/** Waits until there may be a task. */
function do_idle(): void {
  rcu_idle_enter()
  const rq = this_rq()
  const event = atomic_load(rq + rq$event)
  atomic_store(rq + rq$idle, 1)
  atomic_fetch_add(machine$nr_idle, 1)
  if (
    READ_ONCE(rq + rq$nr_running) === 0 &&
    atomic_load(machine$overload) === 0 &&
    atomic_load(machine$nr_tasks) !== 0 &&
    atomic_load(machine$stop) === 0
  )
    smp_cond_load(rq + rq$event, event)
  atomic_fetch_add(machine$nr_idle, -1)
  atomic_store(rq + rq$idle, 0)
  rcu_idle_exit()
}

/** Makes every idle CPU look whether the machine's work is done. */
export function wake_up_idle_cpus(): void {
  const nr_cpus = load(machine$nr_cpus)
  for (let cpu = 0; cpu < nr_cpus; cpu++) {
    const event = cpu_rq(cpu) + rq$event
    atomic_fetch_add(event, 1)
    smp_wake(event)
  }
}

/**
 * Executes tasks on this CPU until the machine stops or no task is left (cpu_startup_entry). May be called again: what
 * runs when the machine stops goes back to the queue.
 */
export function cpu_run(): void {
  irq_exit_parked()
  rcu_cpu_starting()
  if (this_cpu_read(percpu$tick) === 0) this_cpu_write(percpu$tick, TICK)
  while (READ_ONCE(machine$stop) === 0) {
    check_panic()
    if (current() === 0 && !schedule_idle()) {
      if (READ_ONCE(machine$nr_tasks) === 0) break
      do_idle()
      continue
    }
    // Whatever it waited for, it waits no more.
    futex_unqueue(current())
    observe_turn()
    if (SWAP && fatal_signal_pending(current())) sys_exit()
    else program()
    BUG_ON(this_cpu_read(percpu$held_count) !== 0 || this_cpu_read(percpu$irqs_off) !== 0)
    schedule()
  }
  if (current() !== 0) __schedule(false)
  if (SWAP) lru_add_drain()
  if (SWAP) anon_vma_slab_flush()
  idle_task_exit()
  poll_irq()
  rcu_report_dead()
  irq_enter_offline()
}
