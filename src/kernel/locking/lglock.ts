/**
 * Local/global locks (kernel/lglock.c, 3.12; include/linux/lglock.h there: br_read_lock and br_write_lock): a spinlock
 * for each CPU. A reader takes its own CPU's, which nobody else wants; a writer takes all, in the order of the CPUs.
 * Left out: lg_local_lock_cpu; lock_stat counts acquisitions, and no waits.
 *
 * An lglock is LG_LOCK_WORDS words: its lockdep word on the first line, then a line for each CPU.
 */
import { LOCK_STAT, NR_CPUS } from '#config'
import { arch_spin_lock, arch_spin_lock_init, arch_spin_unlock } from '#spinlock'
import { load, smp_processor_id } from '../arch/access.ts'
import { machine$nr_cpus } from '../arch/memory_map.ts'
import { LOCK_READ, observe_lock_init, observe_lock_wanted } from '../arch/observe.ts'
import type { Spinlock } from '../arch/structs.ts'
import { lockdep_init_map } from './lock_stat.ts'
import { lock_acquire, lock_release } from './lockdep.ts'

/** Words from one CPU's lock to the next: a line. */
const LG_LINE = 16
export const LG_LOCK_WORDS = (1 + NR_CPUS) * LG_LINE

function lg_cpu_lock(lg: number, cpu: number): Spinlock {
  return (lg + (1 + cpu) * LG_LINE) as Spinlock
}

export function lg_lock_init(lg: number, lock_class: number): void {
  for (let cpu = 0; cpu < NR_CPUS; cpu++) arch_spin_lock_init(lg_cpu_lock(lg, cpu))
  observe_lock_init(lg, lock_class)
  if (LOCK_STAT) lockdep_init_map(lg + 1, lock_class)
}

/** Takes this CPU's part. */
export function lg_local_lock(lg: number): void {
  observe_lock_wanted(lg)
  arch_spin_lock(lg_cpu_lock(lg, smp_processor_id()))
  lock_acquire(lg, lg + 1, 0, 0, LOCK_READ)
}

export function lg_local_unlock(lg: number): void {
  lock_release(lg)
  arch_spin_unlock(lg_cpu_lock(lg, smp_processor_id()))
}

/** Takes the parts of all CPUs that exist. */
export function lg_global_lock(lg: number): void {
  observe_lock_wanted(lg)
  const nr_cpus = load(machine$nr_cpus)
  for (let cpu = 0; cpu < nr_cpus; cpu++) arch_spin_lock(lg_cpu_lock(lg, cpu))
  lock_acquire(lg, lg + 1, 0, 0, 0)
}

export function lg_global_unlock(lg: number): void {
  lock_release(lg)
  const nr_cpus = load(machine$nr_cpus)
  for (let cpu = 0; cpu < nr_cpus; cpu++) arch_spin_unlock(lg_cpu_lock(lg, cpu))
}
