/**
 * Tasks that wait for a word (kernel/futex/core.c, waitwake.c, 6.1): hashed buckets, each a lock and a list. A waiter
 * looks at the word under the lock that its waker takes. Whoever is woken otherwise takes itself off the list before
 * its next turn. Left out: the count of waiters that spares a waker the lock, priorities, requeueing, a wake-up after
 * the lock was dropped (wake_q).
 */
import { atomic_fetch_add, atomic_load } from '#atomic'
import { load, READ_ONCE, store, WRITE_ONCE } from '../arch/access.ts'
import { NR_FUTEX_QUEUES } from '../arch/limits.ts'
import { FUTEX_QUEUES, machine$nr_tasks } from '../arch/memory_map.ts'
import type { FutexQueue, Spinlock, Task } from '../arch/structs.ts'
import {
  futex_queue$chain,
  futex_queue$lock,
  FUTEX_QUEUE_WORDS,
  task$__state,
  task$futex_next,
  task$wait_word,
  TASK_IDLE,
  TASK_INTERRUPTIBLE,
} from '../arch/structs.ts'
import { LOCK_CLASS_futex_queue } from '../locking/lock_class.ts'
import { spin_lock, spin_lock_init, spin_unlock } from '../locking/spinlock.ts'
import { current, try_to_wake_up, wake_up_idle_cpus } from './core.ts'

export function futex_init(): void {
  for (let i = 0; i < NR_FUTEX_QUEUES; i++)
    spin_lock_init(
      (FUTEX_QUEUES + i * FUTEX_QUEUE_WORDS + futex_queue$lock) as Spinlock,
      LOCK_CLASS_futex_queue,
    )
}

/** The bucket of the word at `p` (futex_hash). */
function futex_hash(p: number): FutexQueue {
  return (FUTEX_QUEUES + ((p ^ (p >>> 4)) & (NR_FUTEX_QUEUES - 1)) * FUTEX_QUEUE_WORDS) as FutexQueue
}

/** Puts the current task, in state `state`, on the list of those that wait for a word. Under the bucket's lock. */
function futex_queue(hb: FutexQueue, p: number, state: number): void {
  const task = current()
  WRITE_ONCE(task + task$wait_word, p)
  store(task + task$futex_next, load(hb + futex_queue$chain))
  store(hb + futex_queue$chain, task)
  WRITE_ONCE(task + task$__state, state)
}

/**
 * Lets the current task wait until the word at `p` differs from `old`. True: it will sleep when its turn ends, and the
 * program returns now and looks again in its next turn. False: the word differs already.
 */
export function task_wait(p: number, old: number): boolean {
  const hb = futex_hash(p)
  spin_lock((hb + futex_queue$lock) as Spinlock)
  const sleep = atomic_load(p) === old
  if (sleep) futex_queue(hb, p, TASK_INTERRUPTIBLE)
  spin_unlock((hb + futex_queue$lock) as Spinlock)
  return sleep
}

/** The same for a kernel thread with nothing to do: as long as it waits, the machine's work may end without it. */
export function task_wait_idle(p: number, old: number): void {
  const hb = futex_hash(p)
  let last = false
  spin_lock((hb + futex_queue$lock) as Spinlock)
  if (atomic_load(p) === old) {
    futex_queue(hb, p, TASK_IDLE)
    last = atomic_fetch_add(machine$nr_tasks, -1) === 1
  }
  spin_unlock((hb + futex_queue$lock) as Spinlock)
  if (last) wake_up_idle_cpus()
}

/** Wakes every task that waits for the word at `p`, which the caller has changed (futex_wake). */
export function task_wake(p: number): void {
  const hb = futex_hash(p)
  spin_lock((hb + futex_queue$lock) as Spinlock)
  let link = hb + futex_queue$chain
  for (let task = load(link) as Task; task !== 0; task = load(link) as Task) {
    if (READ_ONCE(task + task$wait_word) === p) {
      store(link, load(task + task$futex_next))
      WRITE_ONCE(task + task$wait_word, 0)
      try_to_wake_up(task)
    } else link = task + task$futex_next
  }
  spin_unlock((hb + futex_queue$lock) as Spinlock)
}

/** Takes a task, no longer asleep, off the list of its word, if it is on one. A waker may do so at any time. */
export function futex_unqueue(task: Task): void {
  const word = READ_ONCE(task + task$wait_word)
  if (word === 0) return
  const hb = futex_hash(word)
  spin_lock((hb + futex_queue$lock) as Spinlock)
  if (READ_ONCE(task + task$wait_word) === word) {
    let link = hb + futex_queue$chain
    while (load(link) !== task) link = load(link) + task$futex_next
    store(link, load(task + task$futex_next))
    WRITE_ONCE(task + task$wait_word, 0)
  }
  spin_unlock((hb + futex_queue$lock) as Spinlock)
}
