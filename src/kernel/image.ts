/**
 * The entry of an image: what the host may call. Everything else is reached from here and from the scenario.
 */
import { NR_CPUS, SWAP } from '#config'
import { setup } from '#scenario'
import { load, per_cpu_ptr, store, this_cpu_write } from './arch/access.ts'
import { CPU_OFFLINE, irq_enter_offline, irq_exit_parked } from './arch/irq.ts'
import { machine$nr_cpus, machine$zero_page } from './arch/memory_map.ts'
import { percpu$rcu_qs, percpu$state, percpu$tick } from './arch/percpu.ts'
import { pfn_to_page } from './arch/pgtable.ts'
import { switch_mm } from './arch/tlb.ts'
import type { Mm } from './arch/structs.ts'
import { task$mm } from './arch/structs.ts'
import { ENOMEM } from './errno.ts'
import { create_init } from './fork.ts'
import { tasklist_init } from './exit.ts'
import { ptlock_area_init } from './locking/ptlock_area.ts'
import { oom_init } from './mm/oom_kill.ts'
import { free_area_init, prefill_pcplists } from './mm/page_alloc.ts'
import { pagecache_init } from './mm/page_lock.ts'
import { kmem_cache_init } from './mm/slab.ts'
import { lru_add_drain, lruvec_init } from './mm/swap.ts'
import { swap_init } from './mm/swapfile/swapon.ts'
import { RCU_IDLE, rcu_init } from './rcu.ts'
import { idle_task_exit } from './sched/active_mm.ts'
import { current, put_init_task, sched_init } from './sched/core.ts'

export { cpu_run } from './sched/core.ts'
export { exit_all_tasks } from './exit.ts'
export { do_IRQ } from './arch/irq.ts'
export { drain_local_pages } from './mm/page_alloc.ts'

/** Page frames of the kernel itself: number 0, which no entry may name, and the zero page. */
const KERNEL_PAGES = 2

/**
 * Lays out memory that is all zero; the host has set machine$nr_cpus, machine$spin_budget and machine$seed. On CPU 0.
 */
export function start_kernel(): void {
  for (let cpu = 0; cpu < NR_CPUS; cpu++) {
    store(per_cpu_ptr(percpu$state, cpu), CPU_OFFLINE)
    store(per_cpu_ptr(percpu$rcu_qs, cpu), RCU_IDLE)
  }
  this_cpu_write(percpu$tick, 1 << 30)
  kmem_cache_init()
  free_area_init(KERNEL_PAGES)
  store(machine$zero_page, pfn_to_page(1))
  ptlock_area_init()
  pagecache_init()
  if (SWAP) lruvec_init()
  if (SWAP) oom_init()
  rcu_init()
  if (SWAP) swap_init()
  sched_init()
  tasklist_init()
}

/**
 * Runs the scenario's setup as the first task, on CPU 0. Returns 0, or a negative errno if it could not be set up:
 * -ENOMEM when the machine's memory is too small for it.
 */
export function scenario_setup(): number {
  irq_exit_parked()
  let ret = create_init() ? -ENOMEM : 0
  if (ret === 0) {
    switch_mm(load(current() + task$mm) as Mm)
    ret = setup()
    put_init_task()
  }
  this_cpu_write(percpu$tick, 0)
  prefill_pcplists(load(machine$nr_cpus))
  if (SWAP) lru_add_drain()
  idle_task_exit()
  irq_enter_offline()
  return ret
}
