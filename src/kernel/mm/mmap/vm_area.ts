/**
 * VMAs as objects (vm_area_alloc, vm_area_dup, vm_area_free of kernel/fork.c, vma_is_anonymous of include/linux/mm.h,
 * 6.1; with VMA_LOCK 6.4). Addresses are page numbers, ends are exclusive. Left out: names of anonymous VMAs, memory
 * policies, userfaultfd.
 */
import { VMA_LOCK } from '#config'
import { copy_words, load, store } from '../../arch/access.ts'
import type { Mm, Vma } from '../../arch/structs.ts'
import {
  vma$anon_vma_chain,
  vma$shared_next,
  vma$shared_prev,
  vma$vm_mapping,
  vma$vm_mm,
  VMA_FIELDS,
} from '../../arch/structs.ts'
import { call_rcu } from '../../rcu.ts'
import { kmem_cache_alloc, kmem_cache_free, vm_area_cachep } from '../slab.ts'
import { vma_lock_init } from '../vma_lock.ts'

/** A new VMA of `mm`, on no list; 0: out of memory. */
export function vm_area_alloc(mm: Mm): Vma {
  const vma = kmem_cache_alloc(vm_area_cachep) as Vma
  if (vma === 0) return vma
  store(vma + vma$vm_mm, mm)
  vma_lock_init(vma)
  return vma
}

/**
 * A copy of `orig` that is on no list; 0: out of memory. It names orig's anon_vma and mapping but holds no reference:
 * the caller clones the one (anon_vma_clone, anon_vma_fork) and grabs the other (igrab).
 */
export function vm_area_dup(orig: Vma): Vma {
  const vma = kmem_cache_alloc(vm_area_cachep) as Vma
  if (vma === 0) return vma
  copy_words(vma, orig, VMA_FIELDS)
  vma_lock_init(vma)
  store(vma + vma$anon_vma_chain, 0)
  store(vma + vma$shared_next, 0)
  store(vma + vma$shared_prev, 0)
  return vma
}

/** Frees a VMA that is in no map. A fault that found it before, under RCU, may still look at it. */
export function vm_area_free(vma: Vma): void {
  if (VMA_LOCK) call_rcu(vma)
  else __vm_area_free(vma)
}

/** Frees a VMA that nobody looks at. */
export function __vm_area_free(vma: Vma): void {
  kmem_cache_free(vm_area_cachep, vma)
}

/** Whether the VMA is private anonymous memory: an absent page is a page of zeros (vma_is_anonymous). */
export function vma_is_anonymous(vma: Vma): boolean {
  return load(vma + vma$vm_mapping) === 0
}
