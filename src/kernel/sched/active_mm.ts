/**
 * The address space that a CPU has loaded while its task has none of its own (kernel/sched/core.c: context_switch,
 * finish_task_switch; kernel/exit.c: exit_mm, 6.1). A kernel thread, an idle CPU and a task that has left its mm go on
 * with what the CPU has loaded: lazy TLB. percpu$active_mm names it, and has a reference (mm_count), since its last
 * user may end on another CPU meanwhile; the reference is dropped after the next address space has been loaded, never
 * before.
 *
 * Left out: is_lazy and tlb_gen, by which x86 spares a lazy CPU the interrupts of flushes (since 4.20): it takes them
 * like any other.
 */
import { this_cpu_read, this_cpu_write } from '../arch/access.ts'
import { percpu$active_mm } from '../arch/percpu.ts'
import type { Mm } from '../arch/structs.ts'
import { switch_mm } from '../arch/tlb.ts'
import { mmdrop, mmgrab } from '../fork.ts'

/**
 * The CPU goes on with `mm`, which it has loaded, without being its user (mmgrab_lazy_tlb; enter_lazy_tlb has nothing
 * to do here).
 */
export function enter_lazy_tlb(mm: Mm): void {
  mmgrab(mm)
  this_cpu_write(percpu$active_mm, mm)
}

/**
 * Switches from a task with the address space `prev` to one with `next` (each 0: a kernel thread, or idle). Under
 * rq->lock. Returns rq->prev_mm: what finish_task_switch drops; 0: nothing.
 */
export function context_switch(prev: Mm, next: Mm): Mm {
  if (next === 0) {
    if (prev !== 0) enter_lazy_tlb(prev)
    return next
  }
  switch_mm(next)
  if (prev !== 0) return 0 as Mm
  const prev_mm = this_cpu_read(percpu$active_mm) as Mm
  this_cpu_write(percpu$active_mm, 0)
  return prev_mm
}

/** After the switch, without rq->lock: the reference of a CPU that was lazy goes. */
export function finish_task_switch(prev_mm: Mm): void {
  if (prev_mm !== 0) mmdrop(prev_mm)
}

/** This CPU, which has no task, has no address space any more either (idle_task_exit). */
export function idle_task_exit(): void {
  switch_mm(0 as Mm)
  finish_task_switch(this_cpu_read(percpu$active_mm) as Mm)
  this_cpu_write(percpu$active_mm, 0)
}
