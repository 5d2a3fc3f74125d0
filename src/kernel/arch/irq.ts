/**
 * Interrupts between CPUs (kernel/irq, arch/x86/kernel/smp.c, 6.1, as far as TLB shootdown needs them).
 *
 * An interrupt is taken only at poll points with interrupts on: at a user access, in the waiting primitive, at
 * local_irq_enable and cond_resched, and while waiting for an acknowledgement. Between two poll points a CPU runs
 * undisturbed, so that address translation and access are one step for whoever flushes.
 *
 * A CPU that parks, sleeps or idles with interrupts on says so in percpu$state. A sender counts it as having
 * acknowledged (CPU_PARKED becomes CPU_PARKED_FLUSH), and it empties its TLB before it goes on.
 *
 * Left out: vectors and priorities; the one interrupt there is asks for a TLB flush.
 */
import { STEPPED } from '#config'
import { atomic_fetch_and, atomic_fetch_or, atomic_load, cmpxchg, xchg } from '#atomic'
import { per_cpu_ptr, READ_ONCE, this_cpu_ptr, this_cpu_read, this_cpu_write } from './access.ts'
import { this_cpu } from './machine.ts'
import { percpu$in_irq, percpu$irq_pending, percpu$irqs_off, percpu$state } from './percpu.ts'
import { CPUMASK_WORDS } from './structs.ts'
import { flush_tlb_func, flush_tlb_local } from './tlb.ts'
import { kick_cpu } from './wait.ts'

export const CPU_RUNNING = 0
export const CPU_PARKED = 1
/** Parked, and asked to empty the TLB before it runs again. */
export const CPU_PARKED_FLUSH = 2
/** Outside the kernel: its TLB is empty, and nobody is there to take an interrupt. */
export const CPU_OFFLINE = 3

export function irqs_disabled(): boolean {
  return this_cpu_read(percpu$irqs_off) !== 0
}

/** Whether an interrupt waits for this CPU. */
export function irq_pending(): boolean {
  const pending = this_cpu_ptr(percpu$irq_pending)
  // Every access of a user asks here: a machine of up to 64 CPUs does so without a loop.
  if (CPUMASK_WORDS === 1) return READ_ONCE(pending) !== 0
  if (CPUMASK_WORDS === 2) return (READ_ONCE(pending) | READ_ONCE(pending + 1)) !== 0
  for (let word = 0; word < CPUMASK_WORDS; word++) if (READ_ONCE(pending + word) !== 0) return true
  return false
}

/** Takes the interrupts that are pending: each sending CPU's request once. */
export function do_IRQ(): void {
  this_cpu_write(percpu$in_irq, 1)
  const pending = this_cpu_ptr(percpu$irq_pending)
  for (let word = 0; word < CPUMASK_WORDS; word++) {
    let senders = xchg(pending + word, 0)
    while (senders !== 0) {
      const bit = 31 - Math.clz32(senders & -senders)
      senders &= senders - 1
      flush_tlb_func(32 * word + bit)
    }
  }
  this_cpu_write(percpu$in_irq, 0)
}

/**
 * A poll point: takes pending interrupts if interrupts are on. On the stepped machine the scheduler lets them happen
 * anywhere.
 */
export function poll_irq(): void {
  if (STEPPED) return
  if (irq_pending() && this_cpu_read(percpu$irqs_off) === 0 && this_cpu_read(percpu$in_irq) === 0) do_IRQ()
}

export function local_irq_disable(): void {
  this_cpu_write(percpu$irqs_off, 1)
}

export function local_irq_enable(): void {
  this_cpu_write(percpu$irqs_off, 0)
  poll_irq()
}

/** What interrupts are, for local_irq_restore. */
export function local_save_flags(): number {
  return this_cpu_read(percpu$irqs_off)
}

/** Turns interrupts off and returns what they were, for local_irq_restore. */
export function local_irq_save(): number {
  const flags = this_cpu_read(percpu$irqs_off)
  this_cpu_write(percpu$irqs_off, 1)
  return flags
}

export function local_irq_restore(flags: number): void {
  this_cpu_write(percpu$irqs_off, flags)
  if (flags === 0) poll_irq()
}

/**
 * Interrupts CPU `cpu`, which then runs flush_tlb_func for this CPU's request. Returns whether an acknowledgement will
 * come: a parked CPU has acknowledged already, one outside the kernel needs no flush.
 */
export function send_IPI(cpu: number): boolean {
  const state = per_cpu_ptr(percpu$state, cpu)
  if (cmpxchg(state, CPU_PARKED, CPU_PARKED_FLUSH) !== CPU_RUNNING) return false
  const pending = per_cpu_ptr(percpu$irq_pending, cpu) + (this_cpu >> 5)
  const bit = 1 << (this_cpu & 31)
  atomic_fetch_or(pending, bit)
  const now = atomic_load(state)
  // It has left meanwhile: the request is withdrawn, unless the CPU took it on its way out.
  if (now === CPU_OFFLINE) return (atomic_fetch_and(pending, ~bit) & bit) === 0
  if (now !== CPU_RUNNING) kick_cpu(cpu)
  return true
}

/** Says that this CPU is about to halt with interrupts on. */
export function irq_enter_parked(): void {
  xchg(this_cpu_ptr(percpu$state), CPU_PARKED)
}

/**
 * Says that this CPU leaves the kernel, without an address space and with an empty TLB; takes what was asked of it
 * before.
 */
export function irq_enter_offline(): void {
  xchg(this_cpu_ptr(percpu$state), CPU_OFFLINE)
  if (irq_pending()) do_IRQ()
}

/** Says that this CPU runs again, and applies the flush that was asked of it meanwhile. */
export function irq_exit_parked(): void {
  if (xchg(this_cpu_ptr(percpu$state), CPU_RUNNING) === CPU_PARKED_FLUSH) flush_tlb_local()
}
