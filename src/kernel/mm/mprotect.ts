/**
 * Changing rights (mm/mprotect.c, 6.1): do_mprotect over the VMAs, mprotect_fixup that merges or splits one, and
 * change_protection down to the entries. Left out: NUMA hints, huge pages, userfaultfd, protection keys, accounting,
 * mmu notifiers.
 */
import { COW_REUSE, SWAP } from '#config'
import { pte_table_lock, pte_table_unlock } from './ptl.ts'
import { load, READ_ONCE, store } from '../arch/access.ts'
import { BUG_ON } from '../arch/bug.ts'
import {
  _PAGE_ACCESSED,
  _PAGE_DIRTY,
  _PAGE_PRESENT,
  _PAGE_RW,
  p4d_addr_end,
  p4d_none_or_bad,
  p4d_offset,
  pgd_addr_end,
  pgd_none_or_bad,
  pgd_offset,
  pmd_addr_end,
  pmd_bad,
  pmd_offset,
  pte_dirty,
  pte_mkwrite,
  pte_modify,
  pte_offset,
  pte_pfn,
  pte_present,
  pte_protnone,
  pte_write,
  ptep_get,
  ptep_get_and_clear,
  pud_addr_end,
  pud_none_or_bad,
  pud_offset,
  set_pte_at,
} from '../arch/pgtable.ts'
import type { AddressSpace, AnonVma, Mm, P4dP, PgdP, Pmd, Pte, PteP, PudP, Vma } from '../arch/structs.ts'
import {
  vma$anon_vma,
  vma$vm_end,
  vma$vm_flags,
  vma$vm_mapping,
  vma$vm_mm,
  vma$vm_pgoff,
  vma$vm_start,
  VM_ACCESS_FLAGS,
  VM_ACCOUNT,
  VM_HUGETLB,
  VM_NORESERVE,
  VM_SHARED,
  VM_WRITE,
} from '../arch/structs.ts'
import {
  is_swap_pte,
  make_migration_entry,
  pte_swp_keep,
  pte_to_swp_entry,
  SWP_MIGRATION_READ_EXCLUSIVE,
  SWP_MIGRATION_WRITE,
  swp_entry_to_pte,
  swp_kind,
  swp_offset,
} from '../arch/swapops.ts'
import { EACCES, EINVAL, ENOMEM } from '../errno.ts'
import { calc_vm_prot_bits } from './mman.ts'
import { vm_normal_page } from './memory/vmf.ts'
import { find_vma, vma_at, find_vma_index } from './mmap/mm_mt.ts'
import { split_vma } from './mmap/split_vma.ts'
import { vma_page_prot, vma_set_page_prot, vma_wants_writenotify } from './mmap/vm_page_prot.ts'
import { vma_merge } from './mmap/vma_merge.ts'
import { PageAnon } from './mm.ts'
import { tlb_finish_mmu, tlb_gather_mmu, tlb_remove_tlb_entry } from './mmu_gather.ts'
import { PageAnonExclusive } from './rmap/page_rmap.ts'
import { flush_tlb_batched_pending } from './rmap/tlb_batch.ts'
import { vma_start_write } from './vma_lock.ts'
import { enomem_refused } from './mmap/account.ts'

/**
 * Whether an entry of a writable VMA that is read-only by its page rights may become writable at once, without the
 * write fault that would find nothing to do: it is dirty, and its page needs no copy.
 */
function can_change_pte_writable(vma: Vma, addr: number, pte: Pte): boolean {
  BUG_ON((load(vma + vma$vm_flags) & VM_WRITE) === 0 || pte_write(pte))
  if (pte_protnone(pte) || !pte_dirty(pte)) return false
  if ((load(vma + vma$vm_flags) & VM_SHARED) !== 0) return true
  // Only the mark says so without the page lock; the older rules need the fault.
  if (COW_REUSE !== 0) return false
  const page = vm_normal_page(vma, addr, pte)
  return page !== 0 && PageAnon(page) && PageAnonExclusive(page)
}

/** Whether entries may be worth that look. */
function vma_wants_manual_pte_write_upgrade(vma: Vma): boolean {
  if ((load(vma + vma$vm_flags) & VM_SHARED) !== 0) return vma_wants_writenotify(vma)
  return (load(vma + vma$vm_flags) & VM_WRITE) !== 0
}

/** Takes the entry out, atomic against accessed and dirty; ptep_modify_prot_commit puts the changed one in. */
function ptep_modify_prot_start(mm: Mm, addr: number, ptep: PteP): Pte {
  return ptep_get_and_clear(mm, addr, ptep)
}

function ptep_modify_prot_commit(mm: Mm, addr: number, ptep: PteP, pte: Pte): void {
  set_pte_at(mm, addr, ptep, pte)
}

/** A TLB must forget an entry that has lost one of these; what it gained, the hardware finds without a fault. */
const FLUSH_ON_CLEAR = _PAGE_PRESENT | _PAGE_DIRTY

/**
 * Whether a TLB may hold what the new entry does not say (arch/x86/include/asm/tlbflush.h). The right to write counts
 * both ways: without a flush the next write through the old entry would fault for nothing. Accessed does not count.
 */
function pte_needs_flush(oldpte: Pte, pte: Pte): boolean {
  if ((oldpte & _PAGE_PRESENT) === 0) return false
  if (pte_pfn(oldpte) !== pte_pfn(pte)) return true
  return (oldpte & ~pte & FLUSH_ON_CLEAR) !== 0 || ((oldpte ^ pte) & _PAGE_RW) !== 0
}

/**
 * An entry of migration that would map the page writable: whether it may, is hard to say here, so the right is taken.
 */
function change_nonpresent_pte(mm: Mm, addr: number, ptep: PteP): void {
  const pte = ptep_get(ptep)
  const entry = pte_to_swp_entry(pte)
  if (swp_kind(entry) !== SWP_MIGRATION_WRITE) return
  const readable = make_migration_entry(SWP_MIGRATION_READ_EXCLUSIVE, swp_offset(entry))
  set_pte_at(mm, addr, ptep, (swp_entry_to_pte(readable) | pte_swp_keep(pte)) as Pte)
}

/** Changes the entries of [addr, end), which lie in one table. Returns how many were present. */
function change_pte_range(
  vma: Vma,
  pmd: Pmd,
  addr: number,
  end: number,
  newprot: number,
  upgrade: boolean,
): number {
  const mm = load(vma + vma$vm_mm) as Mm
  const start = addr
  let ptep = pte_offset(pmd, addr)
  let pages = 0
  const ptl = pte_table_lock(mm, pmd, start, end)
  if (SWAP) flush_tlb_batched_pending(mm)
  for (; addr < end; addr++, ptep++) {
    if (SWAP && is_swap_pte(ptep_get(ptep))) change_nonpresent_pte(mm, addr, ptep)
    if (!pte_present(ptep_get(ptep))) continue
    const oldpte = ptep_modify_prot_start(mm, addr, ptep)
    let pte = pte_modify(oldpte, newprot)
    if (upgrade && !pte_write(pte) && can_change_pte_writable(vma, addr, pte)) pte = pte_mkwrite(pte)
    ptep_modify_prot_commit(mm, addr, ptep, pte)
    if (pte_needs_flush(oldpte, pte)) tlb_remove_tlb_entry(addr)
    pages++
  }
  pte_table_unlock(pmd, start, end, ptl)
  return pages
}

function change_pmd_range(
  vma: Vma,
  pud: PudP,
  addr: number,
  end: number,
  newprot: number,
  upgrade: boolean,
): number {
  let pages = 0
  for (let next = addr; addr < end; addr = next) {
    next = pmd_addr_end(addr, end)
    const pmd = READ_ONCE(pmd_offset(pud, addr)) as Pmd
    if (!pmd_bad(pmd)) pages += change_pte_range(vma, pmd, addr, next, newprot, upgrade)
  }
  return pages
}

function change_pud_range(
  vma: Vma,
  p4d: P4dP,
  addr: number,
  end: number,
  newprot: number,
  upgrade: boolean,
): number {
  let pages = 0
  for (let next = addr; addr < end; addr = next) {
    next = pud_addr_end(addr, end)
    const pud = pud_offset(p4d, addr)
    if (!pud_none_or_bad(pud)) pages += change_pmd_range(vma, pud, addr, next, newprot, upgrade)
  }
  return pages
}

function change_p4d_range(
  vma: Vma,
  pgd: PgdP,
  addr: number,
  end: number,
  newprot: number,
  upgrade: boolean,
): number {
  let pages = 0
  for (let next = addr; addr < end; addr = next) {
    next = p4d_addr_end(addr, end)
    const p4d = p4d_offset(pgd, addr)
    if (!p4d_none_or_bad(p4d)) pages += change_pud_range(vma, p4d, addr, next, newprot, upgrade)
  }
  return pages
}

/**
 * Gives every entry of the VMA in [start, end) the rights of its vm_page_prot; `upgrade` (MM_CP_TRY_CHANGE_WRITABLE):
 * also the right to write where the entry needs no fault for it. A gather is open: it flushes. Returns how many entries
 * were present.
 */
export function change_protection(vma: Vma, start: number, end: number, upgrade: boolean): number {
  const mm = load(vma + vma$vm_mm) as Mm
  // pte_modify keeps accessed; a fresh entry's accessed bit is not for entries that are there.
  const newprot = vma_page_prot(vma) & ~_PAGE_ACCESSED
  let pages = 0
  for (let addr = start, next = start; addr < end; addr = next) {
    next = pgd_addr_end(addr, end)
    const pgd = pgd_offset(mm, addr)
    if (!pgd_none_or_bad(pgd)) pages += change_p4d_range(vma, pgd, addr, next, newprot, upgrade)
  }
  return pages
}

/** A VMA that has one of these is accounted for already, or never. */
const NO_NEW_ACCOUNT = VM_ACCOUNT | VM_WRITE | VM_HUGETLB | VM_SHARED | VM_NORESERVE

/**
 * Gives [start, end) of `vma` the flags `newflags`: it joins a neighbour that has them, or is split off. `prev` is the
 * last VMA that begins below `start`. Returns 0 or -ENOMEM, and then no right has changed. What was the VMA may be
 * gone.
 */
export function mprotect_fixup(
  mm: Mm,
  vma: Vma,
  prev: Vma,
  start: number,
  end: number,
  newflags: number,
): number {
  const oldflags = load(vma + vma$vm_flags)
  if (newflags === oldflags) return 0
  // What was not accounted for while it could not be written is from now on, whatever comes later.
  if ((newflags & VM_WRITE) !== 0 && (oldflags & NO_NEW_ACCOUNT) === 0) newflags |= VM_ACCOUNT
  const pgoff = load(vma + vma$vm_pgoff) + start - load(vma + vma$vm_start)
  const anon_vma = load(vma + vma$anon_vma) as AnonVma
  const mapping = load(vma + vma$vm_mapping) as AddressSpace
  const merged = vma_merge(mm, prev, start, end, newflags, anon_vma, mapping, pgoff)
  if (merged !== 0) vma = merged
  else {
    if (start !== load(vma + vma$vm_start) && split_vma(mm, vma, start, true) !== 0) return -ENOMEM
    if (end !== load(vma + vma$vm_end) && split_vma(mm, vma, end, false) !== 0) return -ENOMEM
    vma_start_write(vma)
    store(vma + vma$vm_flags, newflags)
    vma_set_page_prot(vma)
  }
  change_protection(vma, start, end, vma_wants_manual_pte_write_upgrade(vma))
  return 0
}

/**
 * Gives the pages of [start, start + npages) the rights `prot`. The caller holds mmap_lock for writing. Returns 0;
 * -EINVAL; -ENOMEM at a hole or without memory, -EACCES where the mapping may not have them: what lies below has
 * changed.
 */
export function do_mprotect(mm: Mm, start: number, npages: number, prot: number): number {
  if (npages === 0) return 0
  if (npages < 0 || start < 0) return -EINVAL
  const end = start + npages
  let vma = find_vma(mm, start)
  if (vma === 0 || load(vma + vma$vm_start) > start) return enomem_refused()
  let error = 0
  tlb_gather_mmu(mm)
  for (;;) {
    const newflags = calc_vm_prot_bits(prot) | (load(vma + vma$vm_flags) & ~VM_ACCESS_FLAGS)
    // VM_MAYREAD and its like lie four bits above the right they allow.
    if ((newflags & ~(newflags >> 4) & VM_ACCESS_FLAGS) !== 0) {
      error = -EACCES
      break
    }
    const stop = Math.min(end, load(vma + vma$vm_end))
    const prev = start > load(vma + vma$vm_start) ? vma : vma_at(mm, find_vma_index(mm, start) - 1)
    error = mprotect_fixup(mm, vma, prev, start, stop, newflags)
    if (error !== 0 || stop >= end) break
    start = stop
    vma = find_vma(mm, start)
    if (vma === 0 || load(vma + vma$vm_start) > start) {
      error = enomem_refused()
      break
    }
  }
  tlb_finish_mmu()
  return error
}
