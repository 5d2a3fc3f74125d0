/**
 * SIGKILL, the one signal that is sent (kernel/signal.c, 6.1). It is pending from when it is sent; a task that has one
 * faults no more, sleeps no more, and exits before its next turn, as on the way back to user mode. Left out: every
 * other signal; faults' SIGSEGV and SIGBUS are only returned to the program.
 */
import { READ_ONCE, WRITE_ONCE } from './arch/access.ts'
import type { Task } from './arch/structs.ts'
import { task$sigkill } from './arch/structs.ts'
import { signal_wake_up } from './sched/core.ts'

/** Whether the task is about to die. */
export function fatal_signal_pending(task: Task): boolean {
  return READ_ONCE(task + task$sigkill) !== 0
}

/** Sends SIGKILL to a task. Under tasklist_lock. */
export function send_sigkill(task: Task): void {
  WRITE_ONCE(task + task$sigkill, 1)
  signal_wake_up(task)
}
