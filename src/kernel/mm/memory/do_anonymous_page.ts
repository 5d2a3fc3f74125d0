/**
 * First touch of private anonymous memory (mm/memory.c, 6.1): the shared zero page for a read, a page of its own for a
 * write. Left out: userfaultfd.
 */
import { FAULT_LOCKING, MEMCG, SWAP } from '#config'
import { load, READ_ONCE, this_cpu_read } from '../../arch/access.ts'
import { machine$zero_page } from '../../arch/memory_map.ts'
import { vmf$address, vmf$flags, vmf$pmd, vmf$pte, vmf$vma } from '../../arch/percpu.ts'
import {
  mk_pte,
  page_to_pfn,
  pfn_pte,
  pte_mkdirty,
  pte_mkspecial,
  pte_mkwrite,
  pte_none,
  ptep_get,
  set_pte_at,
} from '../../arch/pgtable.ts'
import type { Mm, Page, PmdP, PteP, Vma } from '../../arch/structs.ts'
import { MM_ANONPAGES, vma$vm_flags, vma$vm_mm, VM_SHARED, VM_WRITE } from '../../arch/structs.ts'
import { __GFP_ZERO, GFP_HIGHUSER_MOVABLE } from '../gfp.ts'
import { vm_get_page_prot } from '../mmap/vm_page_prot.ts'
import { __SetPageUptodate, put_page } from '../mm.ts'
import { mem_cgroup_charge } from '../memcontrol.ts'
import { check_stable_address_space } from '../oom_kill.ts'
import { alloc_page } from '../page_alloc.ts'
import { pte_alloc } from '../pgalloc.ts'
import { anon_vma_prepare } from '../rmap/anon_vma_prepare.ts'
import { page_add_new_anon_rmap } from '../rmap/page_rmap.ts'
import { inc_mm_counter_fast } from '../rss.ts'
import { lru_cache_add } from '../swap.ts'
import {
  count_vm_event,
  LATENCY_do_anonymous_page$read,
  LATENCY_do_anonymous_page$write,
  RETRY_do_anonymous_page$read,
  RETRY_do_anonymous_page$write,
  set_fault_path,
  ZERO_PAGE_FAULTS,
} from '../vmstat.ts'
import { drop_first_lock, FAULT_LOCKING_2_6_10 } from './fault_locking.ts'
import { FAULT_FLAG_WRITE, VM_FAULT_OOM, VM_FAULT_SIGBUS, vmf_pte_lock, vmf_pte_unlock } from './vmf.ts'

/** A page of zeroes for user memory; 0 if there is none (alloc_zeroed_user_highpage_movable). */
export function alloc_zeroed_user_highpage_movable(vma: Vma, addr: number): Page {
  return alloc_page(GFP_HIGHUSER_MOVABLE | __GFP_ZERO)
}

function do_anonymous_page_read(vma: Vma, mm: Mm, addr: number): number {
  set_fault_path(LATENCY_do_anonymous_page$read)
  const zero = READ_ONCE(machine$zero_page) as Page
  const entry = pte_mkspecial(pfn_pte(page_to_pfn(zero), vm_get_page_prot(load(vma + vma$vm_flags))))
  // 2.6.10 has not dropped the lock under which it saw that nothing is there.
  const ptep = FAULT_LOCKING === FAULT_LOCKING_2_6_10 ? (this_cpu_read(vmf$pte) as PteP) : vmf_pte_lock()
  let ret = 0
  if (!pte_none(ptep_get(ptep))) count_vm_event(RETRY_do_anonymous_page$read)
  else {
    ret = check_stable_address_space(mm)
    if (ret === 0) {
      count_vm_event(ZERO_PAGE_FAULTS)
      set_pte_at(mm, addr, ptep, entry)
    }
  }
  vmf_pte_unlock()
  return ret
}

/** Returns VM_FAULT_ bits. */
export function do_anonymous_page(): number {
  const vma = this_cpu_read(vmf$vma) as Vma
  const mm = load(vma + vma$vm_mm) as Mm
  const addr = this_cpu_read(vmf$address)
  // A shared mapping without an object behind it.
  if ((load(vma + vma$vm_flags) & VM_SHARED) !== 0) {
    drop_first_lock()
    return VM_FAULT_SIGBUS
  }
  if (pte_alloc(mm, this_cpu_read(vmf$pmd) as PmdP)) return VM_FAULT_OOM
  if ((this_cpu_read(vmf$flags) & FAULT_FLAG_WRITE) === 0) return do_anonymous_page_read(vma, mm, addr)

  set_fault_path(LATENCY_do_anonymous_page$write)
  drop_first_lock()
  if (anon_vma_prepare(vma)) return VM_FAULT_OOM
  const page = alloc_zeroed_user_highpage_movable(vma, addr)
  if (page === 0) return VM_FAULT_OOM
  if (MEMCG && mem_cgroup_charge(page, mm) !== 0) {
    put_page(page)
    return VM_FAULT_OOM
  }
  // The barrier inside orders the zeroes before the PTE that publishes them.
  __SetPageUptodate(page)
  let entry = mk_pte(page, vm_get_page_prot(load(vma + vma$vm_flags)))
  if ((load(vma + vma$vm_flags) & VM_WRITE) !== 0) entry = pte_mkwrite(pte_mkdirty(entry))

  const ptep = vmf_pte_lock()
  if (!pte_none(ptep_get(ptep))) {
    // Another CPU was first: this page goes back.
    count_vm_event(RETRY_do_anonymous_page$write)
    vmf_pte_unlock()
    put_page(page)
    return 0
  }
  const ret = check_stable_address_space(mm)
  if (ret !== 0) {
    vmf_pte_unlock()
    put_page(page)
    return ret
  }
  inc_mm_counter_fast(mm, MM_ANONPAGES)
  page_add_new_anon_rmap(page, vma, addr)
  if (SWAP) lru_cache_add(page)
  set_pte_at(mm, addr, ptep, entry)
  vmf_pte_unlock()
  return 0
}
