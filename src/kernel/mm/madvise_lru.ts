/**
 * The advice that ages or gives up pages one by one (mm/madvise.c, 6.1): MADV_PAGEOUT with
 * madvise_cold_or_pageout_pte_range, MADV_FREE with madvise_free_pte_range. Left out: MADV_COLD, huge pages, file
 * pages.
 */
import { SWAP } from '#config'
import { load, READ_ONCE, store } from '../arch/access.ts'
import {
  pmd_addr_end,
  pmd_bad,
  pte_clear,
  pte_dirty,
  pte_mkclean,
  pte_mkold,
  pte_none,
  pte_offset,
  pte_present,
  pte_young,
  ptep_get,
  ptep_get_and_clear,
  set_pte_at,
} from '../arch/pgtable.ts'
import type { Mm, Page, Pmd, PteP, Vma } from '../arch/structs.ts'
import {
  MM_SWAPENTS,
  page$lru_next,
  PG_dirty,
  PG_lru,
  PG_referenced,
  PG_swapcache,
  vma$vm_mm,
} from '../arch/structs.ts'
import { is_migration_entry, is_swap_pte, non_swap_entry, pte_to_swp_entry } from '../arch/swapops.ts'
import { cond_resched } from '../sched/core.ts'
import { vm_normal_page } from './memory/vmf.ts'
import { ClearPageFlag, page_mapcount, PageAnon, PageFlag } from './mm.ts'
import { tlb_finish_mmu, tlb_gather_mmu, tlb_remove_tlb_entry } from './mmu_gather.ts'
import { trylock_page, unlock_page } from './page_lock.ts'
import { pte_table_lock, pte_table_unlock } from './ptl.ts'
import { flush_tlb_batched_pending } from './rmap/tlb_batch.ts'
import { mm_find_pmd } from './rmap/walk.ts'
import { add_mm_counter, sync_mm_rss_of } from './rss.ts'
import { isolate_lru_page, lru_add_drain, mark_page_lazyfree } from './swap.ts'
import { free_swap_and_cache, try_to_free_swap } from './swapfile/swap_map.ts'
import { reclaim_pages } from './vmscan/shrink_page_list.ts'

/**
 * Makes a present entry old, and clean if `clean`; atomic against the hardware. What a TLB holds goes when the gather
 * ends.
 */
function age_pte(mm: Mm, addr: number, ptep: PteP, clean: boolean): void {
  const pte = ptep_get(ptep)
  if (!pte_young(pte) && !(clean && pte_dirty(pte))) return
  let aged = pte_mkold(ptep_get_and_clear(mm, addr, ptep))
  if (clean) aged = pte_mkclean(aged)
  set_pte_at(mm, addr, ptep, aged)
  tlb_remove_tlb_entry(addr)
}

/** Takes the pages that only the entries of [addr, end), within one table, map, and reclaims them. A gather is open. */
function madvise_pageout_pte_range(vma: Vma, pmd: Pmd, addr: number, end: number): void {
  const mm = load(vma + vma$vm_mm) as Mm
  let list = 0 as Page
  let last = 0 as Page
  const start = addr
  let ptep = pte_offset(pmd, addr)
  const ptl = pte_table_lock(mm, pmd, start, end)
  flush_tlb_batched_pending(mm)
  for (; addr < end; addr++, ptep++) {
    const pte = ptep_get(ptep)
    if (!pte_present(pte)) continue
    const page = vm_normal_page(vma, addr, pte)
    // What others map, too, is not this caller's to give up; and what is on no list, somebody else has.
    if (page === 0 || !PageAnon(page) || !PageFlag(page, PG_lru) || page_mapcount(page) !== 1) continue
    age_pte(mm, addr, ptep, false)
    ClearPageFlag(page, PG_referenced)
    if (!isolate_lru_page(page)) continue
    store(page + page$lru_next, 0)
    if (list === 0) list = page
    else store(last + page$lru_next, page)
    last = page
  }
  pte_table_unlock(pmd, start, end, ptl)
  reclaim_pages(list)
}

/**
 * Gives the pages of [addr, end), within one table, up: as long as nobody writes them, they may be freed without a
 * copy. A gather is open.
 */
function madvise_free_pte_range(vma: Vma, pmd: Pmd, addr: number, end: number): void {
  const mm = load(vma + vma$vm_mm) as Mm
  let swapents = 0
  const start = addr
  let ptep = pte_offset(pmd, addr)
  const ptl = pte_table_lock(mm, pmd, start, end)
  flush_tlb_batched_pending(mm)
  for (; addr < end; addr++, ptep++) {
    const pte = ptep_get(ptep)
    if (pte_none(pte)) continue
    if (is_swap_pte(pte)) {
      const entry = pte_to_swp_entry(pte)
      if (!non_swap_entry(entry)) {
        swapents--
        free_swap_and_cache(entry)
      } else if (is_migration_entry(entry)) continue
      pte_clear(mm, addr, ptep)
      continue
    }
    const page = pte_present(pte) ? vm_normal_page(vma, addr, pte) : (0 as Page)
    if (page === 0 || !PageAnon(page) || !madvise_free_page(page)) continue
    age_pte(mm, addr, ptep, true)
    mark_page_lazyfree(page)
  }
  if (swapents !== 0) {
    sync_mm_rss_of(mm)
    add_mm_counter(mm, MM_SWAPENTS, swapents)
  }
  pte_table_unlock(pmd, start, end, ptl)
}

/**
 * Sees to it that the page is clean and has no slot, if that can be done at once; whether it is. The dirty flag of a
 * page that others map, too, is not this caller's to clear: their entries need not say so.
 */
function madvise_free_page(page: Page): boolean {
  if (!PageFlag(page, PG_swapcache | PG_dirty)) return true
  if (!trylock_page(page)) return false
  const alone = page_mapcount(page) === 1
  const clean = alone && (!PageFlag(page, PG_swapcache) || try_to_free_swap(page))
  if (clean) ClearPageFlag(page, PG_dirty)
  unlock_page(page)
  return clean
}

/**
 * Applies MADV_PAGEOUT, or with `free` MADV_FREE, to [start, end) of one VMA. mmap_lock is held for reading at least.
 */
export function madvise_lru_range(vma: Vma, start: number, end: number, free: boolean): void {
  if (!SWAP) return
  const mm = load(vma + vma$vm_mm) as Mm
  // Pages of this CPU's batches are on no list yet.
  lru_add_drain()
  tlb_gather_mmu(mm)
  for (let addr = start, next = start; addr < end; addr = next) {
    next = pmd_addr_end(addr, end)
    const pmd = mm_find_pmd(mm, addr)
    const value = (pmd === 0 ? 0 : READ_ONCE(pmd)) as Pmd
    if (pmd_bad(value)) continue
    if (free) madvise_free_pte_range(vma, value, addr, next)
    else madvise_pageout_pte_range(vma, value, addr, next)
    cond_resched()
  }
  tlb_finish_mmu()
}
