/**
 * Memory charged to groups (mm/memcontrol.c, mm/page_counter.c, 6.1): a page of user memory counts against the limit of
 * the group of the mm that it is allocated for, until it is freed. At the limit the group's own pages are reclaimed,
 * then one of its processes is killed, then the allocation fails. A page belongs to the LRU lists of its group. Left
 * out: hierarchy, stocks of charges that a CPU keeps, kernel memory, soft limits, charges that move with a task, swap
 * accounting (a page that is swapped in is charged to who brings it in).
 */
import { atomic_fetch_add, atomic_load } from '#atomic'
import { load, READ_ONCE, store, WRITE_ONCE } from '../arch/access.ts'
import { VM_BUG_ON_PAGE } from '../arch/bug.ts'
import { LRUVECS, machine$nr_mem_cgroups, MEM_CGROUPS } from '../arch/memory_map.ts'
import type { Lruvec, MemCgroup, Mm, Page } from '../arch/structs.ts'
import {
  LRUVEC_WORDS,
  mem_cgroup$limit,
  mem_cgroup$usage,
  MEM_CGROUP_WORDS,
  mm$memcg,
  NR_MEM_CGROUPS,
  page$memcg_data,
  task$mm,
} from '../arch/structs.ts'
import { EINVAL, ENOMEM } from '../errno.ts'
import { begin_operation, current } from '../sched/core.ts'
import { fatal_signal_pending } from '../signal.ts'
import { out_of_memory } from './oom_kill.ts'
import { in_reclaim, should_reclaim_retry, try_to_free_pages } from './vmscan/reclaim.ts'
import { count_vm_event, MEMCG_MAX } from './vmstat.ts'

/**
 * Scans that freed nothing before somebody is killed (MAX_RECLAIM_RETRIES), and scans and victims before the charge
 * fails.
 */
const MEMCG_RECLAIM_RETRIES = 16
const MEMCG_CHARGE_LOOPS = 256

/** A group that may have `limit` pages. Returns it, or -ENOMEM if there are too many. */
export function mem_cgroup_create(limit: number): number {
  begin_operation()
  const id = atomic_fetch_add(machine$nr_mem_cgroups, 1)
  if (id >= NR_MEM_CGROUPS) return -ENOMEM
  const memcg = MEM_CGROUPS + id * MEM_CGROUP_WORDS
  store(memcg + mem_cgroup$limit, limit)
  return memcg
}

/** Puts the current process into a group: what it allocates from now on is charged to it. Returns 0 or -EINVAL. */
export function mem_cgroup_attach(memcg: number): number {
  begin_operation()
  if (NR_MEM_CGROUPS === 0) return -EINVAL
  // Marked: other threads charge, and the OOM killer looks.
  WRITE_ONCE(load(current() + task$mm) + mm$memcg, memcg)
  return 0
}

/** The LRU lists of a group; 0: of the pages that are charged to none. */
export function mem_cgroup_lruvec(memcg: MemCgroup): Lruvec {
  const index = memcg === 0 ? 0 : 1 + (memcg - MEM_CGROUPS) / MEM_CGROUP_WORDS
  return (LRUVECS + index * LRUVEC_WORDS) as Lruvec
}

/** The group that a page is charged to; 0: none. Nobody changes it while the page is in use. */
export function page_memcg(page: Page): MemCgroup {
  return load(page + page$memcg_data) as MemCgroup
}

/** Counts one page more, unless that is above the limit. */
function page_counter_try_charge(memcg: MemCgroup): boolean {
  if (atomic_fetch_add(memcg + mem_cgroup$usage, 1) < load(memcg + mem_cgroup$limit)) return true
  atomic_fetch_add(memcg + mem_cgroup$usage, -1)
  count_vm_event(MEMCG_MAX)
  return false
}

/** Makes room for one page and counts it. Returns 0 or -ENOMEM. */
function try_charge(memcg: MemCgroup): number {
  let no_progress_loops = 0
  for (let loops = 0; loops < MEMCG_CHARGE_LOOPS; loops++) {
    if (page_counter_try_charge(memcg)) return 0
    // Reclaim itself must not fail.
    if (in_reclaim()) {
      atomic_fetch_add(memcg + mem_cgroup$usage, 1)
      return 0
    }
    if (fatal_signal_pending(current())) return -ENOMEM
    const lruvec = mem_cgroup_lruvec(memcg)
    no_progress_loops = try_to_free_pages(lruvec) > 0 ? 0 : no_progress_loops + 1
    if (no_progress_loops === 0) continue
    if (no_progress_loops < MEMCG_RECLAIM_RETRIES && should_reclaim_retry(lruvec)) continue
    if (!out_of_memory(memcg)) return -ENOMEM
    no_progress_loops = 0
  }
  return -ENOMEM
}

/**
 * Charges a new page, which nobody else knows, to the group of `mm`. The caller holds no spinlock. Returns 0 or
 * -ENOMEM.
 */
export function mem_cgroup_charge(page: Page, mm: Mm): number {
  const memcg = READ_ONCE(mm + mm$memcg) as MemCgroup
  if (memcg === 0) return 0
  const error = try_charge(memcg)
  if (error === 0) store(page + page$memcg_data, memcg)
  return error
}

/** A page that is about to be free counts no more. */
export function mem_cgroup_uncharge(page: Page): void {
  const memcg = page_memcg(page)
  if (memcg === 0) return
  store(page + page$memcg_data, 0)
  VM_BUG_ON_PAGE(atomic_fetch_add(memcg + mem_cgroup$usage, -1) <= 0, page)
}

/** `to` takes the place of `page`, its charge included. Both are locked and on no list. */
export function mem_cgroup_migrate(page: Page, to: Page): void {
  store(to + page$memcg_data, page_memcg(page))
  store(page + page$memcg_data, 0)
}

/** Pages that are charged to a group. A hint. */
export function mem_cgroup_usage(memcg: number): number {
  return atomic_load(memcg + mem_cgroup$usage)
}
