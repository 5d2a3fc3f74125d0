/**
 * The one waiting primitive: a CPU waits until a word changes. It spins for a while (a wait is mostly shorter than a
 * halt), then parks: it halts on its own wake word until whoever changes the word wakes it, or an interrupt does.
 * So more CPUs than cores make progress, as with paravirtual spinlocks (kernel/locking/qspinlock_paravirt.h, 6.1).
 *
 * A waker must find parked CPUs without a cost when there are none: PARKED counts them in buckets by waited-on word.
 *
 *   waiter                                  waker
 *   seq = wake
 *   parked_on = p; PARKED[p]++  (barrier)   *p = new              (barrier)
 *   if *p still old: halt while wake == seq if PARKED[p] != 0:
 *                                               for each CPU parked on p: parked_on = 0, wake++, notify
 */
import { atomic_fetch_add, atomic_load, cmpxchg } from '#atomic'
import {
  load,
  per_cpu_ptr,
  READ_ONCE,
  this_cpu_ptr,
  this_cpu_read,
  this_cpu_write,
  WRITE_ONCE,
} from './access.ts'
import { BUG_STOPPED } from './bug.ts'
import { cpu_notify, cpu_wait } from './halt.ts'
import { do_IRQ, irq_enter_parked, irq_exit_parked, irq_pending } from './irq.ts'
import { PARKED_BUCKETS } from './limits.ts'
import { machine_bug } from './machine.ts'
import { machine$nr_cpus, machine$panic, machine$spin_budget, PARKED } from './memory_map.ts'
import { percpu$in_irq, percpu$irqs_off, percpu$parked_on, percpu$waiting_on, percpu$wake } from './percpu.ts'

/** Halts never last longer than this many milliseconds before the machine's state is looked at again. */
const HALT_TIMEOUT = 1000

function parked_bucket(p: number): number {
  return PARKED + ((p ^ (p >>> 8)) & (PARKED_BUCKETS - 1))
}

/** Leaves the kernel if a BUG stopped the machine. */
export function check_panic(): void {
  if (READ_ONCE(machine$panic) !== 0) machine_bug(BUG_STOPPED, 0, 0)
}

/** Wakes CPU `cpu` from a halt, whatever it waits for. */
export function kick_cpu(cpu: number): void {
  const wake = per_cpu_ptr(percpu$wake, cpu)
  atomic_fetch_add(wake, 1)
  cpu_notify(wake)
}

/** Halts this CPU until the word at `p` may have changed, or an interrupt was taken. */
function park(p: number, old: number, interruptible: boolean): void {
  const bucket = parked_bucket(p)
  const wake = this_cpu_ptr(percpu$wake)
  // Before the claim below can be taken up: a kick in between must not be slept over, for whoever kicked has struck us
  // off.
  const seq = atomic_load(wake)
  WRITE_ONCE(this_cpu_ptr(percpu$parked_on), p)
  atomic_fetch_add(bucket, 1)
  if (interruptible) irq_enter_parked()
  if (atomic_load(p) === old && !(interruptible && irq_pending()) && atomic_load(machine$panic) === 0)
    cpu_wait(wake, seq, HALT_TIMEOUT)
  if (interruptible) irq_exit_parked()
  atomic_fetch_add(bucket, -1)
  WRITE_ONCE(this_cpu_ptr(percpu$parked_on), 0)
}

/**
 * Waits until the word at `p` differs from `old`; returns what it holds then. Takes interrupts meanwhile if they are
 * on. Whoever changes the word must call smp_wake or smp_wake_one afterwards.
 */
export function smp_cond_load(p: number, old: number): number {
  let value = atomic_load(p)
  if (value !== old) return value
  const interruptible = this_cpu_read(percpu$irqs_off) === 0 && this_cpu_read(percpu$in_irq) === 0
  const outer = this_cpu_read(percpu$waiting_on)
  this_cpu_write(percpu$waiting_on, p)
  let budget = load(machine$spin_budget)
  while (value === old) {
    if (interruptible && irq_pending()) do_IRQ()
    if (budget > 0) budget--
    else {
      check_panic()
      park(p, old, interruptible)
    }
    value = atomic_load(p)
  }
  this_cpu_write(percpu$waiting_on, outer)
  return value
}

/**
 * Between two attempts of a CPU that spins by writing to the word at `p`, which held `old`. Waits like smp_cond_load;
 * but on the clock it does not wait: there the attempts go on, and disturb whoever needs the line.
 */
export function cpu_relax(p: number, old: number): void {
  smp_cond_load(p, old)
}

function wake_parked(p: number, most: number): void {
  const nr_cpus = load(machine$nr_cpus)
  for (let cpu = 0; cpu < nr_cpus && most > 0; cpu++) {
    const parked_on = per_cpu_ptr(percpu$parked_on, cpu)
    // Claimed by whoever kicks it, so that the next waker picks another.
    if (READ_ONCE(parked_on) !== p || cmpxchg(parked_on, p, 0) !== p) continue
    kick_cpu(cpu)
    most--
  }
}

/** Wakes every CPU parked on the word at `p`, which the caller has just changed by an atomic operation. */
export function smp_wake(p: number): void {
  if (atomic_load(parked_bucket(p)) !== 0) wake_parked(p, load(machine$nr_cpus))
}

/** Wakes one CPU parked on the word at `p`, which the caller has just changed by an atomic operation. */
export function smp_wake_one(p: number): void {
  if (atomic_load(parked_bucket(p)) !== 0) wake_parked(p, 1)
}
