/**
 * Entry of a page fault and its end: SIGSEGV, SIGBUS, OOM or a retry (arch/x86/mm/fault.c, 6.1; with VMA_LOCK 6.6).
 * Left out: faults of the kernel itself, protection keys, vsyscall, kprobes, stack growth (stacks are mapped whole).
 */
import { SWAP, VMA_LOCK } from '#config'
import { load, this_cpu_read, this_cpu_write } from './access.ts'
import { observe_exception } from './observe.ts'
import { percpu$last_fault, percpu$loaded_mm, percpu$oom_faults, percpu$walked_pte } from './percpu.ts'
import { pte_present } from './pgtable.ts'
import type { Mm, Pte, Vma } from './structs.ts'
import { vma$vm_flags, vma$vm_start, VM_ACCESS_FLAGS, VM_WRITE } from './structs.ts'
import { handle_mm_fault } from '../mm/memory/handle_mm_fault.ts'
import {
  FAULT_FLAG_ALLOW_RETRY,
  FAULT_FLAG_TRIED,
  FAULT_FLAG_USER,
  FAULT_FLAG_VMA_LOCK,
  FAULT_FLAG_WRITE,
  VM_FAULT_HWPOISON,
  VM_FAULT_OOM,
  VM_FAULT_RETRY,
  VM_FAULT_SIGBUS,
} from '../mm/memory/vmf.ts'
import { find_vma } from '../mm/mmap/mm_mt.ts'
import { pagefault_out_of_memory } from '../mm/oom_kill.ts'
import { current } from '../sched/core.ts'
import { fatal_signal_pending } from '../signal.ts'
import { mmap_read_lock, mmap_read_unlock } from '../mm/mmap_lock.ts'
import { lock_vma_under_rcu, vma_end_read } from '../mm/vma_lock.ts'
import {
  count_vm_event,
  OOM_FAULTS,
  PGFAULT,
  SIGBUS_FAULTS,
  SIGSEGV_FAULTS,
  VMA_LOCK_RETRY,
  VMA_LOCK_SUCCESS,
} from '../mm/vmstat.ts'

export const SIGBUS = 7
export const SIGKILL = 9
export const SIGSEGV = 11

/** Kinds of percpu$last_fault: whether a present entry denied the access (bit 0 of x86's error code, X86_PF_PROT). */
export const FAULT_ABSENT = 1
export const FAULT_PRESENT = 2

function access_error(vma: Vma, write: boolean): boolean {
  const vm_flags = load(vma + vma$vm_flags)
  return write ? (vm_flags & VM_WRITE) === 0 : (vm_flags & VM_ACCESS_FLAGS) === 0
}

/** What the end of a fault means for the access: 0 when it may be tried again, else the signal. */
function fault_signal(fault: number): number {
  if ((fault & VM_FAULT_OOM) !== 0) {
    count_vm_event(OOM_FAULTS)
    return pagefault_out_of_memory() ? 0 : SIGKILL
  }
  if ((fault & (VM_FAULT_SIGBUS | VM_FAULT_HWPOISON)) !== 0) {
    count_vm_event(SIGBUS_FAULTS)
    return SIGBUS
  }
  return 0
}

/** Handles the fault under the lock of its VMA; VM_FAULT_RETRY: no lock is held, and mmap_lock is needed. */
function fault_under_vma_lock(mm: Mm, addr: number, write: boolean, flags: number): number {
  const vma = lock_vma_under_rcu(mm, addr)
  if (vma === 0) return VM_FAULT_RETRY
  if (access_error(vma, write)) {
    // Whether that is an error is said under mmap_lock.
    vma_end_read(vma)
    return VM_FAULT_RETRY
  }
  const fault = handle_mm_fault(vma, addr, flags | FAULT_FLAG_VMA_LOCK)
  if ((fault & VM_FAULT_RETRY) !== 0) {
    count_vm_event(VMA_LOCK_RETRY)
    return fault
  }
  vma_end_read(vma)
  count_vm_event(VMA_LOCK_SUCCESS)
  return fault
}

function do_user_addr_fault(mm: Mm, addr: number, write: boolean): number {
  let flags = FAULT_FLAG_USER | FAULT_FLAG_ALLOW_RETRY
  if (write) flags |= FAULT_FLAG_WRITE
  if (VMA_LOCK) {
    const fault = fault_under_vma_lock(mm, addr, write, flags)
    if ((fault & VM_FAULT_RETRY) === 0) return fault_signal(fault)
  }
  for (;;) {
    if (SWAP && fatal_signal_pending(current())) return SIGKILL
    mmap_read_lock(mm)
    const vma = find_vma(mm, addr)
    if (vma === 0 || load(vma + vma$vm_start) > addr || access_error(vma, write)) {
      mmap_read_unlock(mm)
      count_vm_event(SIGSEGV_FAULTS)
      return SIGSEGV
    }
    const fault = handle_mm_fault(vma, addr, flags)
    // VM_FAULT_RETRY: the lock has been dropped.
    if ((fault & VM_FAULT_RETRY) !== 0) {
      flags |= FAULT_FLAG_TRIED
      continue
    }
    mmap_read_unlock(mm)
    return fault_signal(fault)
  }
}

/** A user access to page `addr` needs the kernel. Returns 0 when it may be tried again, else the signal. */
export function exc_page_fault(addr: number, write: boolean): number {
  observe_exception()
  const mm = this_cpu_read(percpu$loaded_mm) as Mm
  count_vm_event(PGFAULT)
  // The first fault of an access is the one that a recorder of the real kernel would see.
  if (this_cpu_read(percpu$last_fault) === 0) {
    this_cpu_write(
      percpu$last_fault,
      pte_present(this_cpu_read(percpu$walked_pte) as Pte) ? FAULT_PRESENT : FAULT_ABSENT,
    )
    this_cpu_write(percpu$oom_faults, 0)
  }
  return do_user_addr_fault(mm, addr, write)
}
