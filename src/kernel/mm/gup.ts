/**
 * Access of the kernel to user pages (mm/gup.c, 6.1), as follow_page_mask and faultin_page take turns: get_user_pages
 * for one page, with FOLL_GET, and what uses it: dio_read, a direct read from a device into user memory, and
 * write_file, a write to a file from user memory (fs/direct-io.c and generic_perform_write of mm/filemap.c, one page of
 * each); and without FOLL_GET what makes pages present before they are used: mm_populate, faultin_vma_page_range. Left
 * out: FOLL_PIN, writes by FOLL_FORCE, huge pages, the fast walk, faults that drop mmap_lock.
 */
import { SWAP } from '#config'
import { PTL_OPTIMISTIC } from '#ptlock_read'
import { copy_words, load, READ_ONCE, user_word_store } from '../arch/access.ts'
import { CONTENT_WORDS, machine$zero_page } from '../arch/memory_map.ts'
import {
  page_to_pfn,
  pte_dirty,
  pte_offset,
  pte_present,
  pte_write,
  ptep_get,
  pmd_bad,
} from '../arch/pgtable.ts'
import type { AddressSpace, Mm, Page, Pmd, Vma } from '../arch/structs.ts'
import {
  address_space$i_size,
  task$mm,
  vma$vm_end,
  vma$vm_flags,
  vma$vm_mm,
  vma$vm_start,
  VM_ACCESS_FLAGS,
  VM_MAYREAD,
  VM_PFNMAP,
  VM_READ,
  VM_SHARED,
  VM_WRITE,
} from '../arch/structs.ts'
import { page_address } from '../arch/uaccess.ts'
import { EFAULT, EINTR, EINVAL, ENOMEM } from '../errno.ts'
import { mmap_read_lock, mmap_read_unlock } from './mmap_lock.ts'
import { begin_operation, cond_resched, current } from '../sched/core.ts'
import { fatal_signal_pending } from '../signal.ts'
import { clear_page_until_uptodate, find_or_create_page } from './filemap.ts'
import { handle_mm_fault } from './memory/handle_mm_fault.ts'
import { FAULT_FLAG_WRITE, VM_FAULT_ERROR, VM_FAULT_OOM, vm_normal_page } from './memory/vmf.ts'
import { find_vma, find_vma_intersection } from './mmap/mm_mt.ts'
import { get_page, get_page_unless_zero, put_page, set_page_dirty } from './mm.ts'
import { unlock_page } from './page_lock.ts'
import { pte_read_begin, pte_read_retry, pte_table_lock_read, pte_table_unlock_read } from './ptl.ts'
import { mm_find_pmd } from './rmap/walk.ts'
import { lru_add_drain, mark_page_accessed } from './swap.ts'

/** The page will be written. */
export const FOLL_WRITE = 1 << 0
/** It is to be as if the access were done now: the page becomes dirty, if it will be written, and is in use. */
const FOLL_TOUCH = 1 << 1
/** With a reference to the page. */
const FOLL_GET = 1 << 2
/** Reads whatever the VMA allows. */
const FOLL_FORCE = 1 << 4

/** The page that is mapped at `addr` with the right that `flags` ask for; 0: a fault is needed (follow_page_pte). */
function follow_page(vma: Vma, addr: number, flags: number): Page {
  const mm = load(vma + vma$vm_mm) as Mm
  const pmd = mm_find_pmd(mm, addr)
  const value = (pmd === 0 ? 0 : READ_ONCE(pmd)) as Pmd
  if (pmd_bad(value)) return 0 as Page
  const write = (flags & FOLL_WRITE) !== 0
  const ptl = pte_table_lock_read(mm, value, addr)
  const pte = ptep_get(pte_offset(value, addr))
  let page = 0 as Page
  if (pte_present(pte) && (!write || pte_write(pte))) {
    page = vm_normal_page(vma, addr, pte)
    if (page === 0) page = load(machine$zero_page) as Page
    if ((flags & FOLL_GET) !== 0) get_page(page)
    if ((flags & FOLL_TOUCH) !== 0) {
      if (write && !pte_dirty(pte)) set_page_dirty(page)
      mark_page_accessed(page)
    }
  }
  pte_table_unlock_read(value, addr, ptl)
  return page
}

/**
 * follow_page without the lock, where the design has optimistic looks: the page with a reference, taken first and given
 * back if the entry is another one by then; 0: the lock must say (gup_pte_range).
 */
function follow_page_fast(vma: Vma, addr: number, write: boolean): Page {
  const pmd = mm_find_pmd(load(vma + vma$vm_mm) as Mm, addr)
  const value = (pmd === 0 ? 0 : READ_ONCE(pmd)) as Pmd
  if (pmd_bad(value)) return 0 as Page
  const ptep = pte_offset(value, addr)
  const seq = pte_read_begin(value, addr)
  const pte = ptep_get(ptep)
  if (!pte_present(pte) || (write && !pte_write(pte))) return 0 as Page
  const page = vm_normal_page(vma, addr, pte)
  if (page === 0 || !get_page_unless_zero(page)) return 0 as Page
  if (!pte_read_retry(value, addr, seq, ptep, pte)) return page
  put_page(page)
  return 0 as Page
}

/** Whether the VMA allows the access (check_vma_flags). */
function check_vma_flags(vma: Vma, flags: number): boolean {
  const vm_flags = load(vma + vma$vm_flags)
  if ((vm_flags & VM_PFNMAP) !== 0) return false
  if ((flags & FOLL_WRITE) !== 0) return (vm_flags & VM_WRITE) !== 0
  return (vm_flags & ((flags & FOLL_FORCE) !== 0 ? VM_READ | VM_MAYREAD : VM_READ)) !== 0
}

/** Takes the fault of the access that `flags` ask for. Returns 0, -ENOMEM or -EFAULT. */
function faultin_page(vma: Vma, addr: number, flags: number): number {
  const fault = handle_mm_fault(vma, addr, (flags & FOLL_WRITE) !== 0 ? FAULT_FLAG_WRITE : 0)
  if ((fault & VM_FAULT_OOM) !== 0) return -ENOMEM
  return (fault & VM_FAULT_ERROR) !== 0 ? -EFAULT : 0
}

/**
 * The page at `addr` of `mm`, with a reference; 0: there can be none. Under mmap_lock for reading (get_user_pages of
 * one page).
 */
export function get_user_page(mm: Mm, addr: number, flags: number): Page {
  const vma = find_vma(mm, addr)
  if (vma === 0 || load(vma + vma$vm_start) > addr || !check_vma_flags(vma, flags)) return 0 as Page
  for (;;) {
    let page = PTL_OPTIMISTIC ? follow_page_fast(vma, addr, (flags & FOLL_WRITE) !== 0) : (0 as Page)
    if (page === 0) page = follow_page(vma, addr, flags | FOLL_GET)
    if (page !== 0 || fatal_signal_pending(current())) return page
    // Afterwards somebody may have taken the page again.
    if (faultin_page(vma, addr, flags) !== 0) return 0 as Page
  }
}

/**
 * Makes the pages of [start, end) of the VMA present for the access that `flags` ask for, under mmap_lock for reading.
 * Returns for how many that was done, or if it was for none why: -EFAULT, -ENOMEM, -EINTR (__get_user_pages without a
 * list of pages).
 */
function faultin_pages(vma: Vma, start: number, end: number, flags: number): number {
  if (!check_vma_flags(vma, flags)) return -EFAULT
  let error = 0
  let addr = start
  while (addr < end && error === 0) {
    if (fatal_signal_pending(current())) {
      error = -EINTR
      break
    }
    cond_resched()
    if (follow_page(vma, addr, flags) !== 0) addr++
    else error = faultin_page(vma, addr, flags)
  }
  if (SWAP) lru_add_drain()
  return addr > start ? addr - start : error
}

/**
 * Makes the pages of [start, end) of the VMA present: writable where it is private and may be written, so that no copy
 * is left to be made. Returns as faultin_pages.
 */
function populate_vma_page_range(vma: Vma, start: number, end: number): number {
  const vm_flags = load(vma + vma$vm_flags)
  let flags = FOLL_TOUCH
  if ((vm_flags & (VM_WRITE | VM_SHARED)) === VM_WRITE) flags |= FOLL_WRITE
  if ((vm_flags & VM_ACCESS_FLAGS) !== 0) flags |= FOLL_FORCE
  return faultin_pages(vma, start, end, flags)
}

/**
 * Makes the pages of [start, end) of the VMA readable or writable, as its rights allow. Returns as faultin_pages, and
 * -EINVAL if the VMA does not allow it.
 */
export function faultin_vma_page_range(vma: Vma, start: number, end: number, write: boolean): number {
  const flags = FOLL_TOUCH | (write ? FOLL_WRITE : 0)
  return check_vma_flags(vma, flags) ? faultin_pages(vma, start, end, flags) : -EINVAL
}

/**
 * Makes the pages of [start, start + npages) present, as far as that is possible. Takes mmap_lock (__mm_populate, which
 * ignores errors for mmap).
 */
export function mm_populate(mm: Mm, start: number, npages: number): void {
  mmap_read_lock(mm)
  const end = start + npages
  while (start < end) {
    const vma = find_vma_intersection(mm, start, end)
    if (vma === 0) break
    const stop = Math.min(end, load(vma + vma$vm_end))
    start = Math.max(start, load(vma + vma$vm_start))
    const done = populate_vma_page_range(vma, start, stop)
    // What fails fails for the rest of the VMA as well.
    start = done < 0 ? stop : start + done
  }
  mmap_read_unlock(mm)
}

/**
 * The page at `addr` of the current process, with a reference; 0: it cannot be had. Touches it as little as the fast
 * walk does: whoever writes it makes it dirty (get_user_pages_fast).
 */
function get_user_page_unlocked(addr: number, flags: number): Page {
  const mm = load(current() + task$mm) as Mm
  mmap_read_lock(mm)
  const page = get_user_page(mm, addr, flags)
  mmap_read_unlock(mm)
  return page
}

/**
 * A direct read: a device stores `value` to word `word` of page `addr`, past the page tables. The page is made dirty
 * before the reference goes, so that reclaim, which counts references first, sees one or the other. Returns 0 or
 * -EFAULT.
 */
export function dio_read(addr: number, word: number, value: number): number {
  begin_operation()
  const page = get_user_page_unlocked(addr, FOLL_WRITE)
  if (page === 0) return -EFAULT
  user_word_store(page_address(page_to_pfn(page)) + (word & (CONTENT_WORDS - 1)), value)
  set_page_dirty(page)
  put_page(page)
  return 0
}

/** Writes page `index` of a file from user page `addr`. Returns 0, -EFAULT (beyond the file, too) or -ENOMEM. */
export function write_file(file: number, index: number, addr: number): number {
  begin_operation()
  const mapping = file as AddressSpace
  if (index >= READ_ONCE(mapping + address_space$i_size)) return -EFAULT
  // Before the file's page is locked: the source may be that page.
  const source = get_user_page_unlocked(addr, 0)
  if (source === 0) return -EFAULT
  const page = find_or_create_page(mapping, index, 0)
  if (page === 0) {
    put_page(source)
    return -ENOMEM
  }
  clear_page_until_uptodate(page)
  copy_words(page_address(page_to_pfn(page)), page_address(page_to_pfn(source)), CONTENT_WORDS)
  set_page_dirty(page)
  unlock_page(page)
  mark_page_accessed(page)
  put_page(page)
  put_page(source)
  return 0
}
