/**
 * The LRU lists and the CPUs' batches of pages for them (mm/swap.c, include/linux/mm_inline.h, and of mm/vmscan.c
 * isolate_lru_page and putback_lru_page; 6.1). Whoever clears PG_lru, which takes a reference, owns the page's place on
 * its list; under lru_lock it takes the page off and puts it back. The last reference takes it off for good.
 *
 * Left out: unevictable pages (those of shmem are not on any list), mlock, workingset, multi-gen LRU, deactivation of
 * file pages, draining of other CPUs' batches: a CPU drains its own when it unmaps, reclaims and leaves.
 */
import { MEMCG } from '#config'
import { atomic_fetch_and } from '#atomic'
import { load, READ_ONCE, store, this_cpu_read, this_cpu_write, WRITE_ONCE } from '../arch/access.ts'
import { VM_BUG_ON_PAGE } from '../arch/bug.ts'
import { local_irq_restore, local_irq_save, local_save_flags } from '../arch/irq.ts'
import { PAGEVEC_SIZE, SWAP_CLUSTER_MAX } from '../arch/limits.ts'
import { LRUVECS } from '../arch/memory_map.ts'
import {
  lru_pvecs$activate_page,
  lru_pvecs$lru_add,
  lru_pvecs$lru_lazyfree,
  lru_rotate$fbatch,
} from '../arch/percpu.ts'
import type { Lruvec, Page, Spinlock } from '../arch/structs.ts'
import {
  LRU_ACTIVE,
  LRU_FILE,
  lruvec$lists,
  lruvec$lru_lock,
  lruvec$lru_size,
  LRUVEC_WORDS,
  NR_LRU_LISTS,
  NR_LRUVECS,
  page$flags,
  page$lru_next,
  PG_active,
  PG_dirty,
  PG_head,
  PG_locked,
  PG_lru,
  PG_referenced,
  PG_swapbacked,
  PG_swapcache,
} from '../arch/structs.ts'
import { INIT_LIST_HEAD, list_add, list_del, list_last } from '../lib/list.ts'
import { LOCK_CLASS_lru_lock } from '../locking/lock_class.ts'
import {
  spin_lock_init,
  spin_lock_irq,
  spin_lock_irqsave,
  spin_unlock_irq,
  spin_unlock_irqrestore,
} from '../locking/spinlock.ts'
import {
  ClearPageFlag,
  get_page,
  page_ref_count,
  PageAnon,
  PageFlag,
  PageSwapBacked,
  put_page,
  put_page_testzero,
  SetPageFlag,
} from './mm.ts'
import { mem_cgroup_lruvec, mem_cgroup_uncharge, page_memcg } from './memcontrol.ts'
import { __put_page, free_unref_page } from './page_alloc.ts'
import { count_vm_event, PGACTIVATE, PGLAZYFREE, PGROTATED } from './vmstat.ts'

/** Boot: the lists are empty. */
export function lruvec_init(): void {
  for (let i = 0; i < NR_LRUVECS; i++) {
    const lruvec = (LRUVECS + i * LRUVEC_WORDS) as Lruvec
    spin_lock_init(lruvec_lock(lruvec), LOCK_CLASS_lru_lock)
    for (let lru = 0; lru < NR_LRU_LISTS; lru++) INIT_LIST_HEAD(lruvec_list(lruvec, lru))
  }
}

/** Head of the list `lru`, an LRU_ constant. */
export function lruvec_list(lruvec: Lruvec, lru: number): number {
  return lruvec + lruvec$lists + 2 * lru
}

/** How many pages are on a list: exact under lru_lock, a hint without. */
export function lruvec_page_state(lruvec: Lruvec, lru: number): number {
  return READ_ONCE(lruvec + lruvec$lru_size + lru)
}

/** The lists that a page belongs to. */
function page_lruvec(page: Page): Lruvec {
  return MEMCG ? mem_cgroup_lruvec(page_memcg(page)) : (LRUVECS as Lruvec)
}

function lruvec_lock(lruvec: Lruvec): Spinlock {
  return (lruvec + lruvec$lru_lock) as Spinlock
}

/**
 * Takes the lock of the lists. Interrupts are on, and off until it is given back: the end of a write takes it in one
 * (folio_rotate_reclaimable).
 */
export function lock_lruvec_irq(lruvec: Lruvec): void {
  spin_lock_irq(lruvec_lock(lruvec))
}

/** Takes the lock of the page's lists; returns them (folio_lruvec_lock_irq). */
function lock_page_lruvec_irq(page: Page): Lruvec {
  const lruvec = page_lruvec(page)
  lock_lruvec_irq(lruvec)
  return lruvec
}

export function unlock_page_lruvec_irq(lruvec: Lruvec): void {
  spin_unlock_irq(lruvec_lock(lruvec))
}

/** The same, given the lists that are locked now (0: none). */
function relock_page_lruvec_irq(page: Page, locked: Lruvec): Lruvec {
  if (locked === page_lruvec(page)) return locked
  if (locked !== 0) unlock_page_lruvec_irq(locked)
  return lock_page_lruvec_irq(page)
}

function unlock_page_lruvec_irqrestore(lruvec: Lruvec, flags: number): void {
  spin_unlock_irqrestore(lruvec_lock(lruvec), flags)
}

/**
 * The same where interrupts may be off already; `flags` is what they were before the first lock
 * (folio_lruvec_relock_irqsave).
 */
function relock_page_lruvec_irqsave(page: Page, locked: Lruvec, flags: number): Lruvec {
  const lruvec = page_lruvec(page)
  if (locked === lruvec) return locked
  if (locked !== 0) unlock_page_lruvec_irqrestore(locked, flags)
  spin_lock_irqsave(lruvec_lock(lruvec))
  return lruvec
}

/** Which list the page belongs on, by its flags: an LRU_ constant. */
function page_lru(page: Page): number {
  return (PageSwapBacked(page) ? 0 : LRU_FILE) + (PageFlag(page, PG_active) ? LRU_ACTIVE : 0)
}

function update_lru_size(lruvec: Lruvec, lru: number, change: number): void {
  const size = lruvec + lruvec$lru_size + lru
  WRITE_ONCE(size, load(size) + change)
}

/** Puts the page at the end of its list that is reclaimed first. Under lru_lock; PG_lru is not set yet. */
function add_page_to_lru_list_tail(page: Page, lruvec: Lruvec): void {
  const lru = page_lru(page)
  update_lru_size(lruvec, lru, 1)
  list_add(page + page$lru_next, list_last(lruvec_list(lruvec, lru)))
}

/** Puts the page on its list. Under lru_lock; PG_lru is not set yet. */
export function add_page_to_lru_list(page: Page, lruvec: Lruvec): void {
  const lru = page_lru(page)
  update_lru_size(lruvec, lru, 1)
  list_add(page + page$lru_next, lruvec_list(lruvec, lru))
}

/** Takes the page off its list. Under lru_lock, by whoever cleared PG_lru or has the last reference. */
export function del_page_from_lru_list(page: Page, lruvec: Lruvec): void {
  list_del(page + page$lru_next)
  update_lru_size(lruvec, page_lru(page), -1)
}

/** Clears PG_lru; whether it was set: then the page's place is the caller's, who has a reference. */
export function TestClearPageLRU(page: Page): boolean {
  if (!PageFlag(page, PG_lru)) return false
  return (atomic_fetch_and(page + page$flags, ~PG_lru) & PG_lru) !== 0
}

// The batches.

/** Adds the page, with a reference, to the batch `pvec` of this CPU, which is emptied when it is full. */
function pagevec_add_and_need_flush(pvec: number, page: Page): void {
  get_page(page)
  const nr = this_cpu_read(pvec) + 1
  this_cpu_write(pvec + nr, page)
  this_cpu_write(pvec, nr)
  if (nr === PAGEVEC_SIZE) pagevec_lru_move_fn(pvec)
}

/** Does to the pages of a batch what it is for, and lets go of them (folio_batch_move_lru). */
function pagevec_lru_move_fn(pvec: number): void {
  const nr = this_cpu_read(pvec)
  const flags = local_save_flags()
  let lruvec = 0 as Lruvec
  for (let i = 1; i <= nr; i++) {
    const page = this_cpu_read(pvec + i) as Page
    // Somebody else has the page off its list: then there is nothing to move.
    if (pvec !== lru_pvecs$lru_add && !TestClearPageLRU(page)) continue
    lruvec = relock_page_lruvec_irqsave(page, lruvec, flags)
    if (pvec === lru_pvecs$lru_add) lru_add_fn(page, lruvec)
    else if (pvec === lru_pvecs$activate_page) activate_page_fn(page, lruvec)
    else if (pvec === lru_pvecs$lru_lazyfree) lru_lazyfree_fn(page, lruvec)
    else lru_move_tail_fn(page, lruvec)
    SetPageFlag(page, PG_lru)
  }
  if (lruvec !== 0) unlock_page_lruvec_irqrestore(lruvec, flags)
  this_cpu_write(pvec, 0)
  release_pages(pvec + 1, nr)
}

function lru_add_fn(page: Page, lruvec: Lruvec): void {
  VM_BUG_ON_PAGE(PageFlag(page, PG_lru), page)
  add_page_to_lru_list(page, lruvec)
}

function activate_page_fn(page: Page, lruvec: Lruvec): void {
  if (PageFlag(page, PG_active)) return
  del_page_from_lru_list(page, lruvec)
  SetPageFlag(page, PG_active)
  add_page_to_lru_list(page, lruvec)
  count_vm_event(PGACTIVATE)
}

/** What was written for reclaim is to be reclaimed next. */
function lru_move_tail_fn(page: Page, lruvec: Lruvec): void {
  del_page_from_lru_list(page, lruvec)
  ClearPageFlag(page, PG_active)
  add_page_to_lru_list_tail(page, lruvec)
  count_vm_event(PGROTATED)
}

/**
 * Without PG_swapbacked a clean anonymous page is dropped instead of swapped out; it waits for that on the list of
 * inactive file pages.
 */
function lru_lazyfree_fn(page: Page, lruvec: Lruvec): void {
  if (!PageAnon(page) || !PageSwapBacked(page) || PageFlag(page, PG_swapcache)) return
  del_page_from_lru_list(page, lruvec)
  ClearPageFlag(page, PG_active | PG_referenced)
  ClearPageFlag(page, PG_swapbacked)
  add_page_to_lru_list(page, lruvec)
  count_vm_event(PGLAZYFREE)
}

/** Lets a new page, which is on no list, come to its LRU list (folio_add_lru). */
export function lru_cache_add(page: Page): void {
  pagevec_add_and_need_flush(lru_pvecs$lru_add, page)
}

/** Empties the batches of this CPU. */
export function lru_add_drain(): void {
  if (this_cpu_read(lru_pvecs$lru_add) !== 0) pagevec_lru_move_fn(lru_pvecs$lru_add)
  if (this_cpu_read(lru_rotate$fbatch) !== 0) lru_rotate_drain()
  if (this_cpu_read(lru_pvecs$lru_lazyfree) !== 0) pagevec_lru_move_fn(lru_pvecs$lru_lazyfree)
  if (this_cpu_read(lru_pvecs$activate_page) !== 0) pagevec_lru_move_fn(lru_pvecs$activate_page)
}

/**
 * A page that reclaim had written is clean now: it goes where reclaim looks first. With interrupts off
 * (local_lock_irqsave of lru_rotate), for in Linux the end of a write is one; here whoever asked for the write ends it.
 */
export function folio_rotate_reclaimable(page: Page): void {
  if (PageFlag(page, PG_locked | PG_dirty) || !PageFlag(page, PG_lru)) return
  const flags = local_irq_save()
  pagevec_add_and_need_flush(lru_rotate$fbatch, page)
  local_irq_restore(flags)
}

function lru_rotate_drain(): void {
  const flags = local_irq_save()
  pagevec_lru_move_fn(lru_rotate$fbatch)
  local_irq_restore(flags)
}

/** MADV_FREE: the page's contents are not needed any more, unless it is written again. */
export function mark_page_lazyfree(page: Page): void {
  if (PageFlag(page, PG_lru) && PageAnon(page) && PageSwapBacked(page) && !PageFlag(page, PG_swapcache))
    pagevec_add_and_need_flush(lru_pvecs$lru_lazyfree, page)
}

/** Makes a page active that may still be in this CPU's batch of new ones. */
function __lru_cache_activate_page(page: Page): void {
  for (let i = this_cpu_read(lru_pvecs$lru_add); i > 0; i--)
    if (this_cpu_read(lru_pvecs$lru_add + i) === page) {
      SetPageFlag(page, PG_active)
      return
    }
}

/**
 * The page was used: inactive and unreferenced becomes referenced, that becomes active and unreferenced, that
 * referenced.
 */
export function mark_page_accessed(page: Page): void {
  if (!PageFlag(page, PG_referenced)) {
    SetPageFlag(page, PG_referenced)
    return
  }
  if (PageFlag(page, PG_active)) return
  if (PageFlag(page, PG_lru)) pagevec_add_and_need_flush(lru_pvecs$activate_page, page)
  else __lru_cache_activate_page(page)
  ClearPageFlag(page, PG_referenced)
}

// Off the list and back.

/**
 * Takes a page, of which the caller has a reference, off its list, with one more reference; false if it was on none.
 */
export function isolate_lru_page(page: Page): boolean {
  VM_BUG_ON_PAGE(page_ref_count(page) === 0, page)
  if (!TestClearPageLRU(page)) return false
  get_page(page)
  const lruvec = lock_page_lruvec_irq(page)
  del_page_from_lru_list(page, lruvec)
  unlock_page_lruvec_irq(lruvec)
  return true
}

/** Puts an isolated page back, through this CPU's batch, and drops the isolation's reference. */
export function putback_lru_page(page: Page): void {
  lru_cache_add(page)
  put_page(page)
}

/**
 * Puts the isolated pages of a chain (page$lru_next) back, and drops the isolation's references; those that were the
 * last free the page. Returns how many pages are on lists again.
 */
export function move_pages_to_lru(list: Page): number {
  let moved = 0
  let pages_to_free = 0 as Page
  let lruvec = 0 as Lruvec
  let next = 0 as Page
  for (let page = list; page !== 0; page = next) {
    next = load(page + page$lru_next) as Page
    lruvec = relock_page_lruvec_irq(page, lruvec)
    // PG_lru before the list: nobody isolates the page as long as the lock is held.
    SetPageFlag(page, PG_lru)
    add_page_to_lru_list(page, lruvec)
    if (!put_page_testzero(page)) {
      moved++
      continue
    }
    __clear_lru(page, lruvec)
    store(page + page$lru_next, pages_to_free)
    pages_to_free = page
  }
  if (lruvec !== 0) unlock_page_lruvec_irq(lruvec)
  free_unref_page_list(pages_to_free)
  return moved
}

/** A page without references leaves its list. Only who could take a reference first could isolate it: nobody. */
export function __page_cache_release(page: Page): void {
  if (!PageFlag(page, PG_lru)) return
  const lruvec = page_lruvec(page)
  const flags = spin_lock_irqsave(lruvec_lock(lruvec))
  __clear_lru(page, lruvec)
  unlock_page_lruvec_irqrestore(lruvec, flags)
}

function __clear_lru(page: Page, lruvec: Lruvec): void {
  VM_BUG_ON_PAGE(page_ref_count(page) !== 0, page)
  del_page_from_lru_list(page, lruvec)
  // Plain: nobody else has a reference.
  store(page + page$flags, load(page + page$flags) & ~(PG_lru | PG_active))
}

/**
 * Drops a reference to each of the `nr` pages at the words `pages` of this CPU's area. Those that are free then leave
 * their lists, some SWAP_CLUSTER_MAX under one hold of the lock.
 */
export function release_pages(pages: number, nr: number): void {
  let pages_to_free = 0 as Page
  const flags = local_save_flags()
  let lruvec = 0 as Lruvec
  let lock_batch = 0
  for (let i = 0; i < nr; i++) {
    const page = this_cpu_read(pages + i) as Page
    if (lruvec !== 0 && ++lock_batch === SWAP_CLUSTER_MAX) {
      unlock_page_lruvec_irqrestore(lruvec, flags)
      lruvec = 0 as Lruvec
    }
    if (!put_page_testzero(page)) continue
    if (PageFlag(page, PG_head)) {
      if (lruvec !== 0) unlock_page_lruvec_irqrestore(lruvec, flags)
      lruvec = 0 as Lruvec
      __put_page(page)
      continue
    }
    if (PageFlag(page, PG_lru)) {
      const locked = lruvec
      lruvec = relock_page_lruvec_irqsave(page, locked, flags)
      if (lruvec !== locked) lock_batch = 0
      __clear_lru(page, lruvec)
    }
    store(page + page$lru_next, pages_to_free)
    pages_to_free = page
  }
  if (lruvec !== 0) unlock_page_lruvec_irqrestore(lruvec, flags)
  free_unref_page_list(pages_to_free)
}

/** Frees the pages of a chain (page$lru_next). */
function free_unref_page_list(list: Page): void {
  let next = 0 as Page
  for (let page = list; page !== 0; page = next) {
    next = load(page + page$lru_next) as Page
    if (MEMCG) mem_cgroup_uncharge(page)
    free_unref_page(page)
  }
}
