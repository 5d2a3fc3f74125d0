/**
 * mmap (do_mmap, mmap_region, mm/mmap.c, 6.1). Left out: what overcommit accounting counts, mlock, hugetlb, rights.
 */
import { load, store } from '../../arch/access.ts'
import { TASK_SIZE } from '../../arch/pgtable.ts'
import type { AddressSpace, AnonVma, Mm } from '../../arch/structs.ts'
import {
  mm$map_count,
  VM_ACCOUNT,
  VM_MAYEXEC,
  VM_MAYREAD,
  VM_MAYSHARE,
  VM_MAYWRITE,
  VM_NORESERVE,
  VM_SHARED,
  vma$vm_end,
  vma$vm_flags,
  vma$vm_mapping,
  vma$vm_pgoff,
  vma$vm_start,
} from '../../arch/structs.ts'
import { EEXIST, EINVAL, ENOMEM } from '../../errno.ts'
import { igrab } from '../filemap.ts'
import {
  calc_vm_prot_bits,
  MAP_FIXED_NOREPLACE,
  MAP_NORESERVE,
  MAP_PRIVATE,
  MAP_SHARED,
  MAP_TYPE,
} from '../mman.ts'
import { shmem_zero_setup } from '../shmem.ts'
import { vma_start_write } from '../vma_lock.ts'
import {
  accountable_mapping,
  enomem_refused,
  may_expand_vm,
  sysctl_max_map_count,
  vm_stat_account,
} from './account.ts'
import { do_munmap } from './do_munmap.ts'
import { get_unmapped_area } from './get_unmapped_area.ts'
import { find_vma_index, find_vma_intersection, vma_at } from './mm_mt.ts'
import { vm_area_alloc, vm_area_free } from './vm_area.ts'
import { vma_set_page_prot } from './vm_page_prot.ts'
import { vma_link } from './vma_link.ts'
import { vma_merge } from './vma_merge.ts'

/**
 * Maps [addr, addr + npages) with `vm_flags`, after whatever lay there has been unmapped. `mapping` 0 is anonymous
 * memory, which becomes a shmem object of its own if it is VM_SHARED. Returns `addr` or -ENOMEM (mmap_region).
 */
export function mmap_region(
  mm: Mm,
  mapping: AddressSpace,
  addr: number,
  npages: number,
  vm_flags: number,
  pgoff: number,
): number {
  if (!may_expand_vm(mm, npages)) return enomem_refused()
  if (do_munmap(mm, addr, npages, false) !== 0) return -ENOMEM
  if (accountable_mapping(vm_flags)) vm_flags |= VM_ACCOUNT
  const end = addr + npages
  const prev = vma_at(mm, find_vma_index(mm, addr) - 1)
  if (vma_merge(mm, prev, addr, end, vm_flags, 0 as AnonVma, mapping, pgoff) === 0) {
    const vma = vm_area_alloc(mm)
    if (vma === 0) return -ENOMEM
    store(vma + vma$vm_start, addr)
    store(vma + vma$vm_end, end)
    store(vma + vma$vm_flags, vm_flags)
    store(vma + vma$vm_pgoff, pgoff)
    if (mapping !== 0) {
      igrab(mapping)
      store(vma + vma$vm_mapping, mapping)
    } else if ((vm_flags & VM_SHARED) !== 0 && shmem_zero_setup(vma) !== 0) {
      vm_area_free(vma)
      return -ENOMEM
    }
    vma_set_page_prot(vma)
    // Before it can be found: it is not used until the call is through.
    vma_start_write(vma)
    vma_link(mm, vma)
  }
  vm_stat_account(mm, npages)
  return addr
}

/**
 * Maps `npages` of `mapping` (0: anonymous memory) from its page `pgoff` on. `addr` is a wish, or with MAP_FIXED the
 * place, where other mappings are replaced. The caller holds mmap_lock for writing and a reference to the mapping.
 * Returns the first page number, or -EINVAL, -ENOMEM, -EEXIST.
 */
export function do_mmap(
  mm: Mm,
  addr: number,
  npages: number,
  prot: number,
  flags: number,
  mapping: AddressSpace,
  pgoff: number,
): number {
  if (npages <= 0 || pgoff < 0) return -EINVAL
  if (npages > TASK_SIZE || pgoff + npages > TASK_SIZE) return enomem_refused()
  if (load(mm + mm$map_count) > sysctl_max_map_count) return enomem_refused()
  const at = get_unmapped_area(mm, addr, npages, flags)
  if (at < 0) return at
  if ((flags & MAP_FIXED_NOREPLACE) !== 0 && find_vma_intersection(mm, at, at + npages) !== 0) return -EEXIST
  let vm_flags = calc_vm_prot_bits(prot) | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC
  const kind = flags & MAP_TYPE
  if (kind === MAP_SHARED) vm_flags |= VM_SHARED | VM_MAYSHARE
  else if (kind !== MAP_PRIVATE) return -EINVAL
  if ((flags & MAP_NORESERVE) !== 0) vm_flags |= VM_NORESERVE
  if (mapping === 0) pgoff = kind === MAP_SHARED ? 0 : at
  return mmap_region(mm, mapping, at, npages, vm_flags, pgoff)
}
