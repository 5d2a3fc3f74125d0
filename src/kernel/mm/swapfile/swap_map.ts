/**
 * The swap map (mm/swapfile.c, 6.1): how many entries name a slot, and whether its page is in the swap cache. A word
 * holds the count up to SWAP_MAP_MAX, SWAP_HAS_CACHE and COUNT_CONTINUED; the cluster's lock guards it. Left out:
 * shmem's uses, huge pages.
 */
import { SWAP_MAP_MAX } from '#config'
import { load, READ_ONCE, WRITE_ONCE } from '../../arch/access.ts'
import { smp_mb } from '../../arch/barrier.ts'
import { BUG_ON, VM_BUG_ON_PAGE } from '../../arch/bug.ts'
import { SWAP_AREA } from '../../arch/memory_map.ts'
import type { Page, SwpEntry, WaitQueueHead } from '../../arch/structs.ts'
import {
  COUNT_CONTINUED,
  page$private,
  PG_swapcache,
  PG_writeback,
  swap$swapcache_wq,
  SWAP_HAS_CACHE,
  SWAP_MAP_BAD,
} from '../../arch/structs.ts'
import { non_swap_entry } from '../../arch/swapops.ts'
import { EEXIST, EINVAL, ENOENT, ENOMEM } from '../../errno.ts'
import {
  __wake_up,
  finish_wait,
  prepare_to_wait_exclusive,
  schedule_wait,
  waitqueue_active,
} from '../../locking/wait.ts'
import { GFP_ATOMIC } from '../gfp.ts'
import { page_mapped, PageFlag, PageLocked, put_page, SetPageFlag } from '../mm.ts'
import { trylock_page, unlock_page } from '../page_lock.ts'
import { delete_from_swap_cache, swap_cache_get_folio } from '../swap_state.ts'
import { PG_dirty } from '../../arch/structs.ts'
import { add_swap_count_continuation, swap_count_continued } from './continuation.ts'
import { swap_entry_free } from './slots.ts'
import {
  get_swap_device,
  lock_cluster,
  put_swap_device,
  swap_cache,
  swap_map,
  unlock_cluster,
  vm_swap_full,
} from './swap_info.ts'

const swapcache_wq = (SWAP_AREA + swap$swapcache_wq) as WaitQueueHead
/** Whoever waits for a slot is woken by any slot: all of them look again. */
const WAKE_ALL = 0x7fffffff

/** The entries that name a slot, as far as its word tells: with COUNT_CONTINUED there are more (swap_count). */
function swap_count(word: number): number {
  return word & ~SWAP_HAS_CACHE
}

/**
 * Adds `usage` to a slot: 1 or SWAP_HAS_CACHE. Returns 0 or a negative error: -EINVAL if the device is gone, -ENOMEM if
 * the count needs a continuation page. Not every caller keeps the device.
 */
function __swap_duplicate(entry: SwpEntry, usage: number): number {
  const si = get_swap_device(entry)
  if (si === 0) return -EINVAL
  const ci = lock_cluster(entry)
  const word = load(swap_map(entry))
  let count = swap_count(word)
  let has_cache = word & SWAP_HAS_CACHE
  let error = 0
  if (count === SWAP_MAP_BAD) error = -ENOENT
  else if (usage === SWAP_HAS_CACHE) {
    if (has_cache !== 0) error = -EEXIST
    else if (count === 0) error = -ENOENT
    else has_cache = SWAP_HAS_CACHE
  } else if (count !== 0 || has_cache !== 0) {
    if ((count & ~COUNT_CONTINUED) < SWAP_MAP_MAX) count += usage
    else if ((count & ~COUNT_CONTINUED) > SWAP_MAP_MAX) error = -EINVAL
    else if (swap_count_continued(entry, count)) count = COUNT_CONTINUED
    else error = -ENOMEM
  } else error = -ENOENT
  if (error === 0) WRITE_ONCE(swap_map(entry), count | has_cache)
  unlock_cluster(ci)
  put_swap_device(si)
  return error
}

/**
 * One more entry that names the slot. Under a table's lock, so that a continuation page must be there at once. Returns
 * 0 or
 * -ENOMEM.
 */
export function swap_duplicate(entry: SwpEntry): number {
  let error = 0
  while (error === 0 && __swap_duplicate(entry, 1) === -ENOMEM)
    error = add_swap_count_continuation(entry, GFP_ATOMIC)
  return error
}

/**
 * Marks the slot's page as about to be read: 0; -EEXIST if somebody else has done so or it is in the swap cache,
 * -ENOENT if no entry names the slot any more.
 */
export function swapcache_prepare(entry: SwpEntry): number {
  return __swap_duplicate(entry, SWAP_HAS_CACHE)
}

/**
 * Takes `usage` (1 or SWAP_HAS_CACHE) from a slot; returns what is left. A slot with nothing left keeps SWAP_HAS_CACHE
 * until swap_entry_free, so that it is neither found in use nor free. Under the cluster's lock.
 */
function __swap_entry_free_locked(entry: SwpEntry, usage: number): number {
  const word = load(swap_map(entry))
  let count = swap_count(word)
  let has_cache = word & SWAP_HAS_CACHE
  if (usage === SWAP_HAS_CACHE) {
    BUG_ON(has_cache === 0)
    has_cache = 0
  } else {
    BUG_ON(count === 0 || (count & ~COUNT_CONTINUED) > SWAP_MAP_MAX)
    if (count !== COUNT_CONTINUED) count--
    else count = swap_count_continued(entry, count) ? SWAP_MAP_MAX | COUNT_CONTINUED : SWAP_MAP_MAX
  }
  const left = count | has_cache
  WRITE_ONCE(swap_map(entry), left !== 0 ? left : SWAP_HAS_CACHE)
  return left
}

function __swap_entry_free(entry: SwpEntry, usage: number): number {
  const ci = lock_cluster(entry)
  const left = __swap_entry_free_locked(entry, usage)
  unlock_cluster(ci)
  if (left === 0) swap_entry_free(entry)
  if (left === 0 || usage === SWAP_HAS_CACHE) wake_up_swapcache()
  return left
}

/** One entry less that names the slot. */
export function swap_free(entry: SwpEntry): void {
  __swap_entry_free(entry, 1)
}

/** The slot's page has left the swap cache (put_swap_page). */
export function put_swap_page(entry: SwpEntry): void {
  __swap_entry_free(entry, SWAP_HAS_CACHE)
}

/**
 * A page that was read past the swap cache is mapped: the slot may be read again, if it is still in use
 * (swapcache_clear).
 */
export function swapcache_clear(entry: SwpEntry): void {
  __swap_entry_free(entry, SWAP_HAS_CACHE)
}

/** Wakes those who wait for the state of a slot to change. */
export function wake_up_swapcache(): void {
  // Their look at the slot, and ours at the queue.
  smp_mb()
  if (waitqueue_active(swapcache_wq)) __wake_up(swapcache_wq, 0, WAKE_ALL)
}

/** Whether the slot's page is on its way into the swap cache or out of it: neither can it be found nor prepared. */
function swapcache_in_flight(entry: SwpEntry): boolean {
  return (READ_ONCE(swap_map(entry)) & SWAP_HAS_CACHE) !== 0 && READ_ONCE(swap_cache(entry)) === 0
}

/** Sleeps while another CPU brings the slot's page in or takes it out (Linux, up to 6.11, sleeps for a tick). */
export function wait_on_swapcache(entry: SwpEntry): void {
  while (swapcache_in_flight(entry)) {
    prepare_to_wait_exclusive(swapcache_wq, 0)
    if (swapcache_in_flight(entry)) schedule_wait()
    finish_wait(swapcache_wq)
  }
}

/** The entries that name the slot, without a lock: a hint (__swap_count). */
export function __swap_count(entry: SwpEntry): number {
  return swap_count(READ_ONCE(swap_map(entry)))
}

/** Whether an entry names the slot of a locked page of the swap cache (folio_swapped). */
function folio_swapped(page: Page): boolean {
  const entry = load(page + page$private) as SwpEntry
  const ci = lock_cluster(entry)
  const count = swap_count(load(swap_map(entry)))
  unlock_cluster(ci)
  return count !== 0
}

/** How many entries name the slot of a locked page of the swap cache (page_swapcount). */
export function page_swapcount(page: Page): number {
  return __swap_count(load(page + page$private) as SwpEntry)
}

/**
 * Takes a locked page out of the swap cache if no entry names its slot any more; whether it did (folio_free_swap,
 * try_to_free_swap). Then its contents are nowhere else: it is dirty.
 */
export function try_to_free_swap(page: Page): boolean {
  VM_BUG_ON_PAGE(!PageLocked(page), page)
  if (!PageFlag(page, PG_swapcache) || PageFlag(page, PG_writeback) || folio_swapped(page)) return false
  delete_from_swap_cache(page)
  SetPageFlag(page, PG_dirty)
  return true
}

/**
 * Takes the slot's page out of the swap cache, if that is possible at once and it is mapped nowhere, or swap is short.
 */
function __try_to_reclaim_swap(entry: SwpEntry): void {
  const page = swap_cache_get_folio(entry)
  if (page === 0) return
  // Never waits: the caller holds a page table's lock.
  if (trylock_page(page)) {
    if (!page_mapped(page) || vm_swap_full()) try_to_free_swap(page)
    unlock_page(page)
  }
  put_page(page)
}

/**
 * An entry of a page table is gone: of swap, it gives up its use of the slot, and a page that is cached for nothing is
 * freed.
 */
export function free_swap_and_cache(entry: SwpEntry): void {
  if (non_swap_entry(entry)) return
  const si = get_swap_device(entry)
  if (si === 0) return
  if (__swap_entry_free(entry, 1) === SWAP_HAS_CACHE) __try_to_reclaim_swap(entry)
  put_swap_device(si)
}
