/**
 * The run queue and the CPUs' main loop (kernel/sched/core.c, 6.1, much reduced). A task is a program with an mm; a CPU
 * switches tasks only between turns of programs, so no stack ever has to be kept. A task that waits for an event of its
 * program is on no CPU and no queue; whoever causes the event puts it back.
 *
 * One FIFO queue for all CPUs under rq->lock. Left out: classes, priorities, load balancing.
 */
import { SWAP, TICK } from '#config'
import { program } from '#scenario'
import { atomic_fetch_add, atomic_load } from '#atomic'
import { load, READ_ONCE, store, this_cpu_read, this_cpu_write, WRITE_ONCE } from '../arch/access.ts'
import { BUG_ON } from '../arch/bug.ts'
import { irq_enter_offline, irq_exit_parked, poll_irq } from '../arch/irq.ts'
import { this_cpu } from '../arch/machine.ts'
import { machine$nr_tasks, machine$stop, RQ } from '../arch/memory_map.ts'
import {
  percpu$current,
  percpu$held_count,
  percpu$irqs_off,
  percpu$need_resched,
  percpu$operations,
  percpu$tick,
} from '../arch/percpu.ts'
import type { Mm, Spinlock, Task } from '../arch/structs.ts'
import {
  rq$event,
  rq$head,
  rq$lock,
  rq$nr_idle,
  rq$nr_running,
  rq$tail,
  rq$waiting,
  task$__state,
  task$mm,
  task$on_cpu,
  task$run_next,
  task$wait_word,
  TASK_DEAD,
  TASK_IDLE,
  TASK_INTERRUPTIBLE,
  TASK_RUNNING,
  TASK_STOPPED,
} from '../arch/structs.ts'
import { check_panic, smp_cond_load, smp_wake, smp_wake_one } from '../arch/wait.ts'
import { LOCK_CLASS_rq_lock } from '../locking/lock_class.ts'
import { spin_lock, spin_lock_init, spin_unlock } from '../locking/spinlock.ts'
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

const rq_lock = (RQ + rq$lock) as Spinlock

export function sched_init(): void {
  spin_lock_init(rq_lock, LOCK_CLASS_rq_lock)
}

/** The task that this CPU executes. */
export function current(): Task {
  return this_cpu_read(percpu$current) as Task
}

/** Counts an operation of the program: a user access, a system call, a lock/unlock pair. Every TICK of them the timer ticks. */
export function begin_operation(): void {
  this_cpu_write(percpu$operations, this_cpu_read(percpu$operations) + 1)
  const left = this_cpu_read(percpu$tick) - 1
  this_cpu_write(percpu$tick, left > 0 ? left : TICK)
  if (left <= 0) this_cpu_write(percpu$need_resched, 1)
}

/** A place where the kernel may be interrupted or would give up the CPU: takes interrupts, forgets need_resched; a quiescent state. */
export function cond_resched(): void {
  poll_irq()
  rcu_note_context_switch()
  this_cpu_write(percpu$need_resched, 0)
}

/** Wakes an idle CPU, if there is one. */
function resched_idle_cpu(): void {
  if (atomic_load(RQ + rq$nr_idle) === 0) return
  atomic_fetch_add(RQ + rq$event, 1)
  smp_wake_one(RQ + rq$event)
}

function enqueue_task(task: Task): void {
  store(task + task$run_next, 0)
  const tail = load(RQ + rq$tail)
  if (tail === 0) store(RQ + rq$head, task)
  else store(tail + task$run_next, task)
  store(RQ + rq$tail, task)
  WRITE_ONCE(RQ + rq$nr_running, load(RQ + rq$nr_running) + 1)
}

function dequeue_task(): Task {
  const task = load(RQ + rq$head) as Task
  if (task === 0) return task
  store(RQ + rq$head, load(task + task$run_next))
  if (load(task + task$run_next) === 0) store(RQ + rq$tail, 0)
  WRITE_ONCE(RQ + rq$nr_running, load(RQ + rq$nr_running) - 1)
  return task
}

/** Lets a new task run (wake_up_new_task). */
export function wake_up_new_task(task: Task): void {
  spin_lock(rq_lock)
  WRITE_ONCE(task + task$__state, TASK_RUNNING)
  enqueue_task(task)
  spin_unlock(rq_lock)
  resched_idle_cpu()
}

/** Lets a task that waits run again; under rq->lock. Returns whether an idle CPU should look. */
function try_to_wake_up(task: Task): boolean {
  const state = READ_ONCE(task + task$__state)
  if (state !== TASK_INTERRUPTIBLE && state !== TASK_IDLE) return false
  if (state === TASK_IDLE) atomic_fetch_add(machine$nr_tasks, 1)
  WRITE_ONCE(task + task$__state, TASK_RUNNING)
  // Still on its CPU: that one finds it running when its turn ends.
  if (load(task + task$on_cpu) !== 0) return false
  enqueue_task(task)
  return true
}

/** Wakes a task that waits for an event. One that waits for a word is woken by that word alone (task_wake). */
export function wake_up_process(task: Task): void {
  spin_lock(rq_lock)
  const woken = load(task + task$wait_word) === 0 && try_to_wake_up(task)
  spin_unlock(rq_lock)
  if (woken) resched_idle_cpu()
}

/** Lets a task that was sent a signal run, whatever it waits for. */
export function signal_wake_up(task: Task): void {
  spin_lock(rq_lock)
  if (load(task + task$wait_word) !== 0) remove_waiter(task)
  const woken = try_to_wake_up(task)
  spin_unlock(rq_lock)
  if (woken) resched_idle_cpu()
}

/** Takes a task off the list of those that wait for a word. Under rq->lock. */
function remove_waiter(task: Task): void {
  let link = RQ + rq$waiting
  while (load(link) !== task) link = load(link) + task$run_next
  store(link, load(task + task$run_next))
  store(task + task$wait_word, 0)
}

/**
 * Says that the current task will wait when its turn ends, unless somebody wakes it before. The caller looks at what it
 * waits for after this, not before.
 */
export function set_current_interruptible(): void {
  spin_lock(rq_lock)
  WRITE_ONCE(current() + task$__state, TASK_INTERRUPTIBLE)
  spin_unlock(rq_lock)
}

/** Takes that back. */
export function set_current_running(): void {
  spin_lock(rq_lock)
  WRITE_ONCE(current() + task$__state, TASK_RUNNING)
  spin_unlock(rq_lock)
}

/** The current task has done its work: it never runs again, but keeps its address space for whoever looks at the machine. */
export function stop_task(): void {
  const task = current()
  spin_lock(rq_lock)
  WRITE_ONCE(task + task$__state, TASK_STOPPED)
  spin_unlock(rq_lock)
  if (atomic_fetch_add(machine$nr_tasks, -1) === 1) wake_up_idle_cpus()
}

/**
 * Lets the current task wait until the word at `p` differs from `old`: a futex. True: it will sleep when its turn ends, and
 * the program returns now and looks again in its next turn. False: the word differs already.
 */
export function task_wait(p: number, old: number): boolean {
  spin_lock(rq_lock)
  const sleep = atomic_load(p) === old
  if (sleep) add_waiter(p, TASK_INTERRUPTIBLE)
  spin_unlock(rq_lock)
  return sleep
}

/** The same for a kernel thread with nothing to do: as long as it waits, the machine's work may end without it. */
export function task_wait_idle(p: number, old: number): void {
  let last = false
  spin_lock(rq_lock)
  if (atomic_load(p) === old) {
    add_waiter(p, TASK_IDLE)
    last = atomic_fetch_add(machine$nr_tasks, -1) === 1
  }
  spin_unlock(rq_lock)
  if (last) wake_up_idle_cpus()
}

/** Puts the current task, in state `state`, on the list of those that wait for a word. Under rq->lock. */
function add_waiter(p: number, state: number): void {
  const task = current()
  WRITE_ONCE(task + task$__state, state)
  store(task + task$wait_word, p)
  store(task + task$run_next, load(RQ + rq$waiting))
  store(RQ + rq$waiting, task)
}

/** Wakes every task that waits for the word at `p`, which the caller has changed. */
export function task_wake(p: number): void {
  let woken = 0
  spin_lock(rq_lock)
  let link = RQ + rq$waiting
  for (let task = load(link) as Task; task !== 0; task = load(link) as Task) {
    if (load(task + task$wait_word) === p) {
      store(link, load(task + task$run_next))
      store(task + task$wait_word, 0)
      if (try_to_wake_up(task)) woken++
    } else link = task + task$run_next
  }
  spin_unlock(rq_lock)
  for (; woken > 0; woken--) resched_idle_cpu()
}

/** The task leaves this CPU: back to the queue if it can run. Under rq->lock. Returns its state. */
function put_prev_task(task: Task): number {
  // With a signal it does not sleep (signal_pending_state).
  if (SWAP && fatal_signal_pending(task) && load(task + task$__state) === TASK_INTERRUPTIBLE) {
    if (load(task + task$wait_word) !== 0) remove_waiter(task)
    WRITE_ONCE(task + task$__state, TASK_RUNNING)
  }
  const state = load(task + task$__state)
  if (state === TASK_RUNNING) enqueue_task(task)
  return state
}

function task_mm(task: Task): Mm {
  return (task !== 0 ? load(task + task$mm) : 0) as Mm
}

/**
 * Switches this CPU from its current task (0: it is idle) to the first one of the queue if `pick`; without one it idles. Until its
 * address space is no longer loaded, or referenced, the former task is on this CPU, and rq->lock keeps others from it (__schedule).
 */
function __schedule(pick: boolean): void {
  const prev = current()
  spin_lock(rq_lock)
  const state = prev !== 0 ? put_prev_task(prev) : TASK_RUNNING
  const next = pick ? dequeue_task() : (0 as Task)
  const prev_mm = context_switch(task_mm(prev), task_mm(next))
  if (prev !== 0) store(prev + task$on_cpu, 0)
  if (next !== 0) store(next + task$on_cpu, this_cpu + 1)
  spin_unlock(rq_lock)
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
  if (READ_ONCE(RQ + rq$nr_running) === 0) return false
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
  else if (resched && READ_ONCE(RQ + rq$nr_running) !== 0) __schedule(true)
}

/** Waits until there may be a task. */
function do_idle(): void {
  rcu_idle_enter()
  const event = atomic_load(RQ + rq$event)
  atomic_fetch_add(RQ + rq$nr_idle, 1)
  if (
    atomic_load(RQ + rq$nr_running) === 0 &&
    atomic_load(machine$nr_tasks) !== 0 &&
    atomic_load(machine$stop) === 0
  )
    smp_cond_load(RQ + rq$event, event)
  atomic_fetch_add(RQ + rq$nr_idle, -1)
  rcu_idle_exit()
}

/** Makes every idle CPU look whether the machine's work is done. */
export function wake_up_idle_cpus(): void {
  atomic_fetch_add(RQ + rq$event, 1)
  smp_wake(RQ + rq$event)
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
