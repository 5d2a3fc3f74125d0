/**
 * struct vm_fault and the flags of a fault (include/linux/mm_types.h, mm.h, 6.1). A CPU handles one fault at a time, so
 * the structure lies in its per-CPU area (arch/percpu.ts) instead of on a stack.
 */
import { VMA_LOCK } from '#config'
import { PTL_OPTIMISTIC } from '#ptlock_read'
import { load, READ_ONCE, this_cpu_read, this_cpu_write } from '../../arch/access.ts'
import {
  vmf$address,
  vmf$flags,
  vmf$orig_pte,
  vmf$pmd,
  vmf$pmd_value,
  vmf$pte,
  vmf$ptl,
  vmf$seq,
  vmf$vma,
} from '../../arch/percpu.ts'
import {
  pfn_to_page,
  pte_mkwrite,
  pte_offset,
  pte_pfn,
  pte_same,
  pte_special,
  ptep_get,
} from '../../arch/pgtable.ts'
import type { Mm, Page, Pmd, Pte, PteP, Spinlock, Vma } from '../../arch/structs.ts'
import { vma$vm_flags, vma$vm_mm, VM_MAYWRITE, VM_SHARED, VM_WRITE } from '../../arch/structs.ts'
import { pte_read_retry, pte_table_lock, pte_table_unlock } from '../ptl.ts'
import { vma_end_read } from '../vma_lock.ts'

export const FAULT_FLAG_WRITE = 1 << 0
export const FAULT_FLAG_MKWRITE = 1 << 1
export const FAULT_FLAG_ALLOW_RETRY = 1 << 2
export const FAULT_FLAG_TRIED = 1 << 5
export const FAULT_FLAG_USER = 1 << 6
/** The VMA's lock is held in place of mmap_lock. */
export const FAULT_FLAG_VMA_LOCK = 1 << 12

export const VM_FAULT_OOM = 1 << 0
export const VM_FAULT_SIGBUS = 1 << 1
export const VM_FAULT_HWPOISON = 1 << 4
export const VM_FAULT_NOPAGE = 1 << 8
export const VM_FAULT_LOCKED = 1 << 9
export const VM_FAULT_RETRY = 1 << 10
export const VM_FAULT_ERROR = VM_FAULT_OOM | VM_FAULT_SIGBUS | VM_FAULT_HWPOISON

/** The mm of the fault being handled. */
export function vmf_mm(): Mm {
  return load(this_cpu_read(vmf$vma) + vma$vm_mm) as Mm
}

/** Takes the lock of the PTE's table and sets vmf$pte and vmf$ptl (pte_offset_map_lock). Returns the PTE's address. */
export function vmf_pte_lock(): PteP {
  const pmd = READ_ONCE(this_cpu_read(vmf$pmd)) as Pmd
  const addr = this_cpu_read(vmf$address)
  const ptep = pte_offset(pmd, addr)
  this_cpu_write(vmf$pmd_value, pmd)
  this_cpu_write(vmf$pte, ptep)
  this_cpu_write(vmf$ptl, pte_table_lock(vmf_mm(), pmd, addr, addr + 1))
  return ptep
}

/** Drops the lock that vmf_pte_lock took (pte_unmap_unlock). */
export function vmf_pte_unlock(): void {
  const addr = this_cpu_read(vmf$address)
  const ptl = this_cpu_read(vmf$ptl) as Spinlock
  pte_table_unlock(this_cpu_read(vmf$pmd_value) as Pmd, addr, addr + 1, ptl)
}

/**
 * Under the lock: whether the entry at `ptep` is another one now than vmf$orig_pte, which was read without it. What 6.1
 * asks pte_same; a design with optimistic looks is asked in its place.
 */
export function vmf_pte_changed(ptep: PteP): boolean {
  return PTL_OPTIMISTIC
    ? vmf_pte_read_retry(ptep)
    : !pte_same(ptep_get(ptep), this_cpu_read(vmf$orig_pte) as Pte)
}

function vmf_pte_read_retry(ptep: PteP): boolean {
  const pmd = this_cpu_read(vmf$pmd_value) as Pmd
  const orig_pte = this_cpu_read(vmf$orig_pte) as Pte
  return pte_read_retry(pmd, this_cpu_read(vmf$address), this_cpu_read(vmf$seq), ptep, orig_pte)
}

/** Whether the fault holds its VMA's lock alone. */
export function vmf_vma_locked(): boolean {
  return VMA_LOCK !== 0 && (this_cpu_read(vmf$flags) & FAULT_FLAG_VMA_LOCK) !== 0
}

/**
 * A fault with its VMA's lock alone needs mmap_lock: gives that lock back, and the fault begins anew. Returns
 * VM_FAULT_RETRY.
 */
export function vmf_retry_with_mmap_lock(): number {
  vma_end_read(this_cpu_read(vmf$vma) as Vma)
  return VM_FAULT_RETRY
}

/** The struct page behind a present PTE; 0 for special ones such as the zero page (vm_normal_page). */
export function vm_normal_page(vma: Vma, addr: number, pte: Pte): Page {
  return pte_special(pte) ? (0 as Page) : pfn_to_page(pte_pfn(pte))
}

/** Adds the right to write where the VMA has it. */
export function maybe_mkwrite(pte: Pte, vma: Vma): Pte {
  return (load(vma + vma$vm_flags) & VM_WRITE) !== 0 ? pte_mkwrite(pte) : pte
}

/** A private mapping that may be written: its pages are copied on write. */
export function is_cow_mapping(vm_flags: number): boolean {
  return (vm_flags & (VM_SHARED | VM_MAYWRITE)) === VM_MAYWRITE
}
