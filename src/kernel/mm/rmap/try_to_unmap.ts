/**
 * try_to_unmap and try_to_migrate (mm/rmap.c, 6.1): take a locked anonymous page out of every page table that maps it,
 * for a swap entry or a migration entry. Left out: file pages, huge pages, pins, hwpoison, mlocked pages, mmu
 * notifiers.
 */
import { COW_REUSE } from '#config'
import { load } from '../../arch/access.ts'
import { smp_mb, smp_rmb } from '../../arch/barrier.ts'
import { BUG_ON, VM_BUG_ON_PAGE } from '../../arch/bug.ts'
import { page_to_pfn, pte_dirty, pte_write, ptep_get_and_clear, set_pte_at } from '../../arch/pgtable.ts'
import type { Mm, Page, Pte, PteP, SwpEntry, Vma } from '../../arch/structs.ts'
import {
  MM_ANONPAGES,
  MM_SWAPENTS,
  page$index,
  page$private,
  PG_dirty,
  PG_swapbacked,
  PG_swapcache,
  vma$vm_mm,
} from '../../arch/structs.ts'
import {
  make_migration_entry,
  pte_swp_keep,
  pte_swp_mkexclusive,
  SWP_MIGRATION_READ,
  SWP_MIGRATION_READ_EXCLUSIVE,
  SWP_MIGRATION_WRITE,
  swp_entry_to_pte,
} from '../../arch/swapops.ts'
import { ptep_clear_flush } from '../memory/do_wp_page.ts'
import {
  page_mapcount,
  page_mapped,
  page_ref_count,
  PageFlag,
  PageLocked,
  put_page,
  set_page_dirty,
  SetPageFlag,
} from '../mm.ts'
import { ClearPageAnonExclusive, page_remove_rmap, PageAnonExclusive } from './page_rmap.ts'
import { dec_mm_counter, inc_mm_counter } from '../rss.ts'
import { init_mm_mmlist, mmlist_add } from '../swapfile/mmlist.ts'
import { swap_duplicate } from '../swapfile/swap_map.ts'
import { RETRY_try_to_unmap_one$mmlist } from '../vmstat.ts'
import { should_defer_flush, set_tlb_ubc_flush_pending } from './tlb_batch.ts'
import {
  anon_vma_first,
  anon_vma_next,
  anon_vma_unlock_read,
  avc_vma,
  folio_lock_anon_vma_read,
  page_vma_mapped_walk,
  page_vma_mapped_walk_done,
  vma_address,
} from './walk.ts'

/** Clears the entry, atomic against the hardware; flushes it or defers that. Returns what it held. */
function unmap_clear(mm: Mm, addr: number, ptep: PteP, flags: number): Pte {
  if (!should_defer_flush(mm, flags)) return ptep_clear_flush(mm, addr, ptep)
  const pte = ptep_get_and_clear(mm, addr, ptep)
  set_tlb_ubc_flush_pending(mm, pte_dirty(pte))
  return pte
}

/**
 * MADV_FREE gave the page up: whether it may go without a copy, because nobody has written it or holds it. After the
 * entry is cleared.
 */
function lazyfree_discardable(page: Page): boolean {
  // Against whoever takes a reference and then looks at the entry again: the entry is cleared first, then counted.
  smp_mb()
  const ref_count = page_ref_count(page)
  const map_count = page_mapcount(page)
  // The count before the flag: whoever drops a reference has set it before.
  smp_rmb()
  return ref_count === 1 + map_count && !PageFlag(page, PG_dirty)
}

/**
 * What takes the place of a cleared entry `pte`: a swap entry, with its use of the slot; 0 if the slot cannot have one
 * more.
 */
function swap_pte(page: Page, pte: Pte): Pte {
  const entry = load(page + page$private) as SwpEntry
  if (swap_duplicate(entry) < 0) return 0 as Pte
  const exclusive = PageAnonExclusive(page)
  if (exclusive) ClearPageAnonExclusive(page)
  const swp = (swp_entry_to_pte(entry) | pte_swp_keep(pte)) as Pte
  return exclusive ? pte_swp_mkexclusive(swp) : swp
}

/** Unmaps the page from one VMA; false if it must stay mapped. */
function try_to_unmap_one(page: Page, vma: Vma, addr: number, flags: number): boolean {
  const mm = load(vma + vma$vm_mm) as Mm
  const ptep = page_vma_mapped_walk(page, vma, addr, 0)
  if (ptep === 0) return true
  const pte = unmap_clear(mm, addr, ptep, flags)
  if (pte_dirty(pte)) set_page_dirty(page)
  const swapbacked = PageFlag(page, PG_swapbacked)
  VM_BUG_ON_PAGE(swapbacked !== PageFlag(page, PG_swapcache), page)
  const discard = !swapbacked && lazyfree_discardable(page)
  const swp = swapbacked ? swap_pte(page, pte) : (0 as Pte)
  if (!discard && swp === 0) {
    // Written since it was given up, or held, or no room to count one more: it stays.
    set_pte_at(mm, addr, ptep, pte)
    if (!swapbacked) SetPageFlag(page, PG_swapbacked)
    page_vma_mapped_walk_done()
    return false
  }
  dec_mm_counter(mm, MM_ANONPAGES)
  if (!discard) {
    mmlist_add(mm, init_mm_mmlist, RETRY_try_to_unmap_one$mmlist)
    inc_mm_counter(mm, MM_SWAPENTS)
    set_pte_at(mm, addr, ptep, swp)
  }
  page_remove_rmap(page)
  put_page(page)
  page_vma_mapped_walk_done()
  return true
}

/**
 * Unmaps a locked anonymous page that is in the swap cache, or was given up by MADV_FREE, as far as it can; `flags`:
 * TTU_BATCH_FLUSH. The caller has a reference and looks at page_mapped afterwards.
 */
export function try_to_unmap(page: Page, flags: number): void {
  VM_BUG_ON_PAGE(!PageLocked(page), page)
  const anon_vma = folio_lock_anon_vma_read(page, false)
  if (anon_vma === 0) return
  const pgoff = load(page + page$index)
  for (let avc = anon_vma_first(anon_vma, pgoff); avc !== 0; avc = anon_vma_next(avc, pgoff)) {
    const vma = avc_vma(avc)
    if (!try_to_unmap_one(page, vma, vma_address(page, vma), flags) || !page_mapped(page)) break
  }
  anon_vma_unlock_read(anon_vma)
}

/** Puts a migration entry in the place of the entry of one VMA that maps the page. */
function try_to_migrate_one(page: Page, vma: Vma, addr: number): void {
  const mm = load(vma + vma$vm_mm) as Mm
  const ptep = page_vma_mapped_walk(page, vma, addr, 0)
  if (ptep === 0) return
  const pte = ptep_clear_flush(mm, addr, ptep)
  if (pte_dirty(pte)) set_page_dirty(page)
  const exclusive = PageAnonExclusive(page)
  BUG_ON(COW_REUSE === 0 && pte_write(pte) && !exclusive)
  if (exclusive) ClearPageAnonExclusive(page)
  const kind = pte_write(pte)
    ? SWP_MIGRATION_WRITE
    : exclusive
      ? SWP_MIGRATION_READ_EXCLUSIVE
      : SWP_MIGRATION_READ
  const entry = make_migration_entry(kind, page_to_pfn(page))
  set_pte_at(mm, addr, ptep, (swp_entry_to_pte(entry) | pte_swp_keep(pte)) as Pte)
  page_remove_rmap(page)
  put_page(page)
  page_vma_mapped_walk_done()
}

/**
 * Replaces every entry that maps the locked anonymous page by a migration entry. The caller has a reference, and looks
 * at page_mapped afterwards: an entry that somebody else has just cleared may still count.
 */
export function try_to_migrate(page: Page): void {
  VM_BUG_ON_PAGE(!PageLocked(page), page)
  const anon_vma = folio_lock_anon_vma_read(page, false)
  if (anon_vma === 0) return
  const pgoff = load(page + page$index)
  for (
    let avc = anon_vma_first(anon_vma, pgoff);
    avc !== 0 && page_mapped(page);
    avc = anon_vma_next(avc, pgoff)
  ) {
    const vma = avc_vma(avc)
    try_to_migrate_one(page, vma, vma_address(page, vma))
  }
  anon_vma_unlock_read(anon_vma)
}
