/**
 * Faults on mappings of an object (mm/memory.c, 6.1): do_fault with do_read_fault, do_cow_fault, do_shared_fault,
 * do_fault_around, __do_fault with the preallocated table, finish_fault. Objects are shared anonymous memory and files
 * that read as zeros. Left out: huge pages, dropping mmap_lock for I/O, dirty throttling, DAX.
 */
import { FAULT_AROUND, MEMCG, SWAP } from '#config'
import { copy_words, load, READ_ONCE, this_cpu_read, this_cpu_write } from '../../arch/access.ts'
import { smp_wmb } from '../../arch/barrier.ts'
import { VM_BUG_ON_PAGE } from '../../arch/bug.ts'
import { CONTENT_WORDS } from '../../arch/memory_map.ts'
import {
  vmf$address,
  vmf$cow_page,
  vmf$flags,
  vmf$page,
  vmf$pmd,
  vmf$prealloc_pte,
  vmf$vma,
} from '../../arch/percpu.ts'
import {
  mk_pte,
  page_to_pfn,
  pmd_none,
  pte_mkdirty,
  pte_mkyoung,
  pte_none,
  pte_offset,
  ptep_get,
  PTRS_PER_PTE,
  set_pte_at,
} from '../../arch/pgtable.ts'
import type { AddressSpace, Mm, Page, Pmd, PmdP, PteP, Vma } from '../../arch/structs.ts'
import {
  address_space$kind,
  ADDRESS_SPACE_FILE,
  MM_ANONPAGES,
  page$mapping,
  vma$vm_end,
  vma$vm_flags,
  vma$vm_mapping,
  vma$vm_mm,
  vma$vm_start,
  VM_SHARED,
} from '../../arch/structs.ts'
import { page_address } from '../../arch/uaccess.ts'
import { filemap_fault, next_uptodate_page } from '../filemap.ts'
import { GFP_HIGHUSER_MOVABLE } from '../gfp.ts'
import { vma_page_prot } from '../mmap/vm_page_prot.ts'
import { __SetPageUptodate, PageLocked, put_page, set_page_dirty } from '../mm.ts'
import { mem_cgroup_charge } from '../memcontrol.ts'
import { check_stable_address_space } from '../oom_kill.ts'
import { alloc_page } from '../page_alloc.ts'
import { lock_page, unlock_page } from '../page_lock.ts'
import { pgtable_alloc, pgtable_free, pmd_install, pte_alloc } from '../pgalloc.ts'
import { pte_table_lock, pte_table_unlock } from '../ptl.ts'
import { anon_vma_prepare } from '../rmap/anon_vma_prepare.ts'
import { linear_page_index, page_add_file_rmap, page_add_new_anon_rmap } from '../rmap/page_rmap.ts'
import { inc_mm_counter_fast, mm_counter_file } from '../rss.ts'
import { rcu_read_lock, rcu_read_unlock } from '../../rcu.ts'
import { shmem_fault } from '../shmem.ts'
import { lru_cache_add } from '../swap.ts'
import {
  count_vm_event,
  LATENCY_do_cow_fault,
  LATENCY_do_read_fault,
  LATENCY_do_shared_fault,
  RETRY_finish_fault,
  set_fault_path,
} from '../vmstat.ts'
import { drop_first_lock } from './fault_locking.ts'
import {
  FAULT_FLAG_WRITE,
  maybe_mkwrite,
  VM_FAULT_ERROR,
  VM_FAULT_LOCKED,
  VM_FAULT_NOPAGE,
  VM_FAULT_OOM,
  VM_FAULT_RETRY,
  vmf_mm,
  vmf_pte_lock,
  vmf_pte_unlock,
  vmf_retry_with_mmap_lock,
  vmf_vma_locked,
} from './vmf.ts'

/** Whether the object tracks writes to shared mappings (vm_ops->page_mkwrite): files do, shmem does not. */
export function wants_page_mkwrite(vma: Vma): boolean {
  const mapping = load(vma + vma$vm_mapping) as AddressSpace
  return mapping !== 0 && load(mapping + address_space$kind) === ADDRESS_SPACE_FILE
}

/**
 * Tells the object that a page is about to become writable (filemap_page_mkwrite). Returns VM_FAULT_LOCKED with the
 * page locked, or VM_FAULT_NOPAGE if it left the object meanwhile.
 */
export function do_page_mkwrite(page: Page): number {
  lock_page(page)
  if (READ_ONCE(page + page$mapping) === 0) {
    unlock_page(page)
    return VM_FAULT_NOPAGE
  }
  set_page_dirty(page)
  return VM_FAULT_LOCKED
}

/** A shared page was written: it is dirty. Takes the page locked and unlocks it. */
export function fault_dirty_shared_page(page: Page): void {
  set_page_dirty(page)
  unlock_page(page)
}

/**
 * Gets the object's page, locked and with a reference, into vmf$page (__do_fault). A missing PTE table is allocated
 * before the page is locked: allocating under the page lock could wait for writeback of a page that waits for this one.
 */
function __do_fault(): number {
  const vma = this_cpu_read(vmf$vma) as Vma
  if (pmd_none(READ_ONCE(this_cpu_read(vmf$pmd)) as Pmd) && this_cpu_read(vmf$prealloc_pte) === 0) {
    const table = pgtable_alloc(load(vma + vma$vm_mm) as Mm)
    if (table === 0) return VM_FAULT_OOM
    this_cpu_write(vmf$prealloc_pte, table)
    smp_wmb()
  }
  const mapping = load(vma + vma$vm_mapping) as AddressSpace
  const ret = load(mapping + address_space$kind) === ADDRESS_SPACE_FILE ? filemap_fault() : shmem_fault()
  if ((ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE | VM_FAULT_RETRY)) !== 0) return ret
  const page = this_cpu_read(vmf$page) as Page
  if ((ret & VM_FAULT_LOCKED) === 0) lock_page(page)
  else VM_BUG_ON_PAGE(!PageLocked(page), page)
  return ret
}

/** Maps `page` at `addr` (do_set_pte). Under the PTE's lock; the PTE is none. */
function do_set_pte(page: Page, addr: number, ptep: PteP): void {
  const vma = this_cpu_read(vmf$vma) as Vma
  const write = (this_cpu_read(vmf$flags) & FAULT_FLAG_WRITE) !== 0
  const mm = load(vma + vma$vm_mm) as Mm
  // Young: only entries that are mapped ahead of a fault could be old, and on x86 they are not
  // (arch_wants_old_prefaulted_pte).
  let entry = pte_mkyoung(mk_pte(page, vma_page_prot(vma)))
  if (write) entry = maybe_mkwrite(pte_mkdirty(entry), vma)
  if (write && (load(vma + vma$vm_flags) & VM_SHARED) === 0) {
    inc_mm_counter_fast(mm, MM_ANONPAGES)
    page_add_new_anon_rmap(page, vma, addr)
    if (SWAP) lru_cache_add(page)
  } else {
    inc_mm_counter_fast(mm, mm_counter_file(page))
    page_add_file_rmap(page)
  }
  set_pte_at(mm, addr, ptep, entry)
}

/** Makes sure of a PTE table: the preallocated one if the PMD still is none. Returns whether there was no memory. */
function finish_fault_table(): boolean {
  const pmd = this_cpu_read(vmf$pmd) as PmdP
  if (!pmd_none(READ_ONCE(pmd) as Pmd)) return false
  const table = this_cpu_read(vmf$prealloc_pte) as Page
  if (table === 0) return pte_alloc(vmf_mm(), pmd)
  if (pmd_install(vmf_mm(), pmd, table)) this_cpu_write(vmf$prealloc_pte, 0)
  return false
}

/**
 * Maps the page that the fault got: the copy of a private write, else the object's own. Consumes its reference on
 * success.
 */
function finish_fault(): number {
  const vma = this_cpu_read(vmf$vma) as Vma
  const write = (this_cpu_read(vmf$flags) & FAULT_FLAG_WRITE) !== 0
  const copied = write && (load(vma + vma$vm_flags) & VM_SHARED) === 0
  const page = (copied ? this_cpu_read(vmf$cow_page) : this_cpu_read(vmf$page)) as Page
  // For reads too: a page that the reaper took may have been a copy.
  if (SWAP && (load(vma + vma$vm_flags) & VM_SHARED) === 0) {
    const unstable = check_stable_address_space(vmf_mm())
    if (unstable !== 0) return unstable
  }
  if (finish_fault_table()) return VM_FAULT_OOM
  const ptep = vmf_pte_lock()
  let ret = 0
  if (pte_none(ptep_get(ptep))) do_set_pte(page, this_cpu_read(vmf$address), ptep)
  else {
    count_vm_event(RETRY_finish_fault)
    ret = VM_FAULT_NOPAGE
  }
  vmf_pte_unlock()
  return ret
}

/**
 * Maps the pages of [first, end) that the object has and that nobody holds locked, where nothing is mapped yet. Returns
 * VM_FAULT_NOPAGE if the fault's own is mapped then, 0 or VM_FAULT_OOM (filemap_map_pages).
 */
function filemap_map_pages(first: number, end: number): number {
  const vma = this_cpu_read(vmf$vma) as Vma
  const mapping = load(vma + vma$vm_mapping) as AddressSpace
  const address = this_cpu_read(vmf$address)
  let pmd = 0 as Pmd
  let ptl = 0
  let ret = 0
  rcu_read_lock()
  for (let addr = first; addr < end; addr++) {
    const page = next_uptodate_page(mapping, linear_page_index(vma, addr))
    if (page === 0) continue
    if (pmd === 0) {
      if (finish_fault_table()) {
        unlock_page(page)
        put_page(page)
        ret = VM_FAULT_OOM
        break
      }
      pmd = READ_ONCE(this_cpu_read(vmf$pmd)) as Pmd
      ptl = pte_table_lock(vmf_mm(), pmd, first, end)
    }
    const ptep = pte_offset(pmd, addr)
    const mapped = pte_none(ptep_get(ptep))
    if (mapped) {
      do_set_pte(page, addr, ptep)
      if (addr === address) ret = VM_FAULT_NOPAGE
    }
    unlock_page(page)
    if (!mapped) put_page(page)
  }
  if (pmd !== 0) pte_table_unlock(pmd, first, end, ptl)
  rcu_read_unlock()
  return ret
}

/** Tries the pages around the fault that lie in its VMA and its table. Returns as filemap_map_pages. */
function do_fault_around(): number {
  const vma = this_cpu_read(vmf$vma) as Vma
  const address = this_cpu_read(vmf$address)
  const table = address & -PTRS_PER_PTE
  const first = Math.max(address & -FAULT_AROUND, table, load(vma + vma$vm_start))
  const end = Math.min(first + FAULT_AROUND, table + PTRS_PER_PTE, load(vma + vma$vm_end))
  if (pmd_none(READ_ONCE(this_cpu_read(vmf$pmd)) as Pmd)) {
    const prealloc = pgtable_alloc(vmf_mm())
    if (prealloc === 0) return VM_FAULT_OOM
    this_cpu_write(vmf$prealloc_pte, prealloc)
  }
  return filemap_map_pages(first, end)
}

function do_read_fault(): number {
  set_fault_path(LATENCY_do_read_fault)
  if (FAULT_AROUND > 1) {
    const around = do_fault_around()
    if (around !== 0) return around
  }
  let ret = __do_fault()
  if ((ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE | VM_FAULT_RETRY)) !== 0) return ret
  ret |= finish_fault()
  const page = this_cpu_read(vmf$page) as Page
  unlock_page(page)
  if ((ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE | VM_FAULT_RETRY)) !== 0) put_page(page)
  return ret
}

function do_cow_fault(): number {
  const vma = this_cpu_read(vmf$vma) as Vma
  set_fault_path(LATENCY_do_cow_fault)
  if (anon_vma_prepare(vma)) return VM_FAULT_OOM
  const cow_page = alloc_page(GFP_HIGHUSER_MOVABLE)
  if (cow_page === 0) return VM_FAULT_OOM
  if (MEMCG && mem_cgroup_charge(cow_page, vmf_mm()) !== 0) {
    put_page(cow_page)
    return VM_FAULT_OOM
  }
  this_cpu_write(vmf$cow_page, cow_page)
  let ret = __do_fault()
  if ((ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE | VM_FAULT_RETRY)) === 0) {
    const page = this_cpu_read(vmf$page) as Page
    copy_words(page_address(page_to_pfn(cow_page)), page_address(page_to_pfn(page)), CONTENT_WORDS)
    __SetPageUptodate(cow_page)
    ret |= finish_fault()
    unlock_page(page)
    put_page(page)
  }
  if ((ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE | VM_FAULT_RETRY)) !== 0) put_page(cow_page)
  return ret
}

function do_shared_fault(): number {
  set_fault_path(LATENCY_do_shared_fault)
  let ret = __do_fault()
  if ((ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE | VM_FAULT_RETRY)) !== 0) return ret
  const page = this_cpu_read(vmf$page) as Page
  if (wants_page_mkwrite(this_cpu_read(vmf$vma) as Vma)) {
    unlock_page(page)
    const tmp = do_page_mkwrite(page)
    if (tmp === 0 || (tmp & (VM_FAULT_ERROR | VM_FAULT_NOPAGE)) !== 0) {
      put_page(page)
      return tmp
    }
  }
  ret |= finish_fault()
  if ((ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE | VM_FAULT_RETRY)) !== 0) {
    unlock_page(page)
    put_page(page)
    return ret
  }
  fault_dirty_shared_page(page)
  return ret
}

/** A fault on a mapping of an object whose PTE is none. Returns VM_FAULT_ bits. */
export function do_fault(): number {
  const vma = this_cpu_read(vmf$vma) as Vma
  let ret = 0
  drop_first_lock()
  // 6.6: the object's own ways to a page rely on mmap_lock.
  if (vmf_vma_locked()) return vmf_retry_with_mmap_lock()
  if ((this_cpu_read(vmf$flags) & FAULT_FLAG_WRITE) === 0) ret = do_read_fault()
  else if ((load(vma + vma$vm_flags) & VM_SHARED) === 0) ret = do_cow_fault()
  else ret = do_shared_fault()
  const table = this_cpu_read(vmf$prealloc_pte) as Page
  if (table !== 0) {
    pgtable_free(table)
    this_cpu_write(vmf$prealloc_pte, 0)
  }
  return ret
}
