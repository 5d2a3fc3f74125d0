/**
 * Shared anonymous memory (mm/shmem.c, 6.1): an object whose pages count as shmem (PageSwapBacked).
 * Left out: swap of its pages, tmpfs, fallocate and holes, huge pages, accounting.
 */
import { load, store } from '../arch/access.ts'
import type { AddressSpace, Vma } from '../arch/structs.ts'
import {
  ADDRESS_SPACE_SHMEM,
  PG_swapbacked,
  vma$vm_end,
  vma$vm_mapping,
  vma$vm_start,
} from '../arch/structs.ts'
import { ENOMEM } from '../errno.ts'
import { create_address_space, page_cache_fault } from './filemap.ts'

/** A new object of `npages`; 0: out of memory (shmem_kernel_file_setup). The caller has its one reference. */
export function shmem_file_setup(npages: number): AddressSpace {
  return create_address_space(ADDRESS_SPACE_SHMEM, npages)
}

/** Gives a shared anonymous VMA an object of its own. Returns 0 or -ENOMEM. */
export function shmem_zero_setup(vma: Vma): number {
  const mapping = shmem_file_setup(load(vma + vma$vm_end) - load(vma + vma$vm_start))
  if (mapping === 0) return -ENOMEM
  store(vma + vma$vm_mapping, mapping)
  return 0
}

/** The object's page for the fault that vmf describes; as page_cache_fault. */
export function shmem_fault(): number {
  return page_cache_fault(PG_swapbacked)
}
