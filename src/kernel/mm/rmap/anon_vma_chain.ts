/**
 * An anon_vma_chain ties one VMA to one anon_vma (mm/rmap.c, mm/interval_tree.c, 6.1). It is on two lists: the VMA's,
 * newest first, so that the root comes last, and the anon_vma's, sorted by the VMA's vm_pgoff and then by insertion,
 * where Linux has an interval tree. The first is guarded by mmap_lock (and page_table_lock for the first chain), the
 * second by the rwsem of the root.
 */
import { load, READ_ONCE, store, WRITE_ONCE } from '../../arch/access.ts'
import type { AnonVma, AnonVmaChain, Vma } from '../../arch/structs.ts'
import {
  anon_vma$rb_root,
  anon_vma_chain$anon_vma,
  anon_vma_chain$rb_next,
  anon_vma_chain$rb_prev,
  anon_vma_chain$same_vma_next,
  anon_vma_chain$same_vma_prev,
  anon_vma_chain$vma,
  vma$anon_vma_chain,
  vma$vm_pgoff,
} from '../../arch/structs.ts'
import { anon_vma_chain_cachep, kmem_cache_alloc, kmem_cache_free } from '../slab.ts'

export function anon_vma_chain_alloc(): AnonVmaChain {
  return kmem_cache_alloc(anon_vma_chain_cachep) as AnonVmaChain
}

export function anon_vma_chain_free(avc: AnonVmaChain): void {
  kmem_cache_free(anon_vma_chain_cachep, avc)
}

/** Whether the VMA has exactly one chain: no fork is behind it. */
export function list_is_singular_anon_vma_chain(vma: Vma): boolean {
  const first = READ_ONCE(vma + vma$anon_vma_chain)
  return first !== 0 && load(first + anon_vma_chain$same_vma_next) === 0
}

function avc_start_pgoff(avc: AnonVmaChain): number {
  return load(load(avc + anon_vma_chain$vma) + vma$vm_pgoff)
}

/** Puts the chain on its anon_vma's list. Under the root's rwsem. */
function anon_vma_interval_tree_insert(avc: AnonVmaChain, anon_vma: AnonVma): void {
  const head = load(anon_vma + anon_vma$rb_root) as AnonVmaChain
  if (head === 0) {
    store(avc + anon_vma_chain$rb_next, 0)
    store(avc + anon_vma_chain$rb_prev, avc)
    store(anon_vma + anon_vma$rb_root, avc)
    return
  }
  // From the end: a fork's chains all have the same pgoff.
  const pgoff = avc_start_pgoff(avc)
  const tail = load(head + anon_vma_chain$rb_prev) as AnonVmaChain
  let after = tail
  while (after !== 0 && avc_start_pgoff(after) > pgoff)
    after = after === head ? (0 as AnonVmaChain) : (load(after + anon_vma_chain$rb_prev) as AnonVmaChain)
  if (after === 0) {
    store(avc + anon_vma_chain$rb_next, head)
    store(avc + anon_vma_chain$rb_prev, tail)
    store(head + anon_vma_chain$rb_prev, avc)
    store(anon_vma + anon_vma$rb_root, avc)
    return
  }
  const next = load(after + anon_vma_chain$rb_next)
  store(avc + anon_vma_chain$rb_next, next)
  store(avc + anon_vma_chain$rb_prev, after)
  store(after + anon_vma_chain$rb_next, avc)
  store((next !== 0 ? next : head) + anon_vma_chain$rb_prev, avc)
}

/** Takes the chain off its anon_vma's list. Under the root's rwsem. */
export function anon_vma_interval_tree_remove(avc: AnonVmaChain, anon_vma: AnonVma): void {
  const head = load(anon_vma + anon_vma$rb_root)
  const next = load(avc + anon_vma_chain$rb_next)
  const prev = load(avc + anon_vma_chain$rb_prev)
  if (avc === head) store(anon_vma + anon_vma$rb_root, next)
  else store(prev + anon_vma_chain$rb_next, next)
  if (next !== 0) store(next + anon_vma_chain$rb_prev, prev)
  else if (avc !== head) store(head + anon_vma_chain$rb_prev, prev)
}

/** Takes the VMA's chains off the lists that are sorted by its pgoff, which is about to change. */
export function anon_vma_interval_tree_pre_update_vma(vma: Vma): void {
  for (let avc = load(vma + vma$anon_vma_chain); avc !== 0; avc = load(avc + anon_vma_chain$same_vma_next))
    anon_vma_interval_tree_remove(avc as AnonVmaChain, load(avc + anon_vma_chain$anon_vma) as AnonVma)
}

export function anon_vma_interval_tree_post_update_vma(vma: Vma): void {
  for (let avc = load(vma + vma$anon_vma_chain); avc !== 0; avc = load(avc + anon_vma_chain$same_vma_next))
    anon_vma_interval_tree_insert(avc as AnonVmaChain, load(avc + anon_vma_chain$anon_vma) as AnonVma)
}

/** Ties `vma` to `anon_vma` by `avc`. Under the root's rwsem. */
export function anon_vma_chain_link(vma: Vma, avc: AnonVmaChain, anon_vma: AnonVma): void {
  store(avc + anon_vma_chain$vma, vma)
  store(avc + anon_vma_chain$anon_vma, anon_vma)
  const head = load(vma + vma$anon_vma_chain)
  store(avc + anon_vma_chain$same_vma_next, head)
  if (head === 0) store(avc + anon_vma_chain$same_vma_prev, avc)
  else {
    store(avc + anon_vma_chain$same_vma_prev, load(head + anon_vma_chain$same_vma_prev))
    store(head + anon_vma_chain$same_vma_prev, avc)
  }
  // Marked: find_mergeable_anon_vma of another thread looks at the neighbour's list.
  WRITE_ONCE(vma + vma$anon_vma_chain, avc)
  anon_vma_interval_tree_insert(avc, anon_vma)
}

/** Takes the chain off its VMA's list. */
export function avc_del_same_vma(vma: Vma, avc: AnonVmaChain): void {
  const head = load(vma + vma$anon_vma_chain)
  const next = load(avc + anon_vma_chain$same_vma_next)
  const prev = load(avc + anon_vma_chain$same_vma_prev)
  if (avc === head) store(vma + vma$anon_vma_chain, next)
  else store(prev + anon_vma_chain$same_vma_next, next)
  if (next !== 0) store(next + anon_vma_chain$same_vma_prev, prev)
  else if (avc !== head) store(head + anon_vma_chain$same_vma_prev, prev)
}
