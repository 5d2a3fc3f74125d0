/**
 * Taking mappings away (mm/memory.c, 6.1): unmap_vmas, zap_page_range down to zap_pte_range, and free_pgtables with
 * free_pgd_range. What is freed goes through this CPU's mmu_gather and is freed after the flush.
 * Left out: huge pages, mlocked pages, zap_details, VM_SEQ_READ, userfaultfd, device memory.
 */
import { PGTABLE_LEVELS, SWAP } from '#config'
import { load, READ_ONCE, WRITE_ONCE } from '../../arch/access.ts'
import { BUG_ON } from '../../arch/bug.ts'
import {
  P4D_SHIFT,
  p4d_addr_end,
  p4d_none_or_bad,
  p4d_offset,
  pgd_addr_end,
  pgd_none_or_bad,
  pgd_offset,
  PGDIR_SHIFT,
  pmd_addr_end,
  pmd_bad,
  pmd_none,
  pmd_offset,
  pmd_page,
  PMD_SHIFT,
  pfn_to_page,
  pte_clear,
  pte_dirty,
  pte_none,
  pte_offset,
  pte_present,
  pte_young,
  ptep_get,
  ptep_get_and_clear,
  pud_addr_end,
  pud_none_or_bad,
  pud_offset,
  PUD_SHIFT,
} from '../../arch/pgtable.ts'
import type { Mm, P4dP, Page, Pmd, PmdP, Pte, PteP, PudP, Vma } from '../../arch/structs.ts'
import {
  mm$map_count,
  mm$mm_mt,
  MM_ANONPAGES,
  MM_FILEPAGES,
  MM_SHMEMPAGES,
  MM_SWAPENTS,
  vma$vm_end,
  vma$vm_mm,
  vma$vm_start,
} from '../../arch/structs.ts'
import {
  is_migration_entry,
  is_swap_pte,
  non_swap_entry,
  pte_to_swp_entry,
  swp_offset,
} from '../../arch/swapops.ts'
import { cond_resched, need_resched } from '../../sched/core.ts'
import { PageAnon, set_page_dirty } from '../mm.ts'
import {
  __tlb_remove_page,
  tlb_finish_mmu,
  tlb_flush_mmu,
  tlb_flush_mmu_tlbonly,
  tlb_gather_mmu,
  tlb_remove_table,
  tlb_remove_tlb_entry,
} from '../mmu_gather.ts'
import { mm_dec_nr_tables } from '../pgalloc.ts'
import { pte_table_lock, pte_table_unlock } from '../ptl.ts'
import { page_remove_rmap } from '../rmap/page_rmap.ts'
import { flush_tlb_batched_pending } from '../rmap/tlb_batch.ts'
import { add_mm_rss_vec, mm_counter } from '../rss.ts'
import { lru_add_drain, mark_page_accessed } from '../swap.ts'
import { free_swap_and_cache } from '../swapfile/swap_map.ts'
import { vm_normal_page } from './vmf.ts'

/**
 * Clears an entry of swap, which gives up its slot, or of another kind. Returns which rss counter it was counted by;
 * -1: none.
 */
function zap_nonpresent_pte(mm: Mm, addr: number, ptep: PteP, pte: Pte): number {
  const entry = pte_to_swp_entry(pte)
  let member = -1
  if (!non_swap_entry(entry)) {
    member = MM_SWAPENTS
    free_swap_and_cache(entry)
  } else if (is_migration_entry(entry)) member = mm_counter(pfn_to_page(swp_offset(entry)))
  pte_clear(mm, addr, ptep)
  return member
}

/** What the entry knew goes to its page, of a file or object. Returns whether to flush before the lock is dropped. */
function zap_file_pte(page: Page, pte: Pte): boolean {
  const dirty = pte_dirty(pte)
  if (dirty) set_page_dirty(page)
  // Without swap there are no lists that could use it.
  if (SWAP && pte_young(pte)) mark_page_accessed(page)
  return dirty
}

/**
 * Clears the PTEs of [addr, end), within one PMD. A full bundle, or a dirty page of an object, has the TLBs flushed
 * before the lock is dropped: a write through a stale entry could be missed by whoever cleans the page next. Gives way
 * between two entries when it should.
 */
function zap_pte_range(mm: Mm, vma: Vma, pmd: PmdP, addr: number, end: number): void {
  while (addr !== end) {
    let anon = 0
    let file = 0
    let shmem = 0
    let swapents = 0
    let force_flush = false
    let full = false
    const value = READ_ONCE(pmd) as Pmd
    let ptep = pte_offset(value, addr)
    const start = addr
    const ptl = pte_table_lock(mm, value, start, end)
    if (SWAP) flush_tlb_batched_pending(mm)
    do {
      const ptent = ptep_get(ptep)
      if (!pte_none(ptent)) {
        if (need_resched()) break
        let member = -1
        if (SWAP && is_swap_pte(ptent)) member = zap_nonpresent_pte(mm, addr, ptep, ptent)
        else {
          BUG_ON(!pte_present(ptent))
          const pte = ptep_get_and_clear(mm, addr, ptep)
          tlb_remove_tlb_entry(addr)
          const page = vm_normal_page(vma, addr, pte)
          if (page !== 0) {
            if (!PageAnon(page) && zap_file_pte(page, pte)) force_flush = true
            member = mm_counter(page)
            page_remove_rmap(page)
            full = __tlb_remove_page(page)
          }
        }
        if (member === MM_ANONPAGES) anon--
        else if (member === MM_FILEPAGES) file--
        else if (member === MM_SHMEMPAGES) shmem--
        else if (member === MM_SWAPENTS) swapents--
      }
      ptep++
      addr++
    } while (addr !== end && !full)
    add_mm_rss_vec(mm, file, anon, swapents, shmem)
    if (full) force_flush = true
    if (force_flush) tlb_flush_mmu_tlbonly()
    pte_table_unlock(value, start, end, ptl)
    if (force_flush) tlb_flush_mmu()
    if (addr !== end) cond_resched()
  }
}

function zap_pmd_range(mm: Mm, vma: Vma, pud: PudP, addr: number, end: number): void {
  let pmd = pmd_offset(pud, addr)
  do {
    const next = pmd_addr_end(addr, end)
    const value = READ_ONCE(pmd) as Pmd
    if (!pmd_none(value)) {
      BUG_ON(pmd_bad(value))
      zap_pte_range(mm, vma, pmd, addr, next)
    }
    cond_resched()
    pmd++
    addr = next
  } while (addr !== end)
}

function zap_pud_range(mm: Mm, vma: Vma, p4d: P4dP, addr: number, end: number): void {
  do {
    const next = pud_addr_end(addr, end)
    const pud = pud_offset(p4d, addr)
    if (!pud_none_or_bad(pud)) zap_pmd_range(mm, vma, pud, addr, next)
    addr = next
  } while (addr !== end)
}

/** Clears every PTE of `vma` in [addr, end), into the gather that is open (unmap_page_range). */
function unmap_page_range(vma: Vma, addr: number, end: number): void {
  const mm = load(vma + vma$vm_mm) as Mm
  do {
    const next = p4d_addr_end(addr, pgd_addr_end(addr, end))
    const pgd = pgd_offset(mm, addr)
    if (!pgd_none_or_bad(pgd)) {
      const p4d = p4d_offset(pgd, addr)
      if (!p4d_none_or_bad(p4d)) zap_pud_range(mm, vma, p4d, addr, next)
    }
    addr = next
  } while (addr !== end)
}

/** Clears the PTEs that lie in [start, end) of one VMA (unmap_single_vma). */
export function unmap_single_vma(vma: Vma, start: number, end: number): void {
  const from = Math.max(load(vma + vma$vm_start), start)
  const to = Math.min(load(vma + vma$vm_end), end)
  if (from < to) unmap_page_range(vma, from, to)
}

/** Clears the PTEs in [start, end) of all VMAs of `mm` from index `first` of mm$mm_mt on. A gather is open. */
export function unmap_vmas(mm: Mm, first: number, start: number, end: number): void {
  const count = load(mm + mm$map_count)
  for (let i = first; i < count; i++) {
    const vma = load(mm + mm$mm_mt + i) as Vma
    if (load(vma + vma$vm_start) >= end) return
    unmap_single_vma(vma, start, end)
  }
}

/** Gathers, clears and flushes `npages` pages from `start` of one VMA. mmap_lock is held, for reading at least. */
export function zap_page_range(vma: Vma, start: number, npages: number): void {
  if (SWAP) lru_add_drain()
  tlb_gather_mmu(load(vma + vma$vm_mm) as Mm)
  unmap_single_vma(vma, start, start + npages)
  tlb_finish_mmu()
}

/**
 * Takes the table under `entry`, which spans pages of `1 << shift` from addr's block on, out of the tree, if no page of
 * that block outside [floor, ceiling) could use it. The entry is cleared, the table freed after the flush.
 */
function free_table_above(
  mm: Mm,
  entry: number,
  shift: number,
  addr: number,
  end: number,
  floor: number,
  ceiling: number,
): void {
  const span = 1 << shift
  const start = Math.floor(addr / span) * span
  if (start < floor) return
  const last = Math.floor((end + span - 1) / span) * span
  if (ceiling !== 0 && last > ceiling) return
  const table = pmd_page(load(entry) as Pmd)
  WRITE_ONCE(entry, 0)
  tlb_remove_table(table, addr, end)
  mm_dec_nr_tables(mm)
}

function free_pmd_range(mm: Mm, pud: PudP, addr: number, end: number, floor: number, ceiling: number): void {
  const start = addr
  let pmd = pmd_offset(pud, addr)
  do {
    const next = pmd_addr_end(addr, end)
    if (!pmd_none(load(pmd) as Pmd)) {
      const table = pmd_page(load(pmd) as Pmd)
      WRITE_ONCE(pmd, 0)
      tlb_remove_table(table, addr, next)
      mm_dec_nr_tables(mm)
    }
    pmd++
    addr = next
  } while (addr !== end)
  if (PGTABLE_LEVELS >= 3) free_table_above(mm, pud, PUD_SHIFT, start, end, floor, ceiling)
}

function free_pud_range(mm: Mm, p4d: P4dP, addr: number, end: number, floor: number, ceiling: number): void {
  const start = addr
  do {
    const next = pud_addr_end(addr, end)
    const pud = pud_offset(p4d, addr)
    if (!pud_none_or_bad(pud)) free_pmd_range(mm, pud, addr, next, floor, ceiling)
    addr = next
  } while (addr !== end)
  if (PGTABLE_LEVELS >= 4) free_table_above(mm, p4d, P4D_SHIFT, start, end, floor, ceiling)
}

function free_p4d_range(
  mm: Mm,
  pgd: number,
  addr: number,
  end: number,
  floor: number,
  ceiling: number,
): void {
  const start = addr
  do {
    const next = p4d_addr_end(addr, end)
    const p4d = p4d_offset(pgd_offset(mm, addr), addr)
    if (!p4d_none_or_bad(p4d)) free_pud_range(mm, p4d, addr, next, floor, ceiling)
    addr = next
  } while (addr !== end)
  if (PGTABLE_LEVELS === 5) free_table_above(mm, pgd, PGDIR_SHIFT, start, end, floor, ceiling)
}

/**
 * Frees the tables that only serve [addr, end): nothing is mapped from floor up to ceiling (0: the end of user space)
 * any more but what lies there (free_pgd_range). A gather is open; the VMAs can no longer be found.
 */
export function free_pgtables(mm: Mm, addr: number, end: number, floor: number, ceiling: number): void {
  // Only whole PMDs within the hole have a table to give back.
  const span = 1 << PMD_SHIFT
  const first = Math.floor(addr / span) * span
  addr = first < floor ? first + span : first
  const last = Math.floor((end + span - 1) / span) * span
  end = ceiling !== 0 && last > ceiling ? last - span : last
  if (addr >= end) return
  do {
    const next = pgd_addr_end(addr, end)
    const pgd = pgd_offset(mm, addr)
    if (!pgd_none_or_bad(pgd)) free_p4d_range(mm, pgd, addr, next, floor, ceiling)
    addr = next
  } while (addr !== end)
}
