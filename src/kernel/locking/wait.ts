/**
 * Wait queues (kernel/sched/wait.c, 6.1): a FIFO of CPUs that sleep in the kernel until they are woken. Each sleeps on
 * the word percpu$waiter_granted of its own. The loop is the usual one:
 *
 *   prepare_to_wait_exclusive(wq, key)
 *   while (!condition) { schedule_wait(); if (!condition) prepare_to_wait_exclusive(wq, key) }
 *   finish_wait(wq)
 *
 * Waking takes a CPU off the queue. A CPU is on one queue at a time and sleeps for nothing else meanwhile: no semaphore
 * may be taken between prepare_to_wait and finish_wait (spinlocks may). Left out: callbacks (a key, compared for
 * equality, stands for them), signals, timeouts.
 */
import { atomic_load, atomic_store } from '#atomic'
import {
  load,
  per_cpu_ptr,
  READ_ONCE,
  smp_processor_id,
  store,
  this_cpu_ptr,
  this_cpu_read,
  this_cpu_write,
  WRITE_ONCE,
} from '../arch/access.ts'
import { observe_woken, observe_wakes } from '../arch/observe.ts'
import { percpu$waiter_granted, percpu$waiter_next, percpu$waiter_type } from '../arch/percpu.ts'
import {
  wait_queue_head$head,
  wait_queue_head$lock,
  wait_queue_head$tail,
  type Spinlock,
  type WaitQueueHead,
} from '../arch/structs.ts'
import { smp_cond_load, smp_wake_one } from '../arch/wait.ts'
import { spin_lock_init, spin_lock_irqsave, spin_unlock_irqrestore } from './spinlock.ts'

/** percpu$waiter_granted of a CPU that is on a queue, and after it was woken. */
export const WAIT_QUEUED = 0
export const WAIT_WOKEN = 1

export function init_waitqueue_head(wq: WaitQueueHead, lock_class: number): void {
  spin_lock_init((wq + wait_queue_head$lock) as Spinlock, lock_class)
  WRITE_ONCE(wq + wait_queue_head$head, 0)
  WRITE_ONCE(wq + wait_queue_head$tail, 0)
}

/** Whether anybody is on the queue. A hint, unless a full barrier lies between the waker's change and this look. */
export function waitqueue_active(wq: WaitQueueHead): boolean {
  return READ_ONCE(wq + wait_queue_head$head) !== 0
}

/** Puts this CPU at the end of the queue, to be woken for `key`. Under the queue's lock; the CPU is on no queue. */
export function __add_wait_queue_entry_tail(wq: WaitQueueHead, key: number): void {
  const me = smp_processor_id() + 1
  this_cpu_write(percpu$waiter_next, 0)
  this_cpu_write(percpu$waiter_type, key)
  WRITE_ONCE(this_cpu_ptr(percpu$waiter_granted), WAIT_QUEUED)
  const tail = load(wq + wait_queue_head$tail)
  if (tail === 0) WRITE_ONCE(wq + wait_queue_head$head, me)
  else store(per_cpu_ptr(percpu$waiter_next, tail - 1), me)
  store(wq + wait_queue_head$tail, me)
}

/**
 * Takes CPU `cpu` (+ 1) off the queue; `prev` (+ 1) is the one in front of it, 0 at the head. Under the queue's lock.
 */
export function __remove_wait_queue(wq: WaitQueueHead, prev: number, cpu: number): void {
  const next = load(per_cpu_ptr(percpu$waiter_next, cpu - 1))
  if (prev === 0) WRITE_ONCE(wq + wait_queue_head$head, next)
  else store(per_cpu_ptr(percpu$waiter_next, prev - 1), next)
  if (next === 0) store(wq + wait_queue_head$tail, prev)
}

/** Puts this CPU on the queue to be woken for `key` (0: for anything). The caller looks at its condition afterwards. */
export function prepare_to_wait_exclusive(wq: WaitQueueHead, key: number): void {
  const flags = spin_lock_irqsave((wq + wait_queue_head$lock) as Spinlock)
  __add_wait_queue_entry_tail(wq, key)
  spin_unlock_irqrestore((wq + wait_queue_head$lock) as Spinlock, flags)
}

/** Sleeps until somebody has taken this CPU off the queue. */
export function schedule_wait(): void {
  const granted = this_cpu_ptr(percpu$waiter_granted)
  if (READ_ONCE(granted) !== WAIT_QUEUED) return
  smp_cond_load(granted, WAIT_QUEUED)
  observe_woken()
}

/** Takes this CPU off the queue if it is still there; returns whether it was woken. */
export function finish_wait(wq: WaitQueueHead): boolean {
  if (atomic_load(this_cpu_ptr(percpu$waiter_granted)) !== WAIT_QUEUED) return true
  const flags = spin_lock_irqsave((wq + wait_queue_head$lock) as Spinlock)
  const woken = this_cpu_read(percpu$waiter_granted) !== WAIT_QUEUED
  if (!woken) {
    const me = smp_processor_id() + 1
    let prev = 0
    let cpu = load(wq + wait_queue_head$head)
    while (cpu !== me) {
      prev = cpu
      cpu = load(per_cpu_ptr(percpu$waiter_next, cpu - 1))
    }
    __remove_wait_queue(wq, prev, me)
    this_cpu_write(percpu$waiter_granted, WAIT_WOKEN)
  }
  spin_unlock_irqrestore((wq + wait_queue_head$lock) as Spinlock, flags)
  return woken
}

/** Wakes the first `nr` CPUs that wait for `key` or for anything; returns how many there were. */
export function __wake_up(wq: WaitQueueHead, key: number, nr: number): number {
  let woken = 0
  const flags = spin_lock_irqsave((wq + wait_queue_head$lock) as Spinlock)
  let prev = 0
  let cpu = load(wq + wait_queue_head$head)
  while (cpu !== 0 && woken < nr) {
    const next = load(per_cpu_ptr(percpu$waiter_next, cpu - 1))
    const waits_for = load(per_cpu_ptr(percpu$waiter_type, cpu - 1))
    if (waits_for === key || waits_for === 0) {
      __remove_wait_queue(wq, prev, cpu)
      wake_up_cpu(cpu - 1)
      woken++
    } else prev = cpu
    cpu = next
  }
  spin_unlock_irqrestore((wq + wait_queue_head$lock) as Spinlock, flags)
  return woken
}

/** Tells CPU `cpu`, which has been taken off its queue, to go on. Under the queue's lock. */
export function wake_up_cpu(cpu: number): void {
  const granted = per_cpu_ptr(percpu$waiter_granted, cpu)
  atomic_store(granted, WAIT_WOKEN)
  observe_wakes()
  smp_wake_one(granted)
}

/** Wakes the CPU that has waited longest. */
export function wake_up(wq: WaitQueueHead): void {
  __wake_up(wq, 0, 1)
}

/** Wakes every CPU on the queue. */
export function wake_up_all(wq: WaitQueueHead): void {
  __wake_up(wq, 0, 0x7fffffff)
}
