/**
 * VMAs that become part of an mm or leave it (vma_link, remove_vma of mm/mmap.c, the unlinking in free_pgtables of
 * mm/memory.c, 6.1). Left out: vm_ops->close.
 */
import { load } from '../../arch/access.ts'
import type { AddressSpace, Mm, Vma } from '../../arch/structs.ts'
import { vma$vm_mapping } from '../../arch/structs.ts'
import { iput } from '../filemap.ts'
import { unlink_anon_vmas } from '../rmap/anon_vma_fork.ts'
import { __vma_link_file, i_mmap_lock_write, i_mmap_unlock_write, unlink_file_vma } from './i_mmap.ts'
import { vma_mas_store } from './mm_mt.ts'
import { __vm_area_free, vm_area_free } from './vm_area.ts'

/** Makes a complete VMA part of `mm`, in its array and on its mapping's list. Under mmap_lock for writing. */
export function vma_link(mm: Mm, vma: Vma): void {
  const mapping = load(vma + vma$vm_mapping) as AddressSpace
  if (mapping !== 0) i_mmap_lock_write(mapping)
  vma_mas_store(vma, mm)
  if (mapping !== 0) {
    __vma_link_file(vma, mapping)
    i_mmap_unlock_write(mapping)
  }
}

/** Takes the VMA off the reverse maps: nobody may find a table through it once that is freed. */
export function unlink_vma(vma: Vma): void {
  unlink_anon_vmas(vma)
  unlink_file_vma(vma)
}

/** Drops what a VMA that is in no array and on no list still holds, and the VMA; `unreachable`: its mm has no user. */
export function remove_vma(vma: Vma, unreachable: boolean): void {
  const mapping = load(vma + vma$vm_mapping) as AddressSpace
  if (unreachable) __vm_area_free(vma)
  else vm_area_free(vma)
  if (mapping !== 0) iput(mapping)
}
