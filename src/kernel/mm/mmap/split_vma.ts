/**
 * Splitting a VMA in two (__split_vma, split_vma, mm/mmap.c, 6.1). Left out: memory policies, vm_ops->may_split and
 * open.
 */
import { load, store } from '../../arch/access.ts'
import type { AddressSpace, Mm, Vma } from '../../arch/structs.ts'
import { mm$map_count, vma$vm_end, vma$vm_mapping, vma$vm_pgoff, vma$vm_start } from '../../arch/structs.ts'
import { ENOMEM } from '../../errno.ts'
import { igrab } from '../filemap.ts'
import { anon_vma_clone } from '../rmap/anon_vma_fork.ts'
import { enomem_refused, sysctl_max_map_count } from './account.ts'
import { vm_area_dup, vm_area_free } from './vm_area.ts'
import { __vma_adjust } from './vma_adjust.ts'

/**
 * Splits `vma` at page `addr`; the new VMA is the lower part if `new_below`. Returns 0 or -ENOMEM, and then nothing has
 * changed. Does not look at sysctl_max_map_count (__split_vma).
 */
export function __split_vma(mm: Mm, vma: Vma, addr: number, new_below: boolean): number {
  const fresh = vm_area_dup(vma)
  if (fresh === 0) return -ENOMEM
  const start = load(vma + vma$vm_start)
  const pgoff = load(vma + vma$vm_pgoff)
  if (new_below) store(fresh + vma$vm_end, addr)
  else {
    store(fresh + vma$vm_start, addr)
    store(fresh + vma$vm_pgoff, pgoff + addr - start)
  }
  if (anon_vma_clone(fresh, vma) !== 0) {
    vm_area_free(fresh)
    return -ENOMEM
  }
  const mapping = load(fresh + vma$vm_mapping) as AddressSpace
  if (mapping !== 0) igrab(mapping)
  if (new_below) return __vma_adjust(vma, addr, load(vma + vma$vm_end), pgoff + addr - start, fresh, 0 as Vma)
  return __vma_adjust(vma, start, addr, pgoff, fresh, 0 as Vma)
}

/** As __split_vma, within sysctl_max_map_count. */
export function split_vma(mm: Mm, vma: Vma, addr: number, new_below: boolean): number {
  if (load(mm + mm$map_count) >= sysctl_max_map_count) return enomem_refused()
  return __split_vma(mm, vma, addr, new_below)
}
