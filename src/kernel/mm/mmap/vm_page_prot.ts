/**
 * The rights that a VMA's entries begin with (vma_set_page_prot and vma_wants_writenotify of mm/mmap.c,
 * vm_get_page_prot of arch/x86/mm/pgprot.c, 6.1). Left out: protection keys, soft-dirty, memory encryption, caching
 * modes.
 */
import { load, WRITE_ONCE } from '../../arch/access.ts'
import { _PAGE_ACCESSED, _PAGE_PRESENT, _PAGE_PROTNONE, _PAGE_RW } from '../../arch/pgtable.ts'
import type { Vma } from '../../arch/structs.ts'
import {
  address_space$kind,
  ADDRESS_SPACE_FILE,
  VM_ACCESS_FLAGS,
  VM_SHARED,
  VM_WRITE,
  vma$vm_flags,
  vma$vm_mapping,
  vma$vm_page_prot,
} from '../../arch/structs.ts'

/**
 * The _PAGE_ flags of a fresh entry under `vm_flags` (protection_map, arch/x86/mm/pgprot.c): a private writable mapping
 * starts read-only, so that the first write is a fault.
 */
export function vm_get_page_prot(vm_flags: number): number {
  if ((vm_flags & VM_ACCESS_FLAGS) === 0) return _PAGE_PROTNONE | _PAGE_ACCESSED
  if ((vm_flags & (VM_WRITE | VM_SHARED)) === (VM_WRITE | VM_SHARED))
    return _PAGE_PRESENT | _PAGE_ACCESSED | _PAGE_RW
  return _PAGE_PRESENT | _PAGE_ACCESSED
}

/**
 * Whether the first write to each page must fault although the mapping is shared: files keep account of dirty pages.
 */
export function vma_wants_writenotify(vma: Vma): boolean {
  if ((load(vma + vma$vm_flags) & (VM_WRITE | VM_SHARED)) !== (VM_WRITE | VM_SHARED)) return false
  return load(load(vma + vma$vm_mapping) + address_space$kind) === ADDRESS_SPACE_FILE
}

/** Sets vm_page_prot from vm_flags and the mapping. */
export function vma_set_page_prot(vma: Vma): void {
  let vm_flags = load(vma + vma$vm_flags)
  if (vma_wants_writenotify(vma)) vm_flags &= ~VM_SHARED
  // remove_migration_pte reads it without mmap_lock.
  WRITE_ONCE(vma + vma$vm_page_prot, vm_get_page_prot(vm_flags))
}

/** The _PAGE_ flags of a fresh entry of the VMA (vm_page_prot). */
export function vma_page_prot(vma: Vma): number {
  return load(vma + vma$vm_page_prot)
}
