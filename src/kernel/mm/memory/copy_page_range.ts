/**
 * fork's copy of page tables (mm/memory.c): copy_page_range down to copy_pte_range and copy_one_pte. The walk and the
 * skip rule are 6.1's; copy_one_pte has the form of the first seed (2.6.3x), which touches no field of struct page
 * before get_page; for entries that are not present it calls copy_nonpresent_pte. Both mmap_locks are held for writing.
 * Left out: huge pages, pinned pages.
 */
import { SWAP } from '#config'
import { READ_ONCE, load } from '../../arch/access.ts'
import { BUG_ON } from '../../arch/bug.ts'
import {
  _PAGE_UFFD_WP,
  p4d_addr_end,
  p4d_none_or_bad,
  p4d_offset,
  pgd_addr_end,
  pgd_none_or_bad,
  pgd_offset,
  pfn_to_page,
  pmd_addr_end,
  pmd_bad,
  pmd_none,
  pmd_offset,
  pte_mkclean,
  pte_mkold,
  pte_none,
  pte_offset,
  pte_present,
  pte_write,
  pte_wrprotect,
  ptep_get,
  ptep_set_wrprotect,
  pud_addr_end,
  pud_none_or_bad,
  pud_offset,
  set_pte_at,
} from '../../arch/pgtable.ts'
import type { Mm, P4dP, Pmd, PmdP, Pte, PteP, PudP, SwpEntry, Vma } from '../../arch/structs.ts'
import {
  MM_ANONPAGES,
  MM_FILEPAGES,
  MM_SHMEMPAGES,
  MM_SWAPENTS,
  vma$anon_vma,
  vma$vm_end,
  vma$vm_flags,
  vma$vm_mm,
  vma$vm_start,
  VM_HUGETLB,
  VM_MIXEDMAP,
  VM_NONLINEAR,
  VM_PFNMAP,
  VM_SHARED,
} from '../../arch/structs.ts'
import {
  is_migration_entry,
  make_migration_entry,
  non_swap_entry,
  pte_swp_clear_exclusive,
  pte_swp_exclusive,
  pte_swp_keep,
  pte_to_swp_entry,
  SWP_MIGRATION_READ,
  swp_entry_to_pte,
  swp_kind,
  swp_offset,
} from '../../arch/swapops.ts'
import { cond_resched, need_resched } from '../../sched/core.ts'
import { GFP_KERNEL } from '../gfp.ts'
import { get_page } from '../mm.ts'
import { p4d_alloc, pmd_alloc, pte_alloc, pud_alloc } from '../pgalloc.ts'
import { pte_table_lock_pair, pte_table_needbreak, pte_table_unlock_pair } from '../ptl.ts'
import { page_dup_rmap } from '../rmap/page_rmap.ts'
import { add_mm_rss_vec, mm_counter } from '../rss.ts'
import { add_swap_count_continuation } from '../swapfile/continuation.ts'
import { mm_mmlist, mmlist_add } from '../swapfile/mmlist.ts'
import { swap_duplicate } from '../swapfile/swap_map.ts'
import {
  COPY_PAGE_RANGE_SKIPPED,
  COPY_PTE_RANGE_BREAKS_NEED_RESCHED,
  COPY_PTE_RANGE_BREAKS_NEEDBREAK_DST,
  COPY_PTE_RANGE_BREAKS_NEEDBREAK_SRC,
  COPY_PTE_RANGE_BREAKS_SWAP,
  count_vm_event,
  count_vm_events,
  PTES_COPIED,
  RETRY_copy_one_pte$mmlist,
} from '../vmstat.ts'
import { is_cow_mapping, vm_normal_page } from './vmf.ts'

/** Work, in units of a hole, after which copy_pte_range looks whether somebody waits. */
const PROGRESS_MAX = 32

/** The slot's count needs a continuation page, which cannot be had under the locks (-EIO). */
const COPY_NEEDS_CONTINUATION = -2

/**
 * Copies one entry that is not present, under both locks: of swap, a use more of the slot, which nobody has alone any
 * more; of migration, one that will be read-only on both sides. Returns which rss counter it adds to, -1: none, or
 * COPY_NEEDS_CONTINUATION.
 */
function copy_nonpresent_pte(
  dst_mm: Mm,
  src_mm: Mm,
  dst_pte: PteP,
  src_pte: PteP,
  vm_flags: number,
  addr: number,
): number {
  let pte = ptep_get(src_pte)
  const entry = pte_to_swp_entry(pte)
  let member = -1
  if (!non_swap_entry(entry)) {
    if (swap_duplicate(entry) < 0) return COPY_NEEDS_CONTINUATION
    // Right behind the parent: a swapoff that has passed that one still comes by here.
    mmlist_add(dst_mm, mm_mmlist(src_mm), RETRY_copy_one_pte$mmlist)
    if (pte_swp_exclusive(pte)) {
      pte = pte_swp_clear_exclusive(pte)
      set_pte_at(src_mm, addr, src_pte, pte)
    }
    member = MM_SWAPENTS
  } else if (is_migration_entry(entry)) {
    member = mm_counter(pfn_to_page(swp_offset(entry)))
    if (swp_kind(entry) !== SWP_MIGRATION_READ && is_cow_mapping(vm_flags)) {
      const readable = make_migration_entry(SWP_MIGRATION_READ, swp_offset(entry))
      pte = (swp_entry_to_pte(readable) | pte_swp_keep(pte)) as Pte
      set_pte_at(src_mm, addr, src_pte, pte)
    }
  }
  set_pte_at(dst_mm, addr, dst_pte, (pte & ~_PAGE_UFFD_WP) as Pte)
  return member
}

/**
 * Copies one PTE under both locks. Returns which rss counter it adds to; -1: none (a special PTE); or
 * COPY_NEEDS_CONTINUATION.
 */
function copy_one_pte(
  dst_mm: Mm,
  src_mm: Mm,
  dst_pte: PteP,
  src_pte: PteP,
  vma: Vma,
  vm_flags: number,
  addr: number,
): number {
  let pte = ptep_get(src_pte)
  if (SWAP && !pte_present(pte)) return copy_nonpresent_pte(dst_mm, src_mm, dst_pte, src_pte, vm_flags, addr)
  BUG_ON(!pte_present(pte))
  // Copied on write from now on: protected on both sides. The stale right in other TLBs goes with dup_mmap's last
  // flush.
  if (is_cow_mapping(vm_flags) && pte_write(pte)) {
    ptep_set_wrprotect(src_mm, addr, src_pte)
    pte = pte_wrprotect(pte)
  }
  if ((vm_flags & VM_SHARED) !== 0) pte = pte_mkclean(pte)
  pte = pte_mkold(pte)
  let member = -1
  const page = vm_normal_page(vma, addr, pte)
  if (page !== 0) {
    get_page(page)
    page_dup_rmap(page)
    member = mm_counter(page)
  }
  set_pte_at(dst_mm, addr, dst_pte, pte)
  return member
}

/**
 * Copies the PTEs of [addr, end), within one PMD, under the locks of both tables. Every so often, and when somebody
 * waits for one of them, drops both and starts again where it was. Returns whether there was no memory.
 */
function copy_pte_range(
  dst_mm: Mm,
  src_mm: Mm,
  dst_pmd: PmdP,
  src_pmd: PmdP,
  vma: Vma,
  addr: number,
  end: number,
): boolean {
  const vm_flags = load(vma + vma$vm_flags)
  for (;;) {
    if (pte_alloc(dst_mm, dst_pmd)) return true
    const dst_value = READ_ONCE(dst_pmd) as Pmd
    const src_value = READ_ONCE(src_pmd) as Pmd
    const start = addr
    const npages = end - start
    let dst_pte = pte_offset(dst_value, addr)
    let src_pte = pte_offset(src_value, addr)
    let anon = 0
    let file = 0
    let shmem = 0
    let swapents = 0
    let entry = 0 as SwpEntry
    let progress = 0
    let copied = 0
    pte_table_lock_pair(dst_mm, dst_value, start, src_mm, src_value, start, npages)
    do {
      // Two locks are held: either may delay somebody.
      if (progress >= PROGRESS_MAX) {
        progress = 0
        if (need_resched()) {
          count_vm_event(COPY_PTE_RANGE_BREAKS_NEED_RESCHED)
          break
        }
        if (pte_table_needbreak(src_mm, src_value, start, end)) {
          count_vm_event(COPY_PTE_RANGE_BREAKS_NEEDBREAK_SRC)
          break
        }
        if (pte_table_needbreak(dst_mm, dst_value, start, end)) {
          count_vm_event(COPY_PTE_RANGE_BREAKS_NEEDBREAK_DST)
          break
        }
      }
      if (pte_none(ptep_get(src_pte))) progress++
      else {
        const member = copy_one_pte(dst_mm, src_mm, dst_pte, src_pte, vma, vm_flags, addr)
        if (SWAP && member === COPY_NEEDS_CONTINUATION) {
          entry = pte_to_swp_entry(ptep_get(src_pte))
          count_vm_event(COPY_PTE_RANGE_BREAKS_SWAP)
          break
        }
        if (SWAP && member === MM_SWAPENTS) swapents++
        else if (member === MM_ANONPAGES) anon++
        else if (member === MM_FILEPAGES) file++
        else if (member === MM_SHMEMPAGES) shmem++
        copied++
        progress += 8
      }
      dst_pte++
      src_pte++
      addr++
    } while (addr !== end)
    // Before the locks go.
    add_mm_rss_vec(dst_mm, file, anon, swapents, shmem)
    pte_table_unlock_pair(dst_mm, dst_value, start, src_mm, src_value, start, npages)
    count_vm_events(PTES_COPIED, copied)
    cond_resched()
    if (SWAP && entry !== 0 && add_swap_count_continuation(entry, GFP_KERNEL) < 0) return true
    if (addr === end) return false
  }
}

function copy_pmd_range(
  dst_mm: Mm,
  src_mm: Mm,
  dst_pud: PudP,
  src_pud: PudP,
  vma: Vma,
  addr: number,
  end: number,
): boolean {
  let dst_pmd = pmd_alloc(dst_mm, dst_pud, addr)
  if (dst_pmd === 0) return true
  let src_pmd = pmd_offset(src_pud, addr)
  do {
    const next = pmd_addr_end(addr, end)
    const pmd = READ_ONCE(src_pmd) as Pmd
    if (!pmd_none(pmd)) {
      BUG_ON(pmd_bad(pmd))
      if (copy_pte_range(dst_mm, src_mm, dst_pmd, src_pmd, vma, addr, next)) return true
    }
    dst_pmd++
    src_pmd++
    addr = next
  } while (addr !== end)
  return false
}

function copy_pud_range(
  dst_mm: Mm,
  src_mm: Mm,
  dst_p4d: P4dP,
  src_p4d: P4dP,
  vma: Vma,
  addr: number,
  end: number,
): boolean {
  do {
    const next = pud_addr_end(addr, end)
    const src_pud = pud_offset(src_p4d, addr)
    if (!pud_none_or_bad(src_pud)) {
      const dst_pud = pud_alloc(dst_mm, dst_p4d, addr)
      if (dst_pud === 0 || copy_pmd_range(dst_mm, src_mm, dst_pud, src_pud, vma, addr, next)) return true
    }
    addr = next
  } while (addr !== end)
  return false
}

/**
 * What a fault would fill in again is not copied: only mappings with an anon_vma have pages of their own, and some
 * special ones cannot be refaulted (vma_needs_copy).
 */
function vma_needs_copy(vma: Vma): boolean {
  if ((load(vma + vma$vm_flags) & (VM_HUGETLB | VM_NONLINEAR | VM_PFNMAP | VM_MIXEDMAP)) !== 0) return true
  return READ_ONCE(vma + vma$anon_vma) !== 0
}

/** Copies what `src_vma` maps to the mm of `dst_vma`. Returns whether there was no memory. */
export function copy_page_range(dst_vma: Vma, src_vma: Vma): boolean {
  if (!vma_needs_copy(src_vma)) {
    count_vm_event(COPY_PAGE_RANGE_SKIPPED)
    return false
  }
  const dst_mm = load(dst_vma + vma$vm_mm) as Mm
  const src_mm = load(src_vma + vma$vm_mm) as Mm
  const end = load(src_vma + vma$vm_end)
  let addr = load(src_vma + vma$vm_start)
  do {
    const next = p4d_addr_end(addr, pgd_addr_end(addr, end))
    const src_pgd = pgd_offset(src_mm, addr)
    if (!pgd_none_or_bad(src_pgd)) {
      const src_p4d = p4d_offset(src_pgd, addr)
      if (!p4d_none_or_bad(src_p4d)) {
        const dst_p4d = p4d_alloc(dst_mm, pgd_offset(dst_mm, addr), addr)
        if (dst_p4d === 0 || copy_pud_range(dst_mm, src_mm, dst_p4d, src_p4d, src_vma, addr, next))
          return true
      }
    }
    addr = next
  } while (addr !== end)
  return false
}
