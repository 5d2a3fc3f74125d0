/**
 * The end of tasks, execve and waiting for children (kernel/exit.c, fs/exec.c, 6.1). A child that ends adds one to its
 * parent's zombies and is gone; its exit code is not kept. Left out: task_lock, whose part tasklist_lock has, and that
 * interrupts are off while a task's mm changes, since no interrupt here looks at it.
 */
import { MEMCG, SWAP } from '#config'
import { atomic_fetch_add } from '#atomic'
import { load, READ_ONCE, store, this_cpu_write, WRITE_ONCE } from './arch/access.ts'
import { BUG_ON } from './arch/bug.ts'
import { irq_enter_offline, irq_exit_parked } from './arch/irq.ts'
import { machine$nr_tasks, machine$tasklist_lock, machine$tasks, TASKS } from './arch/memory_map.ts'
import { percpu$current } from './arch/percpu.ts'
import { MAX_SWAPFILES, NR_TASKS } from './arch/limits.ts'
import type { Mm, Spinlock, Task } from './arch/structs.ts'
import {
  mm$brk,
  mm$memcg,
  mm$start_brk,
  task$__state,
  task$children,
  task$mm,
  task$nr_children,
  task$nr_zombies,
  task$oom_mm,
  task$oom_score_adj,
  task$parent,
  task$pid,
  task$sibling,
  task$sigkill,
  task$tasks,
  task$vfork_done,
  TASK_DEAD,
  TASK_IDLE,
  TASK_RUNNING,
  TASK_STOPPED,
  TASK_WORDS,
} from './arch/structs.ts'
import { switch_mm } from './arch/tlb.ts'
import { ECHILD, ENOMEM } from './errno.ts'
import { mm_alloc, mmput } from './fork.ts'
import { INIT_LIST_HEAD, list_add, list_del } from './lib/list.ts'
import { LOCK_CLASS_tasklist_lock } from './locking/lock_class.ts'
import { spin_lock, spin_lock_init, spin_lock_irq, spin_unlock, spin_unlock_irq } from './locking/spinlock.ts'
import { exit_oom_victim } from './mm/oom_kill.ts'
import { sync_mm_rss } from './mm/rss.ts'
import { anon_vma_slab_flush } from './mm/rmap/anon_vma.ts'
import { lru_add_drain } from './mm/swap.ts'
import { kmem_cache_free, POISON_FREE, task_struct_cachep } from './mm/slab.ts'
import { do_swapoff } from './mm/swapfile/swapoff.ts'
import { count_vm_event, EXECS, EXITS } from './mm/vmstat.ts'
import { rcu_cpu_starting, rcu_report_dead } from './rcu.ts'
import { enter_lazy_tlb, idle_task_exit } from './sched/active_mm.ts'
import {
  begin_operation,
  current,
  sched_empty,
  set_current_interruptible,
  set_current_running,
  set_special_state,
  wake_up_idle_cpus,
  wake_up_process,
} from './sched/core.ts'
import { syscall_result } from './mm/mmap/account.ts'

/** The lock of the ties between parents and children. */
export const tasklist_lock = machine$tasklist_lock as Spinlock

export function tasklist_init(): void {
  spin_lock_init(tasklist_lock, LOCK_CLASS_tasklist_lock)
  if (SWAP) INIT_LIST_HEAD(machine$tasks)
}

/** A vfork child leaves its parent's address space: the parent goes on (mm_release, complete_vfork_done). */
function mm_release(task: Task): void {
  if (load(task + task$vfork_done) === 0) return
  store(task + task$vfork_done, 0)
  spin_lock(tasklist_lock)
  const parent = load(task + task$parent) as Task
  if (parent !== 0) wake_up_process(parent)
  spin_unlock(tasklist_lock)
}

/** Makes `task` a child of `parent` (copy_process). Under no lock. */
export function add_child(parent: Task, task: Task): void {
  spin_lock_irq(tasklist_lock)
  store(task + task$parent, parent)
  store(task + task$sibling, load(parent + task$children))
  store(parent + task$children, task)
  if (SWAP) {
    list_add(task + task$tasks, machine$tasks)
    store(task + task$oom_score_adj, load(parent + task$oom_score_adj))
    // A thread of a victim is one, too.
    WRITE_ONCE(task + task$sigkill, READ_ONCE(parent + task$sigkill))
  }
  spin_unlock_irq(tasklist_lock)
}

/** Puts a task without a parent on the list of all tasks. */
export function add_to_tasks(task: Task): void {
  spin_lock_irq(tasklist_lock)
  list_add(task + task$tasks, machine$tasks)
  spin_unlock_irq(tasklist_lock)
}

/**
 * Gives the current task another address space (0: none), whose user it is; returns the one it had (exec_mmap,
 * exit_mm).
 */
function change_mm(task: Task, mm: Mm): Mm {
  const old = load(task + task$mm) as Mm
  // The OOM killer looks at it.
  if (SWAP) spin_lock(tasklist_lock)
  store(task + task$mm, mm)
  if (SWAP) spin_unlock(tasklist_lock)
  return old
}

/** Takes `task` off its parent's children (list_del of sibling). Under tasklist_lock. */
function remove_child(parent: Task, task: Task): void {
  const next = load(task + task$sibling)
  let child = load(parent + task$children)
  if (child === task) {
    store(parent + task$children, next)
    return
  }
  while (load(child + task$sibling) !== task) {
    child = load(child + task$sibling)
    BUG_ON(child === 0)
  }
  store(child + task$sibling, next)
}

/**
 * Nobody waits for the children of a task that is gone (forget_original_parent; Linux hands them to init). Under
 * tasklist_lock.
 */
function forget_original_parent(task: Task): void {
  for (let child = load(task + task$children); child !== 0; child = load(child + task$sibling))
    store(child + task$parent, 0)
}

/**
 * The current task is no user of its address space any more, which stays loaded until the CPU switches. A kernel thread
 * has none.
 */
function exit_mm(task: Task): void {
  const mm = load(task + task$mm) as Mm
  if (SWAP && mm === 0) return
  enter_lazy_tlb(mm)
  change_mm(task, 0 as Mm)
  mmput(mm)
}

/** Ends the current task. Its program returns right after. */
export function sys_exit(): void {
  begin_operation()
  const task = current()
  sync_mm_rss(task)
  mm_release(task)
  exit_mm(task)
  count_vm_event(EXITS)
  set_special_state(TASK_DEAD)
}

/** Frees a task that has left its CPU for the last time, and tells its parent (exit_notify, release_task). */
export function free_dead_task(task: Task): void {
  spin_lock_irq(tasklist_lock)
  const oom_mm = SWAP ? (load(task + task$oom_mm) as Mm) : (0 as Mm)
  const parent = load(task + task$parent) as Task
  if (parent !== 0) {
    remove_child(parent, task)
    atomic_fetch_add(parent + task$nr_zombies, 1)
    wake_up_process(parent)
  }
  forget_original_parent(task)
  if (SWAP) list_del(task + task$tasks)
  kmem_cache_free(task_struct_cachep, task)
  spin_unlock_irq(tasklist_lock)
  if (SWAP) exit_oom_victim(oom_mm)
  if (atomic_fetch_add(machine$nr_tasks, -1) === 1) wake_up_idle_cpus()
}

/**
 * Waits for a child's end: its number of children left, or -ECHILD without any; 0 with the task about to sleep when
 * none has ended yet, and then the program returns and calls again in its next turn.
 */
export function sys_wait(): number {
  begin_operation()
  const task = current()
  if (load(task + task$nr_children) === 0) return -ECHILD
  set_current_interruptible()
  if (READ_ONCE(task + task$nr_zombies) === 0) return 0
  set_current_running()
  atomic_fetch_add(task + task$nr_zombies, -1)
  return atomic_fetch_add(task + task$nr_children, -1)
}

/** Replaces the current task's address space by an empty one (begin_new_exec). Returns 0 or -ENOMEM. */
export function sys_execve(): number {
  begin_operation()
  const task = current()
  const mm = mm_alloc()
  if (mm === 0) return syscall_result(-ENOMEM)
  sync_mm_rss(task)
  switch_mm(mm)
  if (MEMCG) store(mm + mm$memcg, READ_ONCE(load(task + task$mm) + mm$memcg))
  const old = change_mm(task, mm)
  mm_release(task)
  mmput(old)
  count_vm_event(EXECS)
  return 0
}

/** Says where the heap of a fresh address space begins: page `start`; it is empty (set_brk, fs/binfmt_elf.c). */
export function set_brk(start: number): void {
  const mm = load(current() + task$mm) as Mm
  store(mm + mm$start_brk, start)
  store(mm + mm$brk, start)
}

/** Ends a task's sleep or stop, so that no exit puts a parent on the queue that exits itself, later on. */
function wake_task_at_rest(task: Task): void {
  const state = load(task + task$__state)
  if (state === TASK_STOPPED || state === TASK_IDLE) atomic_fetch_add(machine$nr_tasks, 1)
  store(task + task$__state, TASK_RUNNING)
}

function exit_task_at_rest(task: Task): void {
  this_cpu_write(percpu$current, task)
  sys_exit()
  idle_task_exit()
  this_cpu_write(percpu$current, 0)
  free_dead_task(task)
}

function task_at(i: number): Task {
  return (TASKS + i * TASK_WORDS) as Task
}

/** Whether the place has a task: it was used, and is not free. */
function is_task(i: number): boolean {
  const pid = load(task_at(i) + task$pid)
  return pid !== 0 && pid !== POISON_FREE
}

/**
 * Ends every task that is left and turns swap off, on this CPU, while the machine is at rest: what stays allocated then
 * was leaked.
 */
export function exit_all_tasks(): void {
  irq_exit_parked()
  rcu_cpu_starting()
  sched_empty()
  for (let i = 0; i < NR_TASKS; i++) if (is_task(i)) wake_task_at_rest(task_at(i))
  for (let i = 0; i < NR_TASKS; i++) if (is_task(i)) exit_task_at_rest(task_at(i))
  if (SWAP) for (let type = 0; type < MAX_SWAPFILES; type++) do_swapoff(type)
  if (SWAP) lru_add_drain()
  if (SWAP) anon_vma_slab_flush()
  rcu_report_dead()
  irq_enter_offline()
}
