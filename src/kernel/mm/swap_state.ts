/**
 * The swap cache (mm/swap_state.c, 6.1): pages that have a slot, by the slot. Looked up without a lock, changed under
 * the device's i_pages lock and the page's. Linux keeps the pages in an xarray; here they are an array, so that adding
 * needs no memory. Left out: shadows of evicted pages, VMA-based readahead, huge pages.
 */
import { MEMCG } from '#config'
import { load, READ_ONCE, store, WRITE_ONCE } from '../arch/access.ts'
import { smp_wmb } from '../arch/barrier.ts'
import { VM_BUG_ON_PAGE } from '../arch/bug.ts'
import { SWAP_AREA } from '../arch/memory_map.ts'
import type { Mm, Page, Spinlock, SwpEntry } from '../arch/structs.ts'
import {
  page$private,
  PG_locked,
  PG_swapbacked,
  PG_swapcache,
  swap$page_cluster,
  swap_info$i_pages_lock,
  swap_info$max,
  swap_info$nrpages,
  task$mm,
} from '../arch/structs.ts'
import { swp_entry, swp_offset, swp_type } from '../arch/swapops.ts'
import { EEXIST } from '../errno.ts'
import { spin_lock_irq, spin_unlock_irq, spin_unlock_wait } from '../locking/spinlock.ts'
import { rcu_read_lock, rcu_read_unlock } from '../rcu.ts'
import { current } from '../sched/core.ts'
import { GFP_HIGHUSER_MOVABLE } from './gfp.ts'
import {
  __SetPageFlag,
  ClearPageFlag,
  get_page,
  get_page_unless_zero,
  page_mapped,
  PageFlag,
  PageLocked,
  put_page,
  set_page_dirty,
  SetPageFlag,
} from './mm.ts'
import { mem_cgroup_charge } from './memcontrol.ts'
import { alloc_page } from './page_alloc.ts'
import { trylock_page, unlock_page } from './page_lock.ts'
import { swap_readpage } from './page_io.ts'
import { should_fail } from './slab.ts'
import { lru_add_drain, lru_cache_add } from './swap.ts'
import { folio_alloc_swap } from './swapfile/slots.ts'
import { get_swap_device, put_swap_device, swap_cache, swp_swap_info } from './swapfile/swap_info.ts'
import {
  __swap_count,
  put_swap_page,
  swapcache_prepare,
  try_to_free_swap,
  wait_on_swapcache,
  wake_up_swapcache,
} from './swapfile/swap_map.ts'
import { count_vm_event, RETRY___read_swap_cache_async, SWAP_RA, SWAPIN_GONE } from './vmstat.ts'

/** The lock of the swap cache of the entry's device. */
export function swap_i_pages_lock(entry: SwpEntry): Spinlock {
  return (swp_swap_info(entry) + swap_info$i_pages_lock) as Spinlock
}

/** The slot's page with a reference, or 0. Takes no lock: the page may be on its way out, so it looks again. */
export function swap_cache_get_folio(entry: SwpEntry): Page {
  rcu_read_lock()
  const page = swap_cache_get_folio_rcu(entry)
  rcu_read_unlock()
  return page
}

function swap_cache_get_folio_rcu(entry: SwpEntry): Page {
  const slot = swap_cache(entry)
  for (;;) {
    const page = READ_ONCE(slot) as Page
    if (page === 0) return page
    if (!get_page_unless_zero(page)) {
      // Frozen, which lasts as long as the lock is held. Linux tries again at once.
      spin_unlock_wait(swap_i_pages_lock(entry))
      continue
    }
    if (READ_ONCE(slot) === page) return page
    put_page(page)
  }
}

/**
 * Puts a locked page, which gets the cache's reference, into the swap cache; whether that was possible: Linux may want
 * memory for it, here a test says when there is none. Its slot has SWAP_HAS_CACHE.
 */
export function add_to_swap_cache(page: Page, entry: SwpEntry): boolean {
  if (should_fail()) return false
  VM_BUG_ON_PAGE(!PageLocked(page) || PageFlag(page, PG_swapcache) || !PageFlag(page, PG_swapbacked), page)
  const si = swp_swap_info(entry)
  get_page(page)
  SetPageFlag(page, PG_swapcache)
  spin_lock_irq(swap_i_pages_lock(entry))
  WRITE_ONCE(page + page$private, entry)
  // The page before the pointer to it: readers hold no lock.
  smp_wmb()
  WRITE_ONCE(swap_cache(entry), page)
  store(si + swap_info$nrpages, load(si + swap_info$nrpages) + 1)
  spin_unlock_irq(swap_i_pages_lock(entry))
  wake_up_swapcache()
  return true
}

/** Takes a page out of the swap cache; its reference passes to the caller. Under the i_pages lock and the page's. */
export function __delete_from_swap_cache(page: Page, entry: SwpEntry): void {
  const si = swp_swap_info(entry)
  WRITE_ONCE(swap_cache(entry), 0)
  WRITE_ONCE(page + page$private, 0)
  ClearPageFlag(page, PG_swapcache)
  store(si + swap_info$nrpages, load(si + swap_info$nrpages) - 1)
}

/**
 * Takes a locked page, of which the caller has a reference, out of the swap cache and gives up the cache's use of the
 * slot.
 */
export function delete_from_swap_cache(page: Page): void {
  const entry = load(page + page$private) as SwpEntry
  spin_lock_irq(swap_i_pages_lock(entry))
  __delete_from_swap_cache(page, entry)
  spin_unlock_irq(swap_i_pages_lock(entry))
  put_swap_page(entry)
  put_page(page)
}

/** Gives a locked anonymous page a slot and puts it into the swap cache; false if swap is full. */
export function add_to_swap(page: Page): boolean {
  const entry = folio_alloc_swap()
  if (entry === 0) return false
  if (!add_to_swap_cache(page, entry)) {
    put_swap_page(entry)
    return false
  }
  // Its PTE need not say so: what was never written since it was read from swap has no copy there any more.
  set_page_dirty(page)
  return true
}

/**
 * A page loses a mapping: takes it out of the swap cache if nothing else needs it there, and it can be locked at once.
 */
export function free_swap_cache(page: Page): void {
  if (!PageFlag(page, PG_swapcache) || page_mapped(page) || !trylock_page(page)) return
  try_to_free_swap(page)
  unlock_page(page)
}

/** Drops a page's reference, and its swap slot if that was its last use (free_page_and_swap_cache). */
export function free_page_and_swap_cache(page: Page): void {
  free_swap_cache(page)
  put_page(page)
}

/** Charges the page to whoever brings it in; whether that was possible (mem_cgroup_swapin_charge_folio). */
function swapin_charge(page: Page): boolean {
  return !MEMCG || mem_cgroup_charge(page, load(current() + task$mm) as Mm) === 0
}

/**
 * Charges the new page `page`, puts it, empty, into the swap cache and reads it. The slot has been prepared: where that
 * is not possible it must be given back, as others wait for its page. Returns the page, or 0 and then it is gone.
 */
function swapin_new_page(page: Page, entry: SwpEntry): Page {
  __SetPageFlag(page, PG_locked | PG_swapbacked)
  if (!swapin_charge(page) || !add_to_swap_cache(page, entry)) {
    put_swap_page(entry)
    unlock_page(page)
    put_page(page)
    return 0 as Page
  }
  lru_cache_add(page)
  swap_readpage(page)
  return page
}

/** There is no page, though not for want of memory: the slot is free. Counted, as checks tell the two apart. */
function swapin_gone(): Page {
  count_vm_event(SWAPIN_GONE)
  return 0 as Page
}

/**
 * The slot's page with a reference, read if need be and perhaps still locked by whoever reads it. 0: the slot is in use
 * no more, or no memory (read_swap_cache_async).
 */
export function read_swap_cache_async(entry: SwpEntry): Page {
  for (;;) {
    const si = get_swap_device(entry)
    if (si === 0) return swapin_gone()
    const found = swap_cache_get_folio(entry)
    const used = __swap_count(entry) !== 0
    put_swap_device(si)
    if (found !== 0) return found
    if (!used) return swapin_gone()
    const page = alloc_page(GFP_HIGHUSER_MOVABLE)
    if (page === 0) return page
    const error = swapcache_prepare(entry)
    if (error === 0) return swapin_new_page(page, entry)
    put_page(page)
    if (error !== -EEXIST) return swapin_gone()
    // It is in the cache now, on its way there or out, or read past it.
    count_vm_event(RETRY___read_swap_cache_async)
    // Linux sleeps for a tick and touches nothing of the device; not every caller keeps it.
    const waited = get_swap_device(entry)
    if (waited === 0) return 0 as Page
    wait_on_swapcache(entry)
    put_swap_device(waited)
  }
}

/**
 * Reads the slot's page and, around it, others that are in use (swap_cluster_readahead). Returns it as
 * read_swap_cache_async does.
 */
export function swapin_readahead(entry: SwpEntry): Page {
  const mask = (1 << load(SWAP_AREA + swap$page_cluster)) - 1
  if (mask === 0) return read_swap_cache_async(entry)
  const type = swp_type(entry)
  const offset = swp_offset(entry)
  const last = Math.min(offset | mask, READ_ONCE(swp_swap_info(entry) + swap_info$max) - 1)
  for (let each = Math.max(1, offset & ~mask); each <= last; each++) {
    const page = swapin_ahead(swp_entry(type, each))
    if (page === 0) continue
    if (each !== offset) count_vm_event(SWAP_RA)
    put_page(page)
  }
  // The new pages come to their list now.
  lru_add_drain()
  return read_swap_cache_async(entry)
}

/** Reads a slot's page if it is in use, not in the cache, and there is memory; returns it with a reference, or 0. */
function swapin_ahead(entry: SwpEntry): Page {
  if (__swap_count(entry) === 0 || READ_ONCE(swap_cache(entry)) !== 0) return 0 as Page
  const page = alloc_page(GFP_HIGHUSER_MOVABLE)
  if (page === 0) return page
  if (swapcache_prepare(entry) === 0) return swapin_new_page(page, entry)
  put_page(page)
  return 0 as Page
}
