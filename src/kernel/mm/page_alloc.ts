/**
 * The buddy allocator with per-CPU lists and watermarks (mm/page_alloc.c, 6.1): alloc_page, alloc_pages, __free_pages,
 * free_unref_page. A zone for each node, one migrate type; a CPU keeps a list of its own node's single pages. Left out:
 * compaction, memory policy, lists of other nodes' pages and of other orders, remote draining of lists (so pcp->lock,
 * which only its own CPU would ever try, is not there), batches that grow while pages are only freed (free_factor),
 * shorter lists while memory is reclaimed, per-CPU parts of NR_FREE_PAGES, reserves of zones, watermark boost.
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
import { MAX_ORDER, NODE_PAGES } from '../arch/limits.ts'
import { CONTENT_WORDS } from '../arch/memory_map.ts'
import { pcp$count, pcp$last, pcp$list } from '../arch/percpu.ts'
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
  zone$free_tail,
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
import { spin_lock_init, spin_lock_irqsave, spin_unlock_irqrestore } from '../locking/spinlock.ts'
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

/** In place of a shift: the watermark does not count (ALLOC_NO_WATERMARKS). */
const NO_WATERMARK = 31
/** Scans without a page before somebody is killed. */
const MAX_RECLAIM_RETRIES = 16
/** Scans and victims after which an allocation fails: others may take what comes back. Linux goes on. */
const MAX_SLOWPATH_LOOPS = 256

// Free areas. The list head of an order is a word of the zone; blocks are linked through page$lru.

/** Puts a block on the list of its order, at the end that is taken from first, or with `tail` at the other. */
function add_to_free_list(zone: Zone, page: Page, order: number, tail: boolean): void {
  const near = zone + (tail ? zone$free_tail : zone$free_list) + order
  const far = zone + (tail ? zone$free_list : zone$free_tail) + order
  const other = load(near)
  store(page + (tail ? page$lru_prev : page$lru_next), other)
  store(page + (tail ? page$lru_next : page$lru_prev), 0)
  if (other !== 0) store(other + (tail ? page$lru_next : page$lru_prev), page)
  else store(far, page)
  store(near, page)
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
  else store(zone + zone$free_tail + order, prev)
  store(page + page$flags, load(page + page$flags) & ~PG_buddy)
  store(page + page$private, 0)
  store(zone + zone$nr_free_blocks + order, load(zone + zone$nr_free_blocks + order) - 1)
}

function page_is_buddy(page: Page, order: number): boolean {
  // The page may be in use, and its flags change: but PG_buddy does so under zone->lock only.
  return (data_race(page + page$flags) & PG_buddy) !== 0 && load(page + page$private) === order
}

/** The buddy of a block if it is free, as large and of the same zone, else 0 (find_buddy_page_pfn). */
function find_buddy_page(zone: Zone, pfn: number, order: number): Page {
  const buddy_pfn = pfn ^ (1 << order)
  if (buddy_pfn + (1 << order) > NR_PAGES || pfn_zone(buddy_pfn) !== zone) return 0 as Page
  const buddy = pfn_to_page(buddy_pfn)
  return page_is_buddy(buddy, order) ? buddy : (0 as Page)
}

/**
 * Whether the block could soon merge into one of the order after next: its buddy is in use, but that of both is free.
 */
function buddy_merge_likely(zone: Zone, pfn: number, order: number): boolean {
  if (order >= MAX_ORDER - 2) return false
  return find_buddy_page(zone, pfn & ~(1 << order), order + 1) !== 0
}

/** Puts a block back and merges it with its buddies as far as they are free. Under zone->lock. */
function __free_one_page(zone: Zone, page: Page, order: number): void {
  let pfn = page_to_pfn(page)
  store(zone + zone$nr_free, load(zone + zone$nr_free) + (1 << order))
  while (order < MAX_ORDER - 1) {
    const buddy = find_buddy_page(zone, pfn, order)
    if (buddy === 0) break
    del_page_from_free_list(zone, buddy, order)
    pfn &= ~(1 << order)
    order++
  }
  add_to_free_list(zone, pfn_to_page(pfn), order, buddy_merge_likely(zone, pfn, order))
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
      add_to_free_list(zone, pfn_to_page(pfn + (1 << current_order)), current_order, false)
    }
    return page
  }
  return 0 as Page
}

/** Whether the zone has more free pages than `mark`, without its lock: a hint (zone_watermark_fast). */
function zone_watermark_ok(zone: Zone, order: number, mark: number): boolean {
  return data_race(zone + zone$nr_free) - (1 << order) >= mark
}

/** What a page must look like that becomes free (page_expected_state); a bad one is a BUG that shows the page. */
function check_page(page: Page): void {
  VM_BUG_ON_PAGE(load(page + page$_mapcount) !== -1, page)
  VM_BUG_ON_PAGE(load(page + page$mapping) !== 0, page)
  VM_BUG_ON_PAGE(load(page + page$_refcount) !== 0, page)
  VM_BUG_ON_PAGE((load(page + page$flags) & PAGE_FLAGS_CHECK_AT_FREE) !== 0, page)
}

/**
 * Moves a batch of single pages from this CPU's zone to its list, which is empty, in the order in which they are found.
 */
function rmqueue_bulk(zone: Zone): void {
  const batch = load(zone + zone$pcp_batch)
  const flags = spin_lock_irqsave((zone + zone$lock) as Spinlock)
  for (let n = 0; n < batch; n++) {
    const page = __rmqueue_smallest(zone, 0)
    if (page === 0) break
    pcp_add_tail(page)
  }
  spin_unlock_irqrestore((zone + zone$lock) as Spinlock, flags)
}

// This CPU's list: a page that was just freed is hot, in the cache still, and goes to the head; pages are taken from
// there, and given back to the zone from the tail. page$lru_prev means nothing on the first page.

function pcp_add(page: Page): void {
  const first = this_cpu_read(pcp$list)
  store(page + page$lru_next, first)
  if (first !== 0) store(first + page$lru_prev, page)
  else this_cpu_write(pcp$last, page)
  this_cpu_write(pcp$list, page)
  this_cpu_write(pcp$count, this_cpu_read(pcp$count) + 1)
}

function pcp_add_tail(page: Page): void {
  const last = this_cpu_read(pcp$last)
  store(page + page$lru_next, 0)
  store(page + page$lru_prev, last)
  if (last !== 0) store(last + page$lru_next, page)
  else this_cpu_write(pcp$list, page)
  this_cpu_write(pcp$last, page)
  this_cpu_write(pcp$count, this_cpu_read(pcp$count) + 1)
}

/** Takes the first page off this CPU's list; 0 if it is empty. */
function pcp_take(): Page {
  const page = this_cpu_read(pcp$list) as Page
  if (page === 0) return page
  const next = load(page + page$lru_next)
  this_cpu_write(pcp$list, next)
  if (next === 0) this_cpu_write(pcp$last, 0)
  this_cpu_write(pcp$count, this_cpu_read(pcp$count) - 1)
  return page
}

/** Takes the last page off this CPU's list, which has some. */
function pcp_take_last(): Page {
  const page = this_cpu_read(pcp$last) as Page
  if (page === this_cpu_read(pcp$list)) return pcp_take()
  const prev = load(page + page$lru_prev)
  store(prev + page$lru_next, 0)
  this_cpu_write(pcp$last, prev)
  this_cpu_write(pcp$count, this_cpu_read(pcp$count) - 1)
  return page
}

/** Gives a batch of this CPU's pages back to its zone, those that have been here longest. */
function free_pcppages_bulk(zone: Zone, count: number): void {
  const flags = spin_lock_irqsave((zone + zone$lock) as Spinlock)
  for (let n = 0; n < count; n++) __free_one_page(zone, pcp_take_last(), 0)
  spin_unlock_irqrestore((zone + zone$lock) as Spinlock, flags)
}

/** Gives all of this CPU's free pages back to its zone (drain_local_pages). */
export function drain_local_pages(): void {
  free_pcppages_bulk(local_zone(), this_cpu_read(pcp$count))
}

function rmqueue_pcplist(zone: Zone): Page {
  if (this_cpu_read(pcp$count) === 0) rmqueue_bulk(zone)
  const page = pcp_take()
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
      const first = load(pcp + pcp$list)
      store(page + page$lru_next, first)
      store(first !== 0 ? first + page$lru_prev : pcp + pcp$last, page)
      store(pcp + pcp$list, page)
      store(pcp + pcp$count, i + 1)
    }
  }
}

function rmqueue(zone: Zone, order: number): Page {
  if (order === 0 && (NODES === 1 || zone === local_zone())) return rmqueue_pcplist(zone)
  const flags = spin_lock_irqsave((zone + zone$lock) as Spinlock)
  const page = __rmqueue_smallest(zone, order)
  spin_unlock_irqrestore((zone + zone$lock) as Spinlock, flags)
  return page
}

/** A block of the zone if it has more free pages than its watermark says, those of CPUs' lists not counted; else 0. */
function rmqueue_above(zone: Zone, order: number, mark: number, shift: number): Page {
  if (shift !== NO_WATERMARK && !zone_watermark_ok(zone, order, load(zone + mark) >> shift)) return 0 as Page
  return rmqueue(zone, order)
}

/**
 * The first block that a zone has above its watermark `mark` (a zone$watermark_ constant) shifted right by `shift`:
 * this CPU's zone before those of other nodes. 0 if there is none.
 */
function get_page_from_freelist(order: number, mark: number, shift: number): Page {
  const local = local_zone()
  let page = rmqueue_above(local, order, mark, shift)
  if (NODES > 1) {
    for (let zone = next_zone(local); page === 0 && zone !== local; zone = next_zone(zone))
      page = rmqueue_above(zone, order, mark, shift)
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
 * Allocates 2^order pages with one reference on the first; 0 if that is not possible (__alloc_pages). Order 0 comes
 * from this CPU's list. The low watermark is for everybody, what is below it down to the minimum for the second try.
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
 * What is left to do when there is little memory. With SWAP: has kswapd reclaim, reclaims itself, and kills somebody as
 * the last resort. A task that is to die itself gets the last pages, or none, and goes.
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
  pcp_add(page)
  if (this_cpu_read(pcp$count) >= load(zone + zone$pcp_high))
    free_pcppages_bulk(zone, load(zone + zone$pcp_batch))
}

/** Gives a block back to its zone. */
function free_one_page(page: Page, order: number): void {
  const zone = page_zone(page)
  const flags = spin_lock_irqsave((zone + zone$lock) as Spinlock)
  __free_one_page(zone, page, order)
  spin_unlock_irqrestore((zone + zone$lock) as Spinlock, flags)
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
 * Sets the watermarks: `min` pages (vm.min_free_kbytes), `gap` to the next and to the one after it
 * (vm.watermark_scale_factor), shared by the zones. At boot or in setup.
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
    // In the order of their numbers (FPI_TO_TAIL).
    add_to_free_list(zone, pfn_to_page(pfn), order, true)
    pfn += 1 << order
  }
}
