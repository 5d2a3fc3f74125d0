/**
 * A page fault inside the kernel (mm/memory.c, 6.1): handle_mm_fault, __handle_mm_fault, handle_pte_fault. The caller
 * holds mmap_lock for reading, or with FAULT_FLAG_VMA_LOCK the VMA's lock. Left out: huge pages, NUMA hints,
 * userfaultfd.
 */
import { FAULT_LOCKING, SWAP } from '#config'
import { PTL_OPTIMISTIC } from '#ptlock_read'
import { READ_ONCE, this_cpu_read, this_cpu_write } from '../../arch/access.ts'
import { BUG_ON } from '../../arch/bug.ts'
import {
  vmf$address,
  vmf$cow_page,
  vmf$flags,
  vmf$orig_pte,
  vmf$page,
  vmf$pgoff,
  vmf$pmd,
  vmf$pmd_value,
  vmf$prealloc_pte,
  vmf$pte,
  vmf$ptl,
  vmf$seq,
  vmf$vma,
} from '../../arch/percpu.ts'
import {
  pmd_leaf,
  pmd_none,
  pte_mkdirty,
  pte_mkyoung,
  pte_none,
  pte_offset,
  pte_present,
  pte_protnone,
  pte_write,
  ptep_get,
  ptep_set_access_flags,
} from '../../arch/pgtable.ts'
import type { Mm, Pmd, PmdP, Pte, PteP, Vma } from '../../arch/structs.ts'
import { vma$vm_mapping, vma$vm_mm, vma$vm_pgoff, vma$vm_start } from '../../arch/structs.ts'
import { load } from '../../arch/access.ts'
import { walk_alloc_pmd } from '../pgalloc.ts'
import { pte_read_begin, pte_table_lock } from '../ptl.ts'
import { check_sync_rss_stat } from '../rss.ts'
import {
  count_vm_event,
  fault_latency_begin,
  fault_latency_end,
  LATENCY_spurious,
  RETRY_handle_pte_fault,
  set_fault_path,
  SPURIOUS_FAULTS,
} from '../vmstat.ts'
import { do_anonymous_page } from './do_anonymous_page.ts'
import { do_fault } from './do_fault.ts'
import { do_swap_page } from './do_swap_page.ts'
import { do_wp_page } from './do_wp_page.ts'
import { drop_first_lock, FAULT_LOCKING_2_6_10, walk_pmd_locked } from './fault_locking.ts'
import { FAULT_FLAG_WRITE, VM_FAULT_OOM, vmf_pte_changed, vmf_pte_unlock } from './vmf.ts'

/**
 * A read fault on an entry that is present changes nothing: on x86 the hardware sets the accessed bit. With a design
 * that can look without a lock, none is taken. Returns 0.
 */
function spurious_read_fault(ptep: PteP): number {
  if (vmf_pte_changed(ptep)) count_vm_event(RETRY_handle_pte_fault)
  else {
    count_vm_event(SPURIOUS_FAULTS)
    set_fault_path(LATENCY_spurious)
  }
  return 0
}

/**
 * The PTE is missing, denies the access, or only seemed to. It is read without its lock, decided on, and compared again
 * under the lock before anything is done to it. With FAULT_LOCKING=2.6.10 the lock is held already.
 */
function handle_pte_fault(): number {
  const vma = this_cpu_read(vmf$vma) as Vma
  const mm = load(vma + vma$vm_mm) as Mm
  const addr = this_cpu_read(vmf$address)
  const pmd = READ_ONCE(this_cpu_read(vmf$pmd)) as Pmd
  let ptep = 0 as PteP
  let entry = 0 as Pte
  if (!pmd_none(pmd)) {
    BUG_ON(pmd_leaf(pmd))
    ptep = pte_offset(pmd, addr)
    if (PTL_OPTIMISTIC) this_cpu_write(vmf$seq, pte_read_begin(pmd, addr))
    entry = ptep_get(ptep)
  }
  this_cpu_write(vmf$pte, ptep)
  this_cpu_write(vmf$orig_pte, entry)
  if (pte_none(entry)) return load(vma + vma$vm_mapping) === 0 ? do_anonymous_page() : do_fault()
  if (SWAP && !pte_present(entry)) {
    drop_first_lock()
    return do_swap_page()
  }
  // NUMA hints have no mechanism behind them yet.
  BUG_ON(!pte_present(entry) || pte_protnone(entry))

  const write = (this_cpu_read(vmf$flags) & FAULT_FLAG_WRITE) !== 0
  if (FAULT_LOCKING !== FAULT_LOCKING_2_6_10) {
    this_cpu_write(vmf$pmd_value, pmd)
    if (PTL_OPTIMISTIC && !write) return spurious_read_fault(ptep)
    this_cpu_write(vmf$ptl, pte_table_lock(mm, pmd, addr, addr + 1))
    if (vmf_pte_changed(ptep)) {
      count_vm_event(RETRY_handle_pte_fault)
      vmf_pte_unlock()
      return 0
    }
    // A design may have asked its counter instead of the entry, and the hardware sets bits without asking anybody.
    if (PTL_OPTIMISTIC) entry = ptep_get(ptep)
  }
  if (write) {
    if (!pte_write(entry)) return do_wp_page()
    entry = pte_mkdirty(entry)
  }
  entry = pte_mkyoung(entry)
  // Nothing to change: the TLB was behind the page table. The fault itself has dropped its stale entry.
  if (!ptep_set_access_flags(mm, addr, ptep, entry, write)) {
    count_vm_event(SPURIOUS_FAULTS)
    set_fault_path(LATENCY_spurious)
  }
  vmf_pte_unlock()
  return 0
}

function __handle_mm_fault(vma: Vma, addr: number, flags: number): number {
  const mm = load(vma + vma$vm_mm) as Mm
  const pmd: PmdP =
    FAULT_LOCKING === FAULT_LOCKING_2_6_10 ? walk_pmd_locked(mm, addr) : walk_alloc_pmd(mm, addr)
  if (pmd === 0) return VM_FAULT_OOM
  this_cpu_write(vmf$vma, vma)
  this_cpu_write(vmf$address, addr)
  this_cpu_write(vmf$flags, flags)
  this_cpu_write(vmf$pgoff, addr - load(vma + vma$vm_start) + load(vma + vma$vm_pgoff))
  this_cpu_write(vmf$pmd, pmd)
  this_cpu_write(vmf$page, 0)
  this_cpu_write(vmf$cow_page, 0)
  this_cpu_write(vmf$prealloc_pte, 0)
  return handle_pte_fault()
}

/** Handles a fault on page `addr` of `vma`. Returns VM_FAULT_ bits; 0: the access may be tried again. */
export function handle_mm_fault(vma: Vma, addr: number, flags: number): number {
  check_sync_rss_stat()
  const begin = fault_latency_begin()
  const ret = __handle_mm_fault(vma, addr, flags)
  fault_latency_end(begin)
  return ret
}
