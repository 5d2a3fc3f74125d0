/**
 * The LRU lists under reclaim (mm/vmscan.c, 6.1): isolate_lru_pages, shrink_active_list, shrink_inactive_list,
 * move_pages_to_lru. Pages leave the tails of their lists for a list of this CPU's own, and come back at the heads.
 * Left out: too_many_isolated and other throttling, references of file pages and executable ones that stay active,
 * counts of isolated pages, workingset.
 */
import { load, store, this_cpu_read } from '../../arch/access.ts'
import { SWAP_CLUSTER_MAX } from '../../arch/limits.ts'
import { scan$memalloc, scan$ret_pages } from '../../arch/percpu.ts'
import type { Lruvec, Page } from '../../arch/structs.ts'
import { LRU_ACTIVE, page$lru_next, PG_active } from '../../arch/structs.ts'
import { list_add, list_del, list_empty, list_last } from '../../lib/list.ts'
import { cond_resched } from '../../sched/core.ts'
import { ClearPageFlag, get_page_unless_zero, PageAnon, put_page } from '../mm.ts'
import { folio_referenced } from '../rmap/referenced.ts'
import {
  del_page_from_lru_list,
  lock_lruvec_irq,
  lru_add_drain,
  lruvec_list,
  lruvec_page_state,
  move_pages_to_lru,
  TestClearPageLRU,
  unlock_page_lruvec_irq,
} from '../swap.ts'
import {
  count_vm_events,
  PGDEACTIVATE,
  PGSCAN_DIRECT,
  PGSCAN_KSWAPD,
  PGSTEAL_DIRECT,
  PGSTEAL_KSWAPD,
} from '../vmstat.ts'
import { RECLAIM_KSWAPD, shrink_page_list } from './shrink_page_list.ts'

/** Puts the page at the head of its list, out of the way of the scan. */
function list_move(page: Page, head: number): void {
  list_del(page + page$lru_next)
  list_add(page + page$lru_next, head)
}

/**
 * Takes up to `nr_to_scan` pages off the tail of a list: a chain by page$lru_next, the oldest first, each with a
 * reference. Under lru_lock.
 */
function isolate_lru_pages(nr_to_scan: number, lruvec: Lruvec, lru: number): Page {
  const head = lruvec_list(lruvec, lru)
  let taken = 0 as Page
  let last = 0 as Page
  for (let scan = 0; scan < nr_to_scan && !list_empty(head); scan++) {
    const page = (list_last(head) - page$lru_next) as Page
    // Without a reference it is being freed.
    if (!get_page_unless_zero(page)) {
      list_move(page, head)
      continue
    }
    // Another CPU has it, and comes for the lock.
    if (!TestClearPageLRU(page)) {
      list_move(page, head)
      put_page(page)
      continue
    }
    del_page_from_lru_list(page, lruvec)
    store(page + page$lru_next, 0)
    if (taken === 0) taken = page
    else store(last + page$lru_next, page)
    last = page
  }
  return taken
}

function isolate(nr_to_scan: number, lruvec: Lruvec, lru: number): Page {
  lru_add_drain()
  lock_lruvec_irq(lruvec)
  const list = isolate_lru_pages(nr_to_scan, lruvec, lru)
  unlock_page_lruvec_irq(lruvec)
  return list
}

function chain_length(list: Page): number {
  let n = 0
  for (let page = list; page !== 0; page = load(page + page$lru_next) as Page) n++
  return n
}

/**
 * Makes pages inactive, and their entries old: whether they are used will show. No page is locked for it; one whose
 * anon_vma somebody changes keeps its entries as they are.
 */
function shrink_active_list(nr_to_scan: number, lruvec: Lruvec, lru: number): void {
  const list = isolate(nr_to_scan, lruvec, lru)
  for (let page = list; page !== 0; page = load(page + page$lru_next) as Page) {
    cond_resched()
    if (PageAnon(page)) folio_referenced(page, true)
    ClearPageFlag(page, PG_active)
  }
  count_vm_events(PGDEACTIVATE, move_pages_to_lru(list))
}

/** Reclaims from a list of inactive pages; returns how many pages it freed. */
function shrink_inactive_list(nr_to_scan: number, lruvec: Lruvec, lru: number): number {
  const list = isolate(nr_to_scan, lruvec, lru)
  if (list === 0) return 0
  const kswapd = this_cpu_read(scan$memalloc) === RECLAIM_KSWAPD
  count_vm_events(kswapd ? PGSCAN_KSWAPD : PGSCAN_DIRECT, chain_length(list))
  const reclaimed = shrink_page_list(list)
  count_vm_events(kswapd ? PGSTEAL_KSWAPD : PGSTEAL_DIRECT, reclaimed)
  move_pages_to_lru(this_cpu_read(scan$ret_pages) as Page)
  return reclaimed
}

/** Whether there are fewer inactive than active pages of the kind of `lru`. */
function inactive_is_low(lruvec: Lruvec, lru: number): boolean {
  const inactive = lru & ~LRU_ACTIVE
  return lruvec_page_state(lruvec, inactive) < lruvec_page_state(lruvec, inactive | LRU_ACTIVE)
}

/** Scans `nr_to_scan` pages of the list `lru` in batches, until enough are freed. Returns how many were. */
export function shrink_list(lruvec: Lruvec, lru: number, nr_to_scan: number, nr_to_reclaim: number): number {
  let reclaimed = 0
  for (let left = nr_to_scan; left > 0 && reclaimed < nr_to_reclaim; left -= SWAP_CLUSTER_MAX) {
    const batch = Math.min(left, SWAP_CLUSTER_MAX)
    if ((lru & LRU_ACTIVE) === 0) reclaimed += shrink_inactive_list(batch, lruvec, lru)
    else if (inactive_is_low(lruvec, lru)) shrink_active_list(batch, lruvec, lru)
    cond_resched()
  }
  return reclaimed
}
