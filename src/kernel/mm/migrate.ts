/**
 * Migration (mm/migrate.c, 6.1): migrate_pages for anonymous pages, migration_entry_wait, remove_migration_ptes. While
 * a page's contents move, its entries are migration entries, whose page stays locked; a fault on one waits for that
 * lock. Left out: file pages, huge pages, NUMA, batches and retries of a list, pins, young and dirty bits of migration
 * entries.
 */
import { MEMCG } from '#config'
import { atomic_fetch_and } from '#atomic'
import { copy_words, data_race, load, READ_ONCE, store, WRITE_ONCE } from '../arch/access.ts'
import { smp_wmb } from '../arch/barrier.ts'
import { VM_BUG_ON_PAGE } from '../arch/bug.ts'
import { CONTENT_WORDS } from '../arch/memory_map.ts'
import {
  mk_pte,
  page_to_pfn,
  pfn_to_page,
  pmd_bad,
  pte_mkold,
  pte_mkwrite,
  pte_offset,
  pte_present,
  ptep_get,
  set_pte_at,
} from '../arch/pgtable.ts'
import type { AnonVma, Mm, Page, Pmd, PmdP, Pte, SwpEntry, Vma } from '../arch/structs.ts'
import {
  page$flags,
  page$index,
  page$mapping,
  page$private,
  PG_active,
  PG_dirty,
  PG_error,
  PG_referenced,
  PG_locked,
  PG_swapbacked,
  PG_swapcache,
  vma$vm_flags,
  vma$vm_mm,
  vma$vm_page_prot,
  VM_WRITE,
} from '../arch/structs.ts'
import {
  is_migration_entry,
  is_swap_pte,
  pte_swp_keep,
  pte_to_swp_entry,
  SWP_MIGRATION_READ,
  SWP_MIGRATION_WRITE,
  swp_kind,
  swp_offset,
} from '../arch/swapops.ts'
import { page_address } from '../arch/uaccess.ts'
import { EAGAIN, ENOMEM } from '../errno.ts'
import { spin_lock_irq, spin_unlock_irq } from '../locking/spinlock.ts'
import { GFP_HIGHUSER_MOVABLE } from './gfp.ts'
import { mem_cgroup_migrate } from './memcontrol.ts'
import { vm_normal_page } from './memory/vmf.ts'
import {
  __SetPageFlag,
  ClearPageFlag,
  get_page,
  page_mapped,
  page_ref_count,
  page_ref_freeze,
  page_ref_unfreeze,
  PageAnon,
  PageFlag,
  PageUptodate,
  put_page,
  SetPageFlag,
  SetPageUptodate,
} from './mm.ts'
import { alloc_page } from './page_alloc.ts'
import {
  lock_page,
  migration_entry_queue,
  migration_entry_sleep,
  unlock_page,
  wait_on_page_writeback,
} from './page_lock.ts'
import { pte_table_lock_read, pte_table_unlock_read } from './ptl.ts'
import { put_anon_vma } from './rmap/anon_vma.ts'
import { page_add_anon_rmap } from './rmap/page_rmap.ts'
import { try_to_migrate } from './rmap/try_to_unmap.ts'
import {
  anon_vma_first,
  anon_vma_lock_read,
  anon_vma_next,
  anon_vma_unlock_read,
  avc_vma,
  folio_get_anon_vma,
  mm_find_pmd,
  page_vma_mapped_walk,
  page_vma_mapped_walk_done,
  PVMW_MIGRATION,
  PVMW_SYNC,
  vma_address,
} from './rmap/walk.ts'
import { lru_add_drain, lru_cache_add, putback_lru_page } from './swap.ts'
import { swap_i_pages_lock } from './swap_state.ts'
import { swap_cache } from './swapfile/swap_info.ts'
import { count_vm_event, PGMIGRATE_FAIL, PGMIGRATE_SUCCESS, RETRY_migration_entry_wait } from './vmstat.ts'

/** Waits until the migration entry of `addr` is none any more, if it still is one. */
export function migration_entry_wait(mm: Mm, pmd: PmdP, addr: number): void {
  const value = READ_ONCE(pmd) as Pmd
  const ptl = pte_table_lock_read(mm, value, addr)
  const pte = ptep_get(pte_offset(value, addr))
  const waits = is_swap_pte(pte) && is_migration_entry(pte_to_swp_entry(pte))
  // Queued before the lock is dropped: the entry keeps the page, and that it is locked.
  const sleeps = waits && migration_entry_queue(pfn_to_page(swp_offset(pte_to_swp_entry(pte))))
  pte_table_unlock_read(value, addr, ptl)
  if (!waits) count_vm_event(RETRY_migration_entry_wait)
  if (sleeps) migration_entry_sleep()
}

/** Maps `page` in the place of the migration entry for `old` in one VMA. */
function remove_migration_pte(page: Page, old: Page, vma: Vma, addr: number): void {
  const mm = load(vma + vma$vm_mm) as Mm
  const ptep = page_vma_mapped_walk(old, vma, addr, PVMW_SYNC | PVMW_MIGRATION)
  if (ptep === 0) return
  const pte = ptep_get(ptep)
  const kind = swp_kind(pte_to_swp_entry(pte))
  get_page(page)
  // Rights of the VMA without mmap_lock: mprotect changes the entries after them.
  let entry = (pte_mkold(mk_pte(page, READ_ONCE(vma + vma$vm_page_prot))) | pte_swp_keep(pte)) as Pte
  if (kind === SWP_MIGRATION_WRITE && (data_race(vma + vma$vm_flags) & VM_WRITE) !== 0)
    entry = pte_mkwrite(entry)
  page_add_anon_rmap(page, vma, addr, kind !== SWP_MIGRATION_READ)
  set_pte_at(mm, addr, ptep, entry)
  page_vma_mapped_walk_done()
}

/**
 * Replaces all migration entries for `old` by entries that map `page` (`old` itself if it stays). `anon_vma` is held.
 */
function remove_migration_ptes(page: Page, old: Page, anon_vma: AnonVma): void {
  anon_vma_lock_read(anon_vma)
  const pgoff = load(old + page$index)
  for (let avc = anon_vma_first(anon_vma, pgoff); avc !== 0; avc = anon_vma_next(avc, pgoff)) {
    const vma = avc_vma(avc)
    remove_migration_pte(page, old, vma, vma_address(old, vma))
  }
  anon_vma_unlock_read(anon_vma)
}

/**
 * Gives `to` the place of `page`, which is mapped nowhere: its anon_vma and index, and its slot of the swap cache. Both
 * are locked. -EAGAIN if somebody has a reference (folio_migrate_mapping).
 */
function folio_migrate_mapping(to: Page, page: Page): number {
  const cached = PageFlag(page, PG_swapcache)
  store(to + page$index, load(page + page$index))
  if (!cached) {
    if (page_ref_count(page) !== 1) return -EAGAIN
    WRITE_ONCE(to + page$mapping, READ_ONCE(page + page$mapping))
    __SetPageFlag(to, PG_swapbacked & READ_ONCE(page + page$flags))
    return 0
  }
  const entry = load(page + page$private) as SwpEntry
  spin_lock_irq(swap_i_pages_lock(entry))
  const frozen = page_ref_freeze(page, 2)
  if (frozen) {
    WRITE_ONCE(to + page$mapping, READ_ONCE(page + page$mapping))
    get_page(to)
    SetPageFlag(to, PG_swapbacked | PG_swapcache)
    WRITE_ONCE(to + page$private, entry)
    // As long as nobody can find either: who comes by the cache finds one page that is dirty, not two or none.
    if (PageFlag(page, PG_dirty)) {
      ClearPageFlag(page, PG_dirty)
      SetPageFlag(to, PG_dirty)
    }
    smp_wmb()
    WRITE_ONCE(swap_cache(entry), to)
    page_ref_unfreeze(page, 1)
  }
  spin_unlock_irq(swap_i_pages_lock(entry))
  return frozen ? 0 : -EAGAIN
}

/** Moves the contents and flags, once the place has been moved (migrate_folio). Returns 0 or -EAGAIN. */
function migrate_folio(to: Page, page: Page): number {
  const error = folio_migrate_mapping(to, page)
  if (error !== 0) return error
  if (MEMCG) mem_cgroup_migrate(page, to)
  copy_words(page_address(page_to_pfn(to)), page_address(page_to_pfn(page)), CONTENT_WORDS)
  // Others find it in the swap cache by now.
  if (PageUptodate(page)) SetPageUptodate(to)
  SetPageFlag(to, READ_ONCE(page + page$flags) & (PG_dirty | PG_active | PG_referenced | PG_error))
  // A page that is freed is on no list.
  atomic_fetch_and(page + page$flags, ~(PG_active | PG_swapcache))
  WRITE_ONCE(page + page$private, 0)
  return 0
}

/**
 * Moves one isolated page to a new one. Returns 0, -EAGAIN or -ENOMEM (migrate_folio_unmap and migrate_folio_move of
 * 6.1.192).
 */
function unmap_and_move(page: Page): number {
  // Given up meanwhile: the isolation's reference is the last.
  if (page_ref_count(page) === 1) {
    ClearPageFlag(page, PG_active)
    return 0
  }
  const to = alloc_page(GFP_HIGHUSER_MOVABLE)
  if (to === 0) return -ENOMEM
  lock_page(page)
  wait_on_page_writeback(page)
  VM_BUG_ON_PAGE(!PageAnon(page), page)
  const anon_vma = folio_get_anon_vma(page)
  __SetPageFlag(to, PG_locked)
  const was_mapped = page_mapped(page)
  VM_BUG_ON_PAGE(was_mapped && anon_vma === 0, page)
  if (was_mapped) try_to_migrate(page)
  const error = page_mapped(page) ? -EAGAIN : migrate_folio(to, page)
  // Before it is mapped: on its list it is where whoever maps it may look for it.
  if (error === 0) {
    lru_cache_add(to)
    if (was_mapped) lru_add_drain()
  }
  if (was_mapped) remove_migration_ptes(error === 0 ? to : page, page, anon_vma)
  unlock_page(to)
  if (anon_vma !== 0) put_anon_vma(anon_vma)
  unlock_page(page)
  put_page(to)
  return error
}

/**
 * The anonymous page that is mapped at `addr` of the VMA, with a reference; 0: none (follow_page with FOLL_GET). Under
 * mmap_lock.
 */
export function follow_page_get(vma: Vma, addr: number): Page {
  const mm = load(vma + vma$vm_mm) as Mm
  const pmd = mm_find_pmd(mm, addr)
  const value = (pmd === 0 ? 0 : READ_ONCE(pmd)) as Pmd
  if (pmd_bad(value)) return 0 as Page
  const ptl = pte_table_lock_read(mm, value, addr)
  const pte = ptep_get(pte_offset(value, addr))
  let page = pte_present(pte) ? vm_normal_page(vma, addr, pte) : (0 as Page)
  if (page !== 0 && !PageAnon(page)) page = 0 as Page
  if (page !== 0) get_page(page)
  pte_table_unlock_read(value, addr, ptl)
  return page
}

/**
 * Moves an isolated anonymous page elsewhere (migrate_pages); where it cannot, it goes back to its list. Returns 0,
 * -EAGAIN or -ENOMEM.
 */
export function migrate_page_of(page: Page): number {
  const error = unmap_and_move(page)
  if (error === 0) put_page(page)
  else putback_lru_page(page)
  count_vm_event(error === 0 ? PGMIGRATE_SUCCESS : PGMIGRATE_FAIL)
  return error
}
