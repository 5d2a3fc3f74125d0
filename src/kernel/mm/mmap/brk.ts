/**
 * The heap (sys_brk, do_brk_flags, mm/mmap.c, 6.1). Left out: the limit of data, mlock, the guard gap of the stack.
 */
import { load, store } from '../../arch/access.ts'
import { TASK_SIZE } from '../../arch/pgtable.ts'
import type { AddressSpace, Mm } from '../../arch/structs.ts'
import {
  mm$brk,
  mm$map_count,
  mm$start_brk,
  VM_ACCOUNT,
  VM_MAYEXEC,
  VM_MAYREAD,
  VM_MAYWRITE,
  VM_READ,
  VM_WRITE,
} from '../../arch/structs.ts'
import { EINVAL, ENOMEM } from '../../errno.ts'
import { mmap_read_unlock, mmap_write_lock, mmap_write_unlock } from '../mmap_lock.ts'
import { enomem_refused, sysctl_max_map_count } from './account.ts'
import { mmap_region } from './do_mmap.ts'
import { do_munmap, MUNMAP_DOWNGRADED } from './do_munmap.ts'
import { find_vma_intersection } from './mm_mt.ts'

/**
 * Moves the end of the heap to page `brk`. Returns the end that holds now: `brk`, or the old one if that was not
 * possible. Takes mmap_lock (sys_brk).
 */
export function do_brk(mm: Mm, brk: number): number {
  mmap_write_lock(mm)
  const oldbrk = load(mm + mm$brk)
  let error = 0
  if (brk < load(mm + mm$start_brk) || brk > TASK_SIZE) error = -EINVAL
  else if (brk < oldbrk) {
    // Under the write lock, which do_munmap may not keep.
    store(mm + mm$brk, brk)
    error = find_vma_intersection(mm, brk, oldbrk) === 0 ? -EINVAL : do_munmap(mm, brk, oldbrk - brk, true)
    if (error === MUNMAP_DOWNGRADED) {
      mmap_read_unlock(mm)
      return brk
    }
    if (error !== 0) store(mm + mm$brk, oldbrk)
  } else if (brk > oldbrk) {
    error = find_vma_intersection(mm, oldbrk, brk) !== 0 ? -ENOMEM : do_brk_flags(mm, oldbrk, brk - oldbrk)
    if (error === 0) store(mm + mm$brk, brk)
  }
  mmap_write_unlock(mm)
  return error === 0 ? brk : oldbrk
}

/** Maps `npages` of anonymous memory at `addr`, where nothing is mapped. Returns 0 or -ENOMEM. */
function do_brk_flags(mm: Mm, addr: number, npages: number): number {
  if (load(mm + mm$map_count) > sysctl_max_map_count) return enomem_refused()
  const vm_flags = VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC | VM_ACCOUNT
  return mmap_region(mm, 0 as AddressSpace, addr, npages, vm_flags, addr) === addr ? 0 : -ENOMEM
}
