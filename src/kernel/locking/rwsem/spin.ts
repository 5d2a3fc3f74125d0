/**
 * Optimistic spinning of writers (kernel/locking/rwsem.c, 6.1: rwsem_can_spin_on_owner, rwsem_spin_on_owner,
 * rwsem_optimistic_spin): a writer does not queue while the owner runs, since that one is likely to let go soon. Left
 * out: real-time tasks; that an owner which falls asleep is seen at once (it is when patience is over, or at the next
 * round).
 */
import { cmpxchg } from '#atomic'
import { load, READ_ONCE, this_cpu_read } from '../../arch/access.ts'
import { ktime_get_ns } from '../../arch/delay.ts'
import { poll_irq } from '../../arch/irq.ts'
import { machine$spin_patience } from '../../arch/memory_map.ts'
import { percpu$need_resched } from '../../arch/percpu.ts'
import { spin_while } from '../../arch/spin.ts'
import { rwsem$count, rwsem$osq, rwsem$owner, type Rwsem } from '../../arch/structs.ts'
import { check_panic } from '../../arch/wait.ts'
import { osq_lock, osq_unlock } from '../osq_lock.ts'
import { cpu_runs } from '../wake_q.ts'
import { RWSEM_FLAG_HANDOFF, RWSEM_LOCK_MASK, RWSEM_READER_SHIFT, RWSEM_WRITER_LOCKED } from './count.ts'
import {
  RWSEM_NONSPINNABLE,
  RWSEM_OWNER_SHIFT,
  RWSEM_READER_OWNED,
  rwsem_set_nonspinnable,
  rwsem_set_owner,
  rwsem_test_oflags,
} from './owner.ts'

/** Who owns it: nobody (or it is being taken), a writer, readers; or spinning makes no sense. */
export const OWNER_NULL = 1
export const OWNER_WRITER = 2
export const OWNER_READER = 4
export const OWNER_NONSPINNABLE = 8

/** Rounds between two looks at the time. */
const RSPIN_ROUNDS = 16
/** Readers that count for how long a writer spins: 10 us and half a microsecond for each. */
const RSPIN_READERS = 30
const RSPIN_BASE_NS = 10_000
const RSPIN_READER_NS = 500

/** Takes the lock before this CPU has been put on the queue, past those there, unless handoff forbids it. */
function rwsem_try_write_lock_unqueued(sem: Rwsem): boolean {
  let count = READ_ONCE(sem + rwsem$count)
  while ((count & (RWSEM_LOCK_MASK | RWSEM_FLAG_HANDOFF)) === 0) {
    const seen = cmpxchg(sem + rwsem$count, count, count | RWSEM_WRITER_LOCKED)
    if (seen === count) {
      rwsem_set_owner(sem)
      return true
    }
    count = seen
  }
  return false
}

/** Whether the writer that `owner` names sleeps. */
function owner_sleeps(owner: number): boolean {
  return (owner & RWSEM_READER_OWNED) === 0 && owner !== 0 && !cpu_runs((owner >> RWSEM_OWNER_SHIFT) - 1)
}

/** Whether it makes sense to begin. A reader's name may be stale, so it is not looked at. */
export function rwsem_can_spin_on_owner(sem: Rwsem): boolean {
  if (this_cpu_read(percpu$need_resched) !== 0) return false
  const owner = READ_ONCE(sem + rwsem$owner)
  return (owner & RWSEM_NONSPINNABLE) === 0 && !owner_sleeps(owner)
}

function rwsem_owner_state(owner: number): number {
  if ((owner & RWSEM_NONSPINNABLE) !== 0) return OWNER_NONSPINNABLE
  if ((owner & RWSEM_READER_OWNED) !== 0) return OWNER_READER
  return owner !== 0 ? OWNER_WRITER : OWNER_NULL
}

/** Waits while a writer that runs owns it; returns the state of the owner then (an OWNER_ constant). */
export function rwsem_spin_on_owner(sem: Rwsem): number {
  const owner = READ_ONCE(sem + rwsem$owner)
  const state = rwsem_owner_state(owner)
  if (state !== OWNER_WRITER) return state
  if (owner_sleeps(owner)) return OWNER_NONSPINNABLE
  const now = spin_while(sem + rwsem$owner, owner)
  return now === owner ? OWNER_NONSPINNABLE : rwsem_owner_state(now)
}

/** Until when a writer spins while readers own the lock. */
function rwsem_rspin_threshold(sem: Rwsem): number {
  const readers = Math.min(RSPIN_READERS, READ_ONCE(sem + rwsem$count) >> RWSEM_READER_SHIFT)
  return ktime_get_ns() + RSPIN_BASE_NS + readers * RSPIN_READER_NS
}

/** Whether a writer has spun on readers for long enough: by the time on the clock, else by its patience. */
function rspin_is_over(round: number, threshold: number): boolean {
  const patience = load(machine$spin_patience)
  if (patience !== 0) return round >= patience
  return round % RSPIN_ROUNDS === 0 && ktime_get_ns() > threshold
}

/** Spins for the lock, one CPU at a time; returns whether it has been taken. */
export function rwsem_optimistic_spin(sem: Rwsem): boolean {
  let taken = false
  let prev_owner_state = 0
  let round = 0
  let threshold = 0
  osq_lock(sem + rwsem$osq)
  for (;;) {
    const owner_state = rwsem_spin_on_owner(sem)
    if (owner_state === OWNER_NONSPINNABLE) break
    taken = rwsem_try_write_lock_unqueued(sem)
    if (taken) break
    if (owner_state !== OWNER_WRITER && prev_owner_state !== owner_state) {
      if (owner_state === OWNER_READER && rwsem_test_oflags(sem, RWSEM_NONSPINNABLE) !== 0) break
      threshold = rwsem_rspin_threshold(sem)
      round = 0
    } else if (owner_state !== OWNER_WRITER && rspin_is_over(++round, threshold)) {
      rwsem_set_nonspinnable(sem)
      break
    }
    if (owner_state !== OWNER_WRITER && this_cpu_read(percpu$need_resched) !== 0) break
    prev_owner_state = owner_state
    poll_irq()
    check_panic()
  }
  osq_unlock(sem + rwsem$osq)
  return taken
}
