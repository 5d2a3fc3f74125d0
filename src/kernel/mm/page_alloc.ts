/**
 * The buddy allocator with per-CPU lists and watermarks (mm/page_alloc.c, 6.1): alloc_page, alloc_pages, __free_pages,
 * free_unref_page. A zone for each node, one migrate type; a CPU keeps a list of its own node's pages. Left out: compaction, memory policy, lists of other
 * nodes' pages, remote draining of lists (so they need no lock but interrupts off, as before 5.15).
 */
import { MEMCG, NODES, NR_PAGES, SWAP } from '#config'
import {
  clear_words,
  data_race,
  load,
  per_cpu_ptr,
  store,
  this_cpu_read,
  this_cpu_write,
} from '../arch/access.ts'
import { BUG_ON, VM_BUG_ON_PAGE } from '../arch/bug.ts'
import { local_irq_restore, local_irq_save } from '../arch/irq.ts'
import { MAX_ORDER, NODE_PAGES } from '../arch/limits.ts'
import { CONTENT_WORDS } from '../arch/memory_map.ts'
import { pcp$count, pcp$list } from '../arch/percpu.ts'
import { page_to_pfn, pfn_to_page } from '../arch/pgtable.ts'
import type { Lruvec, Page, Spinlock, Zone } from '../arch/structs.ts'
import {
  page$_mapcount,
  page$_refcount,
  page$compound_head,
  page$compound_order,
  page$flags,
  page$index,
  page$lru_next,
  page$lru_prev,
  page$mapping,
  page$private,
  PAGE_FLAGS_CHECK_AT_FREE,
  PG_buddy,
  PG_head,
  PG_reserved,
  zone$free_list,
  zone$lock,
  zone$managed_pages,
  zone$nr_free,
  zone$nr_free_blocks,
  zone$pcp_batch,
  zone$pcp_high,
  zone$watermark_high,
  zone$watermark_low,
  zone$watermark_min,
} from '../arch/structs.ts'
import { page_address } from '../arch/uaccess.ts'
import { LOCK_CLASS_zone_lock } from '../locking/lock_class.ts'
import { spin_lock, spin_lock_init, spin_unlock } from '../locking/spinlock.ts'
import { __GFP_DIRECT_RECLAIM, __GFP_HIGH, __GFP_ZERO } from './gfp.ts'
import { mem_cgroup_uncharge } from './memcontrol.ts'
import { set_page_count } from './mm.ts'
import { cpu_to_node, local_zone, next_zone, node_zone, page_zone, pfn_zone } from './mmzone.ts'
import { out_of_memory } from './oom_kill.ts'
import { current } from '../sched/core.ts'
import { fatal_signal_pending } from '../signal.ts'
import { should_fail_alloc_page } from './fail_page_alloc.ts'
import { in_reclaim, should_reclaim_retry, try_to_free_pages, wakeup_kswapd } from './vmscan/reclaim.ts'
import { should_fail } from './slab.ts'
import { __page_cache_release } from './swap.ts'
import { ALLOC_FAILED, count_vm_event, count_vm_events, PGALLOC, PGFREE } from './vmstat.ts'

/** A shift of a watermark that leaves nothing of it (ALLOC_NO_WATERMARKS). */
const NO_WATERMARK = 31
/** Scans without a page before somebody is killed. */
const MAX_RECLAIM_RETRIES = 16
/** Scans and victims after which an allocation fails: others may take what comes back. Linux goes on. */
const MAX_SLOWPATH_LOOPS = 256

// Free areas. The list head of an order is a word of the zone; blocks are linked through page$lru.

function add_to_free_list(zone: Zone, page: Page, order: number): void {
  const head = zone + zone$free_list + order
  const first = load(head)
  store(page + page$lru_next, first)
  store(page + page$lru_prev, 0)
  if (first !== 0) store(first + page$lru_prev, page)
  store(head, page)
  store(zone + zone$nr_free_blocks + order, load(zone + zone$nr_free_blocks + order) + 1)
  store(page + page$private, order)
  // The flags word of a free page is read by whoever looks for a buddy, under the zone's lock.
  store(page + page$flags, load(page + page$flags) | PG_buddy)
}

function del_page_from_free_list(zone: Zone, page: Page, order: number): void {
  const next = load(page + page$lru_next)
  const prev = load(page + page$lru_prev)
  if (prev !== 0) store(prev + page$lru_next, next)
  else store(zone + zone$free_list + order, next)
  if (next !== 0) store(next + page$lru_prev, prev)
  store(page + page$flags, load(page + page$flags) & ~PG_buddy)
  store(page + page$private, 0)
  store(zone + zone$nr_free_blocks + order, load(zone + zone$nr_free_blocks + order) - 1)
}

function page_is_buddy(page: Page, order: number): boolean {
  // The page may be in use, and its flags change: but PG_buddy does so under zone->lock only.
  return (data_race(page + page$flags) & PG_buddy) !== 0 && load(page + page$private) === order
}

/** Puts a block back and merges it with its buddies as far as they are free. Under zone->lock. */
function __free_one_page(zone: Zone, page: Page, order: number): void {
  let pfn = page_to_pfn(page)
  store(zone + zone$nr_free, load(zone + zone$nr_free) + (1 << order))
  while (order < MAX_ORDER - 1) {
    const buddy_pfn = pfn ^ (1 << order)
    if (buddy_pfn + (1 << order) > NR_PAGES || pfn_zone(buddy_pfn) !== zone) break
    const buddy = pfn_to_page(buddy_pfn)
    if (!page_is_buddy(buddy, order)) break
    del_page_from_free_list(zone, buddy, order)
    pfn &= buddy_pfn
    order++
  }
  add_to_free_list(zone, pfn_to_page(pfn), order)
}

/** Takes a block of `order`, splitting a larger one if need be; 0 if there is none. Under zone->lock. */
function __rmqueue_smallest(zone: Zone, order: number): Page {
  for (let current_order = order; current_order < MAX_ORDER; current_order++) {
    const page = load(zone + zone$free_list + current_order) as Page
    if (page === 0) continue
    del_page_from_free_list(zone, page, current_order)
    store(zone + zone$nr_free, load(zone + zone$nr_free) - (1 << order))
    const pfn = page_to_pfn(page)
    // expand(): the upper halves go back.
    while (current_order > order) {
      current_order--
      add_to_free_list(zone, pfn_to_page(pfn + (1 << current_order)), current_order)
    }
    return page
  }
  return 0 as Page
}

function zone_watermark_ok(zone: Zone, order: number, mark: number): boolean {
  return load(zone + zone$nr_free) - (1 << order) >= mark
}

/** What a page must look like that becomes free (page_expected_state); a bad one is a BUG that shows the page. */
function check_page(page: Page): void {
  VM_BUG_ON_PAGE(load(page + page$_mapcount) !== -1, page)
  VM_BUG_ON_PAGE(load(page + page$mapping) !== 0, page)
  VM_BUG_ON_PAGE(load(page + page$_refcount) !== 0, page)
  VM_BUG_ON_PAGE((load(page + page$flags) & PAGE_FLAGS_CHECK_AT_FREE) !== 0, page)
}

/** Moves a batch of single pages from this CPU's zone to its list. Interrupts are off. */
function rmqueue_bulk(zone: Zone, mark: number): void {
  const batch = load(zone + zone$pcp_batch)
  spin_lock((zone + zone$lock) as Spinlock)
  let n = 0
  while (n < batch && zone_watermark_ok(zone, 0, mark)) {
    const page = __rmqueue_smallest(zone, 0)
    if (page === 0) break
    pcp_add(page)
    n++
  }
  spin_unlock((zone + zone$lock) as Spinlock)
}

function pcp_add(page: Page): void {
  store(page + page$lru_next, this_cpu_read(pcp$list))
  this_cpu_write(pcp$list, page)
  this_cpu_write(pcp$count, this_cpu_read(pcp$count) + 1)
}

/** Takes a page off this CPU's list; 0 if it is empty. */
function pcp_take(): Page {
  const page = this_cpu_read(pcp$list) as Page
  if (page === 0) return page
  this_cpu_write(pcp$list, load(page + page$lru_next))
  this_cpu_write(pcp$count, this_cpu_read(pcp$count) - 1)
  return page
}

/** Gives a batch of this CPU's pages back to its zone. Interrupts are off. */
function free_pcppages_bulk(zone: Zone, count: number): void {
  spin_lock((zone + zone$lock) as Spinlock)
  for (let n = 0; n < count; n++) __free_one_page(zone, pcp_take(), 0)
  spin_unlock((zone + zone$lock) as Spinlock)
}

/** Gives all of this CPU's free pages back to its zone (drain_local_pages). */
export function drain_local_pages(): void {
  const flags = local_irq_save()
  free_pcppages_bulk(local_zone(), this_cpu_read(pcp$count))
  local_irq_restore(flags)
}

function rmqueue_pcplist(zone: Zone, mark: number): Page {
  const flags = local_irq_save()
  if (this_cpu_read(pcp$count) === 0) rmqueue_bulk(zone, mark)
  const page = pcp_take()
  local_irq_restore(flags)
  return page
}

/** Fills the per-CPU lists of all CPUs half, as on a machine that has run for a while. At boot, on CPU 0. */
export function prefill_pcplists(cpus: number): void {
  for (let cpu = 0; cpu < cpus; cpu++) {
    const zone = node_zone(cpu_to_node(cpu))
    const n = load(zone + zone$pcp_high) >> 1
    const pcp = per_cpu_ptr(0, cpu)
    for (
      let i = load(pcp + pcp$count);
      i < n && zone_watermark_ok(zone, 0, load(zone + zone$watermark_high));
      i++
    ) {
      const page = __rmqueue_smallest(zone, 0)
      store(page + page$lru_next, load(pcp + pcp$list))
      store(pcp + pcp$list, page)
      store(pcp + pcp$count, i + 1)
    }
  }
}

function rmqueue(zone: Zone, order: number, mark: number): Page {
  if (order === 0 && (NODES === 1 || zone === local_zone())) return rmqueue_pcplist(zone, mark)
  const flags = local_irq_save()
  spin_lock((zone + zone$lock) as Spinlock)
  const page = zone_watermark_ok(zone, order, mark) ? __rmqueue_smallest(zone, order) : (0 as Page)
  spin_unlock((zone + zone$lock) as Spinlock)
  local_irq_restore(flags)
  return page
}

/**
 * The first block that a zone has above its watermark `mark` (a zone$watermark_ constant) shifted right by `shift`: this CPU's zone before
 * those of other nodes. 0 if there is none.
 */
function get_page_from_freelist(order: number, mark: number, shift: number): Page {
  const local = local_zone()
  let page = rmqueue(local, order, load(local + mark) >> shift)
  if (NODES > 1) {
    for (let zone = next_zone(local); page === 0 && zone !== local; zone = next_zone(zone))
      page = rmqueue(zone, order, load(zone + mark) >> shift)
  }
  return page
}

function prep_new_page(page: Page, order: number, gfp: number): void {
  const pfn = page_to_pfn(page)
  for (let i = 0; i < 1 << order; i++) {
    const each = pfn_to_page(pfn + i)
    store(each + page$index, 0)
    store(each + page$private, 0)
    if ((gfp & __GFP_ZERO) !== 0) clear_words(page_address(pfn + i), CONTENT_WORDS)
  }
  if (order > 0) prep_compound_page(page, order)
  set_page_count(page, 1)
}

/** Makes a block of 2^order pages one compound page (prep_compound_page). */
function prep_compound_page(page: Page, order: number): void {
  const pfn = page_to_pfn(page)
  store(page + page$flags, load(page + page$flags) | PG_head)
  store(page + page$compound_order, order)
  for (let i = 1; i < 1 << order; i++) store(pfn_to_page(pfn + i) + page$compound_head, page + 1)
}

/**
 * Allocates 2^order pages with one reference on the first; 0 if that is not possible (__alloc_pages). Order 0 comes from
 * this CPU's list. The low watermark is for everybody, what is below it down to the minimum for the second try.
 */
export function alloc_pages(gfp: number, order: number): Page {
  if (should_fail() || (SWAP && should_fail_alloc_page(gfp))) return 0 as Page
  let page = get_page_from_freelist(order, zone$watermark_low, 0)
  if (page === 0) page = __alloc_pages_slowpath(gfp, order)
  if (page === 0) {
    count_vm_event(ALLOC_FAILED)
    return 0 as Page
  }
  prep_new_page(page, order, gfp)
  count_vm_events(PGALLOC, 1 << order)
  return page
}

/** Gives this CPU's pages back, so that they may merge, then goes down to the minimum and, urgently, to half of it. */
function get_page_below_low(gfp: number, order: number): Page {
  drain_local_pages()
  return get_page_from_freelist(order, zone$watermark_min, (gfp & __GFP_HIGH) !== 0 ? 1 : 0)
}

/**
 * What is left to do when there is little memory. With SWAP: has kswapd reclaim, reclaims itself, and kills somebody as the last resort. A task
 * that is to die itself gets the last pages, or none, and goes.
 */
function __alloc_pages_slowpath(gfp: number, order: number): Page {
  if (SWAP) wakeup_kswapd()
  let page = get_page_below_low(gfp, order)
  if (!SWAP || page !== 0 || (gfp & __GFP_DIRECT_RECLAIM) === 0) return page
  // Reclaim itself needs what is left.
  if (in_reclaim()) return get_page_from_freelist(order, zone$watermark_min, NO_WATERMARK)
  let no_progress_loops = 0
  for (let loops = 0; page === 0 && loops < MAX_SLOWPATH_LOOPS; loops++) {
    if (fatal_signal_pending(current())) return get_page_from_freelist(order, zone$watermark_min, 1)
    no_progress_loops = try_to_free_pages(0 as Lruvec) > 0 ? 0 : no_progress_loops + 1
    page = get_page_below_low(gfp, order)
    if (page !== 0 || (no_progress_loops < MAX_RECLAIM_RETRIES && should_reclaim_retry(0 as Lruvec))) continue
    if (!out_of_memory(0)) break
    no_progress_loops = 0
    page = get_page_below_low(gfp, order)
  }
  return page
}

export function alloc_page(gfp: number): Page {
  return alloc_pages(gfp, 0)
}

/** Undoes a compound page and checks each page that is about to be free (free_pages_prepare). */
function free_pages_prepare(page: Page, order: number): void {
  const pfn = page_to_pfn(page)
  if (order > 0) store(page + page$flags, load(page + page$flags) & ~PG_head)
  for (let i = 0; i < 1 << order; i++) {
    const each = pfn_to_page(pfn + i)
    store(each + page$mapping, 0)
    if (i > 0) store(each + page$compound_head, 0)
    check_page(each)
    store(each + page$flags, 0)
  }
  count_vm_events(PGFREE, 1 << order)
}

/** Frees a page without references to this CPU's list (free_unref_page). */
export function free_unref_page(page: Page): void {
  free_pages_prepare(page, 0)
  const zone = local_zone()
  if (NODES > 1 && page_zone(page) !== zone) return free_one_page(page, 0)
  const flags = local_irq_save()
  pcp_add(page)
  if (this_cpu_read(pcp$count) > load(zone + zone$pcp_high))
    free_pcppages_bulk(zone, load(zone + zone$pcp_batch))
  local_irq_restore(flags)
}

/** Gives a block back to its zone. */
function free_one_page(page: Page, order: number): void {
  const zone = page_zone(page)
  const flags = local_irq_save()
  spin_lock((zone + zone$lock) as Spinlock)
  __free_one_page(zone, page, order)
  spin_unlock((zone + zone$lock) as Spinlock)
  local_irq_restore(flags)
}

/** Frees 2^order pages without references. */
function __free_pages_ok(page: Page, order: number): void {
  free_pages_prepare(page, order)
  free_one_page(page, order)
}

/** The last reference is gone (mm/swap.c, __put_page): one page, or a compound page by its head. */
export function __put_page(page: Page): void {
  if (SWAP) __page_cache_release(page)
  if (MEMCG) mem_cgroup_uncharge(page)
  if ((load(page + page$flags) & PG_head) !== 0) __free_pages_ok(page, load(page + page$compound_order))
  else free_unref_page(page)
}

/**
 * Sets the watermarks: `min` pages (vm.min_free_kbytes), `gap` to the next and to the one after it (vm.watermark_scale_factor), shared by the
 * zones. At boot or in setup.
 */
export function setup_per_zone_wmarks(min: number, gap: number): void {
  const zone_min = Math.trunc((min + NODES - 1) / NODES)
  const zone_gap = Math.trunc((gap + NODES - 1) / NODES)
  for (let nid = 0; nid < NODES; nid++) {
    const zone = node_zone(nid)
    store(zone + zone$watermark_min, zone_min)
    store(zone + zone$watermark_low, zone_min + zone_gap)
    store(zone + zone$watermark_high, zone_min + 2 * zone_gap)
  }
}

/** The sum of a word of all zones, read without their locks: a hint. */
function sum_of_zones(word: number): number {
  let sum = 0
  for (let nid = 0; nid < NODES; nid++) sum += data_race(node_zone(nid) + word)
  return sum
}

/** Pages in the free areas; those of CPUs' lists are not counted. A hint. */
export function nr_free_pages(): number {
  return sum_of_zones(zone$nr_free)
}

/** Pages that are not the kernel's own. */
export function totalram_pages(): number {
  return sum_of_zones(zone$managed_pages)
}

/** Pages that reclaim leaves free. */
export function high_wmark_pages(): number {
  return sum_of_zones(zone$watermark_high)
}

/** Sets up the zones: `first` pages belong to the kernel (the zero page), the rest is free. Once, at boot. */
export function free_area_init(first: number): void {
  BUG_ON(first >= NODE_PAGES)
  const managed = NR_PAGES - first
  for (let pfn = 0; pfn < NR_PAGES; pfn++) {
    const page = pfn_to_page(pfn)
    store(page + page$_mapcount, -1)
    if (pfn < first) {
      store(page + page$flags, PG_reserved)
      store(page + page$_refcount, 1)
    }
  }
  for (let nid = 0; nid < NODES; nid++) {
    const zone = node_zone(nid)
    const start = nid * NODE_PAGES
    free_area_init_node(zone, nid === 0 ? first : start, Math.min(NR_PAGES, start + NODE_PAGES))
    // By the machine's memory: a small node stands for a large one.
    store(zone + zone$pcp_batch, Math.max(2, Math.min(63, managed >> 10)))
    store(zone + zone$pcp_high, Math.max(12, Math.min(378, managed >> 8)))
  }
  // About the ratios of a real machine: min_free_kbytes, then 1.25 and 1.5 times it.
  const min = Math.min(1024, managed >> 6)
  setup_per_zone_wmarks(min, min >> 2)
}

/** Sets up a zone whose pages are those from `pfn` to before `end`, all of them free. */
function free_area_init_node(zone: Zone, pfn: number, end: number): void {
  spin_lock_init((zone + zone$lock) as Spinlock, LOCK_CLASS_zone_lock)
  store(zone + zone$managed_pages, end - pfn)
  while (pfn < end) {
    let order = MAX_ORDER - 1
    while ((pfn & ((1 << order) - 1)) !== 0 || pfn + (1 << order) > end) order--
    store(zone + zone$nr_free, load(zone + zone$nr_free) + (1 << order))
    add_to_free_list(zone, pfn_to_page(pfn), order)
    pfn += 1 << order
  }
}
