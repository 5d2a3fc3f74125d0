/**
 * The heap (the inner part of sys_brk, do_brk_flags, mm/mmap.c, 6.1). Left out: the limit of data, mlock, the guard gap of the stack.
 */
import { load, store } from '../../arch/access.ts'
import { TASK_SIZE } from '../../arch/pgtable.ts'
import type { AddressSpace, Mm } from '../../arch/structs.ts'
import {
  mm$brk,
  mm$map_count,
  mm$start_brk,
  VM_MAYEXEC,
  VM_MAYREAD,
  VM_MAYWRITE,
  VM_READ,
  VM_WRITE,
} from '../../arch/structs.ts'
import { ENOMEM } from '../../errno.ts'
import { sysctl_max_map_count } from './account.ts'
import { mmap_region } from './do_mmap.ts'
import { do_munmap } from './do_munmap.ts'
import { find_vma_intersection } from './mm_mt.ts'

/**
 * Moves the end of the heap to page `brk`. Returns the end that holds now: `brk`, or the old one if that was not
 * possible. The caller holds mmap_lock for writing (sys_brk's inner part).
 */
export function do_brk(mm: Mm, brk: number): number {
  const oldbrk = load(mm + mm$brk)
  if (brk < load(mm + mm$start_brk) || brk > TASK_SIZE) return oldbrk
  if (brk < oldbrk) {
    if (do_munmap(mm, brk, oldbrk - brk) !== 0) return oldbrk
  } else if (brk > oldbrk) {
    if (find_vma_intersection(mm, oldbrk, brk) !== 0) return oldbrk
    if (do_brk_flags(mm, oldbrk, brk - oldbrk) !== 0) return oldbrk
  }
  store(mm + mm$brk, brk)
  return brk
}

/** Maps `npages` of anonymous memory at `addr`, where nothing is mapped. Returns 0 or -ENOMEM. */
function do_brk_flags(mm: Mm, addr: number, npages: number): number {
  if (load(mm + mm$map_count) > sysctl_max_map_count) return -ENOMEM
  const vm_flags = VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC
  return mmap_region(mm, 0 as AddressSpace, addr, npages, vm_flags, addr) === addr ? 0 : -ENOMEM
}
