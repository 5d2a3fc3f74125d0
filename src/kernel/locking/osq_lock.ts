/**
 * The queue of those who spin for a sleeping lock (kernel/locking/osq_lock.c, 6.1): an MCS lock of one word, whose
 * nodes lie in the per-CPU areas. Only its head looks at the lock itself. Left out: leaving the queue (need_resched,
 * vcpu_is_preempted), since the head's patience ends and a waiter halts meanwhile (arch/wait.ts).
 */
import { atomic_store, cmpxchg, xchg } from '#atomic'
import { per_cpu_ptr, READ_ONCE, smp_processor_id, this_cpu_ptr, WRITE_ONCE } from '../arch/access.ts'
import { percpu$osq_locked, percpu$osq_next } from '../arch/percpu.ts'
import { smp_cond_load, smp_wake_one } from '../arch/wait.ts'

/** Takes the lock whose tail is the word at `tail`: CPU + 1, 0 when it is free. */
export function osq_lock(tail: number): void {
  const me = smp_processor_id() + 1
  WRITE_ONCE(this_cpu_ptr(percpu$osq_locked), 0)
  WRITE_ONCE(this_cpu_ptr(percpu$osq_next), 0)
  const prev = xchg(tail, me)
  if (prev === 0) return
  const link = per_cpu_ptr(percpu$osq_next, prev - 1)
  atomic_store(link, me)
  smp_wake_one(link)
  smp_cond_load(this_cpu_ptr(percpu$osq_locked), 0)
}

/** Gives it to the next in the queue. */
export function osq_unlock(tail: number): void {
  const me = smp_processor_id() + 1
  if (cmpxchg(tail, me, 0) === me) return
  let next = READ_ONCE(this_cpu_ptr(percpu$osq_next))
  if (next === 0) next = smp_cond_load(this_cpu_ptr(percpu$osq_next), 0)
  const locked = per_cpu_ptr(percpu$osq_locked, next - 1)
  atomic_store(locked, 1)
  smp_wake_one(locked)
}
