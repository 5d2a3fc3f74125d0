/**
 * References, map counts and flags of struct page (include/linux/mm.h, page_ref.h, page-flags.h, 6.1).
 * TAIL_REFS=tail, the counting of tail pages before 4.5, comes with huge pages; here tails resolve to their head.
 */
import { atomic_fetch_add, atomic_fetch_and, atomic_fetch_or, atomic_load, cmpxchg } from '#atomic'
import { load, READ_ONCE, store, WRITE_ONCE } from '../arch/access.ts'
import { smp_wmb } from '../arch/barrier.ts'
import { VM_BUG_ON_PAGE } from '../arch/bug.ts'
import type { AddressSpace, AnonVma, Page } from '../arch/structs.ts'
import {
  page$_mapcount,
  page$_refcount,
  page$compound_head,
  page$flags,
  page$mapping,
  PAGE_MAPPING_ANON,
  PG_dirty,
  PG_locked,
  PG_swapbacked,
  PG_uptodate,
} from '../arch/structs.ts'
import { __put_page } from './page_alloc.ts'

/** The page itself, or the head of the compound page it is a tail of. */
export function compound_head(page: Page): Page {
  const head = load(page + page$compound_head)
  return (head & 1) !== 0 ? ((head - 1) as Page) : page
}

export function page_ref_count(page: Page): number {
  return READ_ONCE(page + page$_refcount)
}

export function set_page_count(page: Page, count: number): void {
  WRITE_ONCE(page + page$_refcount, count)
}

/** Takes a reference to a page that has one. */
export function get_page(page: Page): void {
  page = compound_head(page)
  VM_BUG_ON_PAGE(atomic_fetch_add(page + page$_refcount, 1) <= 0, page)
}

/** Takes a reference unless the page has none (folio_try_get). */
export function get_page_unless_zero(page: Page): boolean {
  for (let count = atomic_load(page + page$_refcount); count !== 0;) {
    const seen = cmpxchg(page + page$_refcount, count, count + 1)
    if (seen === count) return true
    count = seen
  }
  return false
}

/** Drops a reference; whether it was the last. */
export function put_page_testzero(page: Page): boolean {
  const before = atomic_fetch_add(page + page$_refcount, -1)
  VM_BUG_ON_PAGE(before <= 0, page)
  return before === 1
}

/** Drops a reference; the last one frees the page. */
export function put_page(page: Page): void {
  page = compound_head(page)
  if (put_page_testzero(page)) __put_page(page)
}

/** Takes all `count` references at once, if there are so many; then nobody can take one (page_ref_freeze). */
export function page_ref_freeze(page: Page, count: number): boolean {
  return cmpxchg(page + page$_refcount, count, 0) === count
}

/** Gives `count` references back to a page whose count was frozen. */
export function page_ref_unfreeze(page: Page, count: number): void {
  VM_BUG_ON_PAGE(page_ref_count(page) !== 0, page)
  set_page_count(page, count)
}

/** Number of page table entries that map the page (page_mapcount). */
export function page_mapcount(page: Page): number {
  return READ_ONCE(page + page$_mapcount) + 1
}

export function page_mapped(page: Page): boolean {
  return page_mapcount(page) > 0
}

export function PageAnon(page: Page): boolean {
  return (READ_ONCE(page + page$mapping) & PAGE_MAPPING_ANON) !== 0
}

/** The anon_vma of an anonymous page, or 0. */
export function page_anon_vma(page: Page): AnonVma {
  const mapping = READ_ONCE(page + page$mapping)
  return ((mapping & PAGE_MAPPING_ANON) !== 0 ? mapping - PAGE_MAPPING_ANON : 0) as AnonVma
}

/** The object a file or shmem page belongs to, or 0. */
export function page_mapping(page: Page): AddressSpace {
  const mapping = READ_ONCE(page + page$mapping)
  return ((mapping & PAGE_MAPPING_ANON) !== 0 ? 0 : mapping) as AddressSpace
}

/** Any of the PG_ flags in `flag`. */
export function PageFlag(page: Page, flag: number): boolean {
  return (READ_ONCE(page + page$flags) & flag) !== 0
}

/** Sets a flag of a page that others can reach. */
export function SetPageFlag(page: Page, flag: number): void {
  if ((READ_ONCE(page + page$flags) & flag) !== flag) atomic_fetch_or(page + page$flags, flag)
}

export function ClearPageFlag(page: Page, flag: number): void {
  if ((READ_ONCE(page + page$flags) & flag) !== 0) atomic_fetch_and(page + page$flags, ~flag)
}

/** Sets a flag of a page that nobody else knows yet. */
export function __SetPageFlag(page: Page, flag: number): void {
  store(page + page$flags, load(page + page$flags) | flag)
}

export function PageLocked(page: Page): boolean {
  return PageFlag(page, PG_locked)
}

export function PageUptodate(page: Page): boolean {
  return PageFlag(page, PG_uptodate)
}

export function PageSwapBacked(page: Page): boolean {
  return PageFlag(page, PG_swapbacked)
}

/** Says that the contents are complete; orders the stores to them before whatever publishes the page. */
export function __SetPageUptodate(page: Page): void {
  smp_wmb()
  __SetPageFlag(page, PG_uptodate)
}

/** The same for a page that others can find by now (folio_mark_uptodate). */
export function SetPageUptodate(page: Page): void {
  smp_wmb()
  SetPageFlag(page, PG_uptodate)
}

/** Whether the page was clean before (set_page_dirty). */
export function set_page_dirty(page: Page): boolean {
  if (PageFlag(page, PG_dirty)) return false
  return (atomic_fetch_or(page + page$flags, PG_dirty) & PG_dirty) === 0
}
