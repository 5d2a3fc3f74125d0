/**
 * The map counts of pages, and which anon_vma and index a page has (mm/rmap.c, 6.1: page_add_anon_rmap and its
 * relatives).
 *
 * Left out: huge pages, hugetlb, KSM, pins (page_needs_cow_for_dma is never true), NR_ANON_MAPPED and the like.
 */
import { COW_REUSE } from '#config'
import { atomic_fetch_add } from '#atomic'
import { load, READ_ONCE, store, WRITE_ONCE } from '../../arch/access.ts'
import { BUG_ON, VM_BUG_ON_PAGE } from '../../arch/bug.ts'
import type { Page, Vma } from '../../arch/structs.ts'
import {
  anon_vma$root,
  page$_mapcount,
  page$flags,
  page$index,
  page$mapping,
  PAGE_MAPPING_ANON,
  PG_anon_exclusive,
  PG_swapbacked,
  vma$anon_vma,
  vma$vm_pgoff,
  vma$vm_start,
} from '../../arch/structs.ts'
import { ClearPageFlag, PageAnon, PageFlag, PageLocked, SetPageFlag } from '../mm.ts'

/** page->index of the page at `addr` of the VMA (linear_page_index). */
export function linear_page_index(vma: Vma, addr: number): number {
  return addr - load(vma + vma$vm_start) + load(vma + vma$vm_pgoff)
}

/** Whether the one entry that maps this anonymous page may write it without a copy (COW_REUSE=exclusive). */
export function PageAnonExclusive(page: Page): boolean {
  return PageFlag(page, PG_anon_exclusive)
}

export function SetPageAnonExclusive(page: Page): void {
  if (COW_REUSE === 0) SetPageFlag(page, PG_anon_exclusive)
}

export function ClearPageAnonExclusive(page: Page): void {
  if (COW_REUSE === 0) ClearPageFlag(page, PG_anon_exclusive)
}

/** Ties the page to the anon_vma: the VMA's own if only it can have the page, else the family's root. */
function __page_set_anon_rmap(page: Page, vma: Vma, addr: number, exclusive: boolean): void {
  if (!PageAnon(page)) {
    let anon_vma = READ_ONCE(vma + vma$anon_vma)
    BUG_ON(anon_vma === 0)
    if (!exclusive) anon_vma = load(anon_vma + anon_vma$root)
    WRITE_ONCE(page + page$mapping, anon_vma + PAGE_MAPPING_ANON)
    store(page + page$index, linear_page_index(vma, addr))
  }
  if (exclusive) SetPageAnonExclusive(page)
}

/** The first mapping of a new anonymous page that nobody else can reach yet. Under the ptl. */
export function page_add_new_anon_rmap(page: Page, vma: Vma, addr: number): void {
  const anon_vma = READ_ONCE(vma + vma$anon_vma)
  BUG_ON(anon_vma === 0)
  // Plain, all flags in one: the page is not published before the PTE.
  store(
    page + page$flags,
    load(page + page$flags) | PG_swapbacked | (COW_REUSE === 0 ? PG_anon_exclusive : 0),
  )
  store(page + page$_mapcount, 0)
  WRITE_ONCE(page + page$mapping, anon_vma + PAGE_MAPPING_ANON)
  store(page + page$index, linear_page_index(vma, addr))
}

/**
 * One more mapping of an anonymous page, `exclusive` (RMAP_EXCLUSIVE) if it is the only one. Under the ptl and, for the
 * first, the page lock.
 */
export function page_add_anon_rmap(page: Page, vma: Vma, addr: number, exclusive: boolean): void {
  const before = atomic_fetch_add(page + page$_mapcount, 1)
  VM_BUG_ON_PAGE(before < -1, page)
  VM_BUG_ON_PAGE(before >= 0 && exclusive, page)
  if (before === -1) __page_set_anon_rmap(page, vma, addr, exclusive)
}

/** One more mapping of a file or shmem page. Under the ptl. */
export function page_add_file_rmap(page: Page): void {
  VM_BUG_ON_PAGE(atomic_fetch_add(page + page$_mapcount, 1) < -1, page)
}

function __page_dup_rmap(page: Page): void {
  VM_BUG_ON_PAGE(atomic_fetch_add(page + page$_mapcount, 1) < 0, page)
}

/** One more mapping of a file or shmem page that is mapped, by fork. */
export function page_dup_file_rmap(page: Page): void {
  __page_dup_rmap(page)
}

/**
 * Fork shares an anonymous page: from now on nobody has it alone. The caller makes both entries read-only.
 * Returns 0; -EBUSY, for a page that is pinned, comes with get_user_pages.
 */
export function page_try_dup_anon_rmap(page: Page): number {
  ClearPageAnonExclusive(page)
  __page_dup_rmap(page)
  return 0
}

/** One more mapping, by fork, of a page of either kind (page_dup_rmap of the first seed). Under both ptls. */
export function page_dup_rmap(page: Page): void {
  if (PageAnon(page)) page_try_dup_anon_rmap(page)
  else page_dup_file_rmap(page)
}

/**
 * A write fault found that only this VMA has the page: it moves to the VMA's own anon_vma. Under the page lock and the
 * ptl.
 */
export function page_move_anon_rmap(page: Page, vma: Vma): void {
  VM_BUG_ON_PAGE(!PageLocked(page), page)
  const anon_vma = READ_ONCE(vma + vma$anon_vma)
  BUG_ON(anon_vma === 0)
  WRITE_ONCE(page + page$mapping, anon_vma + PAGE_MAPPING_ANON)
  SetPageAnonExclusive(page)
}

/** One mapping less. Under the ptl, after the entry has been cleared. */
export function page_remove_rmap(page: Page): void {
  VM_BUG_ON_PAGE(atomic_fetch_add(page + page$_mapcount, -1) < 0, page)
}
