/**
 * Reclaim of a node's memory (mm/vmscan.c, 6.1): shrink_lruvec over its lists, try_to_free_pages for who needs a page
 * now, kswapd, which reclaims before anybody has to: woken below the low watermark, it works until the high one is
 * reached. A scan begins with a small part of each list, and takes more the less it finds (priority). Left out: slabs,
 * swappiness and the balance of anonymous and file pages (those of files are scanned first), throttling of direct
 * reclaim by writeback, compaction.
 */
import { atomic_store, cmpxchg } from '#atomic'
import { READ_ONCE, this_cpu_read, this_cpu_write } from '../../arch/access.ts'
import { SWAP_CLUSTER_MAX } from '../../arch/limits.ts'
import { LRUVECS, machine$kswapd, SWAP_AREA } from '../../arch/memory_map.ts'
import { percpu$need_resched, scan$memalloc, scan$patient } from '../../arch/percpu.ts'
import type { Lruvec } from '../../arch/structs.ts'
import { LRU_FILE, LRUVEC_WORDS, NR_LRU_LISTS, NR_LRUVECS, swap$nr_swap_pages } from '../../arch/structs.ts'
import { task_wait_idle, task_wake } from '../../sched/futex.ts'
import { drain_local_pages, high_wmark_pages, nr_free_pages } from '../page_alloc.ts'
import { lruvec_page_state } from '../swap.ts'
import { ALLOCSTALL, count_vm_event, KSWAPD_WAKE, PAGEOUTRUN } from '../vmstat.ts'
import { shrink_list } from './shrink_list.ts'
import { RECLAIM_DIRECT, RECLAIM_KSWAPD } from './shrink_page_list.ts'

/** The first scan takes 1/4096 of each list. */
const DEF_PRIORITY = 12

// machine$kswapd. KSWAPD_NONE: no task has that role.
const KSWAPD_NONE = 0
const KSWAPD_SLEEPS = 1
const KSWAPD_RUNS = 2

/** Whether anonymous pages have anywhere to go. */
function can_reclaim_anon_pages(): boolean {
  return READ_ONCE(SWAP_AREA + swap$nr_swap_pages) > 0
}

/** Whether pages of the list `lru` can be reclaimed at all. */
function list_reclaimable(lru: number): boolean {
  return lru >= LRU_FILE || can_reclaim_anon_pages()
}

/**
 * The lists after `lruvec`, if all are scanned (`target` 0), else 0. The first are `target`'s, or those of pages that
 * no group has (mem_cgroup_iter).
 */
function next_lruvec(target: Lruvec, lruvec: Lruvec): Lruvec {
  const last = LRUVECS + (NR_LRUVECS - 1) * LRUVEC_WORDS
  return (target !== 0 || lruvec === last ? 0 : lruvec + LRUVEC_WORDS) as Lruvec
}

function first_lruvec(target: Lruvec): Lruvec {
  return target !== 0 ? target : (LRUVECS as Lruvec)
}

/** Pages that a scan may find in one lruvec (zone_reclaimable_pages). */
function reclaimable_pages(lruvec: Lruvec): number {
  let pages = 0
  for (let lru = 0; lru < NR_LRU_LISTS; lru++)
    if (list_reclaimable(lru)) pages += lruvec_page_state(lruvec, lru)
  return pages
}

/** Scans the lists of one lruvec. Returns how many pages it freed. */
function shrink_lruvec(lruvec: Lruvec, priority: number, nr_to_reclaim: number): number {
  let reclaimed = 0
  // Active lists first: what becomes inactive may be reclaimed in the same scan.
  for (let lru = NR_LRU_LISTS - 1; lru >= 0; lru--) {
    const nr_to_scan = lruvec_page_state(lruvec, lru) >> priority
    if (nr_to_scan > 0 && list_reclaimable(lru))
      reclaimed += shrink_list(lruvec, lru, nr_to_scan, nr_to_reclaim - reclaimed)
  }
  return reclaimed
}

/**
 * Reclaims from the lists of `target`, 0: from all, harder from priority to priority, until `nr_to_reclaim` pages are
 * free. Returns how many it freed.
 */
function shrink_node(target: Lruvec, nr_to_reclaim: number, who: number): number {
  this_cpu_write(scan$memalloc, who)
  let reclaimed = 0
  for (let priority = DEF_PRIORITY; priority >= 0 && reclaimed < nr_to_reclaim; priority--) {
    this_cpu_write(scan$patient, priority === 0 && reclaimed === 0 ? 1 : 0)
    for (let lruvec = first_lruvec(target); lruvec !== 0; lruvec = next_lruvec(target, lruvec))
      reclaimed += shrink_lruvec(lruvec, priority, nr_to_reclaim - reclaimed)
  }
  this_cpu_write(scan$patient, 0)
  this_cpu_write(scan$memalloc, 0)
  return reclaimed
}

/** Whether this CPU is reclaiming: then it must not begin anew, and may take the last pages (PF_MEMALLOC). */
export function in_reclaim(): boolean {
  return this_cpu_read(scan$memalloc) !== 0
}

/**
 * Direct reclaim from the lists of `target` (0: from all): the caller needs a page now and holds no spinlock. Returns
 * how many pages were freed.
 */
export function try_to_free_pages(target: Lruvec): number {
  count_vm_event(ALLOCSTALL)
  return shrink_node(target, SWAP_CLUSTER_MAX, RECLAIM_DIRECT)
}

/**
 * Reclaim that a user asks for, before memory is short (memory.reclaim of a cgroup). Returns how many pages were freed.
 */
export function user_proactive_reclaim(nr_to_reclaim: number): number {
  return shrink_node(LRUVECS as Lruvec, nr_to_reclaim, RECLAIM_DIRECT)
}

/** Whether it makes sense to scan once more, after a scan that freed nothing (should_reclaim_retry). A hint. */
export function should_reclaim_retry(target: Lruvec): boolean {
  for (let lruvec = first_lruvec(target); lruvec !== 0; lruvec = next_lruvec(target, lruvec))
    if (reclaimable_pages(lruvec) > 0) return true
  return false
}

/** Memory is below the low watermark: kswapd may have something to do. Under any lock. */
export function wakeup_kswapd(): void {
  if (READ_ONCE(machine$kswapd) !== KSWAPD_SLEEPS) return
  if (cmpxchg(machine$kswapd, KSWAPD_SLEEPS, KSWAPD_RUNS) !== KSWAPD_SLEEPS) return
  count_vm_event(KSWAPD_WAKE)
  task_wake(machine$kswapd)
  // It goes before whoever fills memory (wakeup preemption).
  this_cpu_write(percpu$need_resched, 1)
}

/** Reclaims until the high watermark is reached, or nothing more is found. */
function balance_pgdat(): void {
  count_vm_event(PAGEOUTRUN)
  for (;;) {
    const missing = high_wmark_pages() - nr_free_pages()
    if (missing <= 0 || shrink_node(0 as Lruvec, missing, RECLAIM_KSWAPD) === 0) return
    // What it freed is on its own list.
    drain_local_pages()
  }
}

/**
 * One turn of the kernel thread (kernel_thread) that has the role of kswapd: reclaims if somebody asked for it, then
 * sleeps until somebody does.
 */
export function kswapd(): void {
  if (READ_ONCE(machine$kswapd) !== KSWAPD_NONE) balance_pgdat()
  atomic_store(machine$kswapd, KSWAPD_SLEEPS)
  task_wait_idle(machine$kswapd, KSWAPD_SLEEPS)
}
