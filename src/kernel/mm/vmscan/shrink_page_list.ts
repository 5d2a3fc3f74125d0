/**
 * Reclaim of isolated pages (mm/vmscan.c, 6.1): shrink_page_list, pageout, __remove_mapping, reclaim_pages. A page that
 * is locked, has a slot, is mapped nowhere, is clean and has no reference but the isolation's and the cache's is freed;
 * its count is frozen first, so that nobody finds it any more. A file's page goes if it is clean and mapped nowhere.
 * Left out: the walk over the mappings of a file, its references (FOLIOREF_RECLAIM_CLEAN) and its writeback, waiting
 * for writeback and other throttling, demotion, shadows, pins, huge pages, mlocked pages.
 */
import { atomic_fetch_and } from '#atomic'
import { load, store, this_cpu_read, this_cpu_write } from '../../arch/access.ts'
import { scan$memalloc, scan$patient, scan$ret_pages } from '../../arch/percpu.ts'
import type { Page, SwpEntry } from '../../arch/structs.ts'
import {
  page$flags,
  page$lru_next,
  page$private,
  PG_active,
  PG_dirty,
  PG_reclaim,
  PG_referenced,
  PG_swapbacked,
  PG_swapcache,
  PG_writeback,
} from '../../arch/structs.ts'
import { spin_lock_irq, spin_unlock_irq } from '../../locking/spinlock.ts'
import { cond_resched } from '../../sched/core.ts'
import {
  ClearPageFlag,
  page_mapped,
  page_ref_count,
  page_ref_freeze,
  page_ref_unfreeze,
  PageAnon,
  PageFlag,
  put_page,
  SetPageFlag,
} from '../mm.ts'
import { putback_lru_page } from '../swap.ts'
import { trylock_page, unlock_page } from '../page_lock.ts'
import { swap_writepage } from '../page_io.ts'
import { filemap_remove_clean_page } from '../filemap.ts'
import { folio_referenced } from '../rmap/referenced.ts'
import { try_to_unmap_flush, try_to_unmap_flush_dirty, TTU_BATCH_FLUSH } from '../rmap/tlb_batch.ts'
import { try_to_unmap } from '../rmap/try_to_unmap.ts'
import { __delete_from_swap_cache, add_to_swap, swap_i_pages_lock } from '../swap_state.ts'
import { vm_swap_full } from '../swapfile/swap_info.ts'
import { put_swap_page, try_to_free_swap } from '../swapfile/swap_map.ts'
import { count_vm_event, PGACTIVATE, PGLAZYFREED, RETRY___remove_mapping } from '../vmstat.ts'

// What the references of a page say (enum folio_references).
const FOLIOREF_RECLAIM = 0
const FOLIOREF_KEEP = 1
const FOLIOREF_ACTIVATE = 2

/** Who reclaims: the values of scan$memalloc (PF_MEMALLOC) of a CPU that does. */
export const RECLAIM_DIRECT = 1
export const RECLAIM_KSWAPD = 2

// What pageout did (enum pageout_t).
const PAGE_KEEP = 0
const PAGE_SUCCESS = 1
const PAGE_CLEAN = 2

/** Writes a locked, dirty page to its slot. After PAGE_SUCCESS it is unlocked. */
function pageout(page: Page): number {
  // Whoever has a reference may be writing it; and without a slot there is nowhere to write it to.
  if (!PageFlag(page, PG_swapcache) || page_ref_count(page) !== 2) return PAGE_KEEP
  if ((atomic_fetch_and(page + page$flags, ~PG_dirty) & PG_dirty) === 0) return PAGE_CLEAN
  SetPageFlag(page, PG_reclaim)
  swap_writepage(page)
  // Written already: nobody will come to clear it.
  if (!PageFlag(page, PG_writeback)) ClearPageFlag(page, PG_reclaim)
  return PAGE_SUCCESS
}

/**
 * Takes a locked page out of the swap cache for good, its count frozen; false if somebody else has a reference, or
 * wrote it. The count is taken before the flag is read: whoever drops a reference has set the flag before.
 */
function __remove_mapping(page: Page): boolean {
  const entry = load(page + page$private) as SwpEntry
  spin_lock_irq(swap_i_pages_lock(entry))
  let frozen = page_ref_freeze(page, 2)
  if (frozen && PageFlag(page, PG_dirty)) {
    page_ref_unfreeze(page, 2)
    frozen = false
  }
  if (frozen) __delete_from_swap_cache(page, entry)
  else count_vm_event(RETRY___remove_mapping)
  spin_unlock_irq(swap_i_pages_lock(entry))
  if (frozen) put_swap_page(entry)
  return frozen
}

/** A page that stays as it is. */
function keep_locked(page: Page): boolean {
  unlock_page(page)
  return false
}

/**
 * A page that cannot be reclaimed, and will not be so soon: gives its slot back where swap is short, and becomes
 * active.
 */
function activate_locked(page: Page): boolean {
  if (PageFlag(page, PG_swapcache) && vm_swap_full()) try_to_free_swap(page)
  SetPageFlag(page, PG_active)
  count_vm_event(PGACTIVATE)
  return keep_locked(page)
}

/**
 * Whether the page was used since the last look: used again, or by several entries, it becomes active (a FOLIOREF_
 * constant).
 */
function folio_check_references(page: Page): number {
  // Linux only tries, and throttles a scan that gets nowhere (reclaim_throttle): here the last one waits for the lock.
  const try_lock = this_cpu_read(scan$patient) === 0
  const referenced_ptes = PageAnon(page) ? folio_referenced(page, try_lock) : 0
  const referenced = PageFlag(page, PG_referenced)
  if (referenced) ClearPageFlag(page, PG_referenced)
  // Somebody changes the anon_vma: another time.
  if (referenced_ptes < 0) return FOLIOREF_KEEP
  if (referenced_ptes === 0) return FOLIOREF_RECLAIM
  SetPageFlag(page, PG_referenced)
  return referenced || referenced_ptes > 1 ? FOLIOREF_ACTIVATE : FOLIOREF_KEEP
}

/** Writes the page if it is dirty. Returns whether it is clean and locked; otherwise it is unlocked and stays. */
function clean_page(page: Page): boolean {
  if (!PageFlag(page, PG_dirty)) return true
  // One of a file is left to its writeback, until which it is out of the way.
  if (!PageFlag(page, PG_swapbacked)) {
    SetPageFlag(page, PG_reclaim)
    return activate_locked(page)
  }
  // No CPU may go on writing it through an old entry once it is being written.
  try_to_unmap_flush_dirty()
  const result = pageout(page)
  if (result === PAGE_KEEP) return keep_locked(page)
  if (result === PAGE_CLEAN) return true
  if (PageFlag(page, PG_writeback | PG_dirty) || !trylock_page(page)) return false
  return PageFlag(page, PG_writeback | PG_dirty) ? keep_locked(page) : true
}

/** Does what it can for one isolated page; true: its count is frozen and it is to be freed. */
function shrink_page(page: Page): boolean {
  if (!trylock_page(page)) return false
  if (PageFlag(page, PG_writeback)) {
    SetPageFlag(page, PG_reclaim)
    return activate_locked(page)
  }
  const references = folio_check_references(page)
  if (references === FOLIOREF_ACTIVATE) return activate_locked(page)
  if (references === FOLIOREF_KEEP) return keep_locked(page)
  if (PageAnon(page) && PageFlag(page, PG_swapbacked) && !PageFlag(page, PG_swapcache) && !add_to_swap(page))
    return activate_locked(page)
  if (page_mapped(page)) {
    // The walk over the mappings of a file is left out.
    if (PageAnon(page)) try_to_unmap(page, TTU_BATCH_FLUSH)
    if (page_mapped(page)) return activate_locked(page)
  }
  if (!clean_page(page)) return false
  if (PageAnon(page) && !PageFlag(page, PG_swapbacked)) {
    // The isolation's reference is the last.
    if (!page_ref_freeze(page, 1)) return keep_locked(page)
    count_vm_event(PGLAZYFREED)
  } else if (!(PageFlag(page, PG_swapcache) ? __remove_mapping(page) : filemap_remove_clean_page(page)))
    return keep_locked(page)
  unlock_page(page)
  return true
}

/**
 * Reclaims the isolated pages of the list that begins with `list` (linked by page$lru_next), each with the isolation's
 * reference, unless they were used lately. Returns how many it freed; the others are on the list at scan$ret_pages of
 * this CPU, in the same order.
 */
export function shrink_page_list(list: Page): number {
  let free_pages = 0
  let ret_pages = 0
  let ret_last = 0
  let next = 0
  let reclaimed = 0
  for (let page = list; page !== 0; page = next as Page) {
    next = load(page + page$lru_next)
    cond_resched()
    if (shrink_page(page)) {
      store(page + page$lru_next, free_pages)
      free_pages = page
      reclaimed++
    } else {
      store(page + page$lru_next, 0)
      if (ret_pages === 0) ret_pages = page
      else store(ret_last + page$lru_next, page)
      ret_last = page
    }
  }
  // Before any of them can be used anew.
  try_to_unmap_flush()
  for (let page = free_pages; page !== 0; page = next) {
    next = load(page + page$lru_next)
    // Through one reference, so that one place frees pages; Linux frees them frozen.
    page_ref_unfreeze(page as Page, 1)
    put_page(page as Page)
  }
  this_cpu_write(scan$ret_pages, ret_pages)
  return reclaimed
}

/**
 * Reclaims the isolated pages of a list that are not used meanwhile, and puts the others back (reclaim_pages). Returns
 * how many it freed. What it allocates must not make it reclaim in turn.
 */
export function reclaim_pages(list: Page): number {
  if (list === 0) return 0
  const memalloc = this_cpu_read(scan$memalloc)
  this_cpu_write(scan$memalloc, RECLAIM_DIRECT)
  for (let page = list; page !== 0; page = load(page + page$lru_next) as Page) ClearPageFlag(page, PG_active)
  const reclaimed = shrink_page_list(list)
  let next = 0
  for (let page = this_cpu_read(scan$ret_pages); page !== 0; page = next) {
    next = load(page + page$lru_next)
    putback_lru_page(page as Page)
  }
  this_cpu_write(scan$memalloc, memalloc)
  return reclaimed
}
