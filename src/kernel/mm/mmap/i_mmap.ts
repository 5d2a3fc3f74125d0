/**
 * The list of the VMAs that map an object, under its i_mmap_rwsem (mm/mmap.c, 6.1: __vma_link_file,
 * __remove_shared_vm_struct, unlink_file_vma). Linux keeps an interval tree. Left out: counts of writable mappings,
 * flushes of aliased caches.
 */
import { load, store } from '../../arch/access.ts'
import type { AddressSpace, Rwsem, Vma } from '../../arch/structs.ts'
import {
  address_space$i_mmap,
  address_space$i_mmap_rwsem,
  vma$shared_next,
  vma$shared_prev,
  vma$vm_mapping,
} from '../../arch/structs.ts'
import { down_write, up_write } from '../../locking/rwsem.ts'

/** Keeps walks over the mapping's VMAs out. */
export function i_mmap_lock_write(mapping: AddressSpace): void {
  down_write((mapping + address_space$i_mmap_rwsem) as Rwsem)
}

/** Ends what i_mmap_lock_write began. */
export function i_mmap_unlock_write(mapping: AddressSpace): void {
  up_write((mapping + address_space$i_mmap_rwsem) as Rwsem)
}

/** Adds the VMA to its mapping's list, whose i_mmap_rwsem the caller holds for writing. */
export function __vma_link_file(vma: Vma, mapping: AddressSpace): void {
  const first = load(mapping + address_space$i_mmap)
  store(vma + vma$shared_prev, 0)
  store(vma + vma$shared_next, first)
  if (first !== 0) store(first + vma$shared_prev, vma)
  store(mapping + address_space$i_mmap, vma)
}

/** Takes the VMA off its mapping's list, whose i_mmap_rwsem the caller holds for writing. */
export function __remove_shared_vm_struct(vma: Vma, mapping: AddressSpace): void {
  const next = load(vma + vma$shared_next)
  const prev = load(vma + vma$shared_prev)
  if (prev === 0) store(mapping + address_space$i_mmap, next)
  else store(prev + vma$shared_next, next)
  if (next !== 0) store(next + vma$shared_prev, prev)
  store(vma + vma$shared_next, 0)
  store(vma + vma$shared_prev, 0)
}

/** Hides the VMA from walks over its mapping; before its page tables are freed. */
export function unlink_file_vma(vma: Vma): void {
  const mapping = load(vma + vma$vm_mapping) as AddressSpace
  if (mapping === 0) return
  i_mmap_lock_write(mapping)
  __remove_shared_vm_struct(vma, mapping)
  i_mmap_unlock_write(mapping)
}
