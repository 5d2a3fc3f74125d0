/**
 * The anon_vmas of a VMA that becomes two, and of one that goes (mm/rmap.c, 6.1): anon_vma_clone, anon_vma_fork,
 * unlink_anon_vmas.
 */
import { load, store, WRITE_ONCE } from '../../arch/access.ts'
import { BUG_ON } from '../../arch/bug.ts'
import type { AnonVma, AnonVmaChain, Vma } from '../../arch/structs.ts'
import {
  anon_vma$num_active_vmas,
  anon_vma$num_children,
  anon_vma$parent,
  anon_vma$rb_root,
  anon_vma$root,
  anon_vma_chain$anon_vma,
  anon_vma_chain$same_vma_next,
  anon_vma_chain$same_vma_prev,
  vma$anon_vma,
  vma$anon_vma_chain,
} from '../../arch/structs.ts'
import { ENOMEM } from '../../errno.ts'
import {
  anon_vma_alloc,
  anon_vma_lock_write,
  anon_vma_unlock_write,
  get_anon_vma,
  lock_anon_vma_root,
  put_anon_vma,
  unlock_anon_vma_root,
} from './anon_vma.ts'
import {
  anon_vma_chain_alloc,
  anon_vma_chain_free,
  anon_vma_chain_link,
  anon_vma_interval_tree_remove,
  avc_del_same_vma,
} from './anon_vma_chain.ts'

/**
 * Ties `dst`, which has no chains, to every anon_vma of `src`, oldest first. If `dst` has no anon_vma of its own yet
 * (fork), one that lost its VMA and has one child is reused. Both mms' mmap_locks are held for writing.
 * Returns 0 or -ENOMEM, and then `dst` has no chains and no anon_vma.
 */
export function anon_vma_clone(dst: Vma, src: Vma): number {
  let root = 0 as AnonVma
  const head = load(src + vma$anon_vma_chain)
  let pavc = head !== 0 ? load(head + anon_vma_chain$same_vma_prev) : 0
  while (pavc !== 0) {
    let avc = anon_vma_chain_alloc()
    if (avc === 0) {
      // Again without the lock, where Linux may sleep for memory.
      unlock_anon_vma_root(root)
      root = 0 as AnonVma
      avc = anon_vma_chain_alloc()
      if (avc === 0) {
        // Not counted yet, so unlink_anon_vmas must not count it out.
        store(dst + vma$anon_vma, 0)
        unlink_anon_vmas(dst)
        return -ENOMEM
      }
    }
    const anon_vma = load(pavc + anon_vma_chain$anon_vma) as AnonVma
    root = lock_anon_vma_root(root, anon_vma)
    anon_vma_chain_link(dst, avc, anon_vma)
    if (
      load(dst + vma$anon_vma) === 0 &&
      load(src + vma$anon_vma) !== 0 &&
      load(anon_vma + anon_vma$num_children) < 2 &&
      load(anon_vma + anon_vma$num_active_vmas) === 0
    )
      store(dst + vma$anon_vma, anon_vma)
    pavc = pavc === head ? 0 : load(pavc + anon_vma_chain$same_vma_prev)
  }
  const own = load(dst + vma$anon_vma) as AnonVma
  if (own !== 0) store(own + anon_vma$num_active_vmas, load(own + anon_vma$num_active_vmas) + 1)
  unlock_anon_vma_root(root)
  return 0
}

/**
 * Ties the child's `vma` to the anon_vmas of the parent's `pvma` and gives it one of its own, for the pages it will
 * copy. Returns 0 or -ENOMEM, and then `vma` has no chains and no anon_vma.
 */
export function anon_vma_fork(vma: Vma, pvma: Vma): number {
  const parent = load(pvma + vma$anon_vma) as AnonVma
  if (parent === 0) return 0
  store(vma + vma$anon_vma, 0)
  const error = anon_vma_clone(vma, pvma)
  if (error !== 0) return error
  if (load(vma + vma$anon_vma) !== 0) return 0
  const anon_vma = anon_vma_alloc()
  const avc = anon_vma !== 0 ? anon_vma_chain_alloc() : (0 as AnonVmaChain)
  if (avc === 0) {
    if (anon_vma !== 0) put_anon_vma(anon_vma)
    unlink_anon_vmas(vma)
    return -ENOMEM
  }
  const root = load(parent + anon_vma$root) as AnonVma
  store(anon_vma + anon_vma$num_active_vmas, 1)
  WRITE_ONCE(anon_vma + anon_vma$root, root)
  store(anon_vma + anon_vma$parent, parent)
  get_anon_vma(root)
  store(vma + vma$anon_vma, anon_vma)
  anon_vma_lock_write(anon_vma)
  anon_vma_chain_link(vma, avc, anon_vma)
  store(parent + anon_vma$num_children, load(parent + anon_vma$num_children) + 1)
  anon_vma_unlock_write(anon_vma)
  return 0
}

/**
 * Unties the VMA from all its anon_vmas and frees those that nobody needs any more. up_write looks at the root once
 * more where others wait, and they may free it meanwhile: without a tie that keeps it, a reference does. Linux has
 * none, and from 6.3 on no preemption there, so that the freed root's memory stays an anon_vma's.
 */
export function unlink_anon_vmas(vma: Vma): void {
  let root = 0 as AnonVma
  let next = 0
  for (let avc = load(vma + vma$anon_vma_chain); avc !== 0; avc = next) {
    next = load(avc + anon_vma_chain$same_vma_next)
    const anon_vma = load(avc + anon_vma_chain$anon_vma) as AnonVma
    root = lock_anon_vma_root(root, anon_vma)
    anon_vma_interval_tree_remove(avc as AnonVmaChain, anon_vma)
    if (load(anon_vma + anon_vma$rb_root) === 0) {
      // Empty: stays on the VMA's list, to be freed without the lock.
      const parent = load(anon_vma + anon_vma$parent)
      store(parent + anon_vma$num_children, load(parent + anon_vma$num_children) - 1)
      continue
    }
    avc_del_same_vma(vma, avc as AnonVmaChain)
    anon_vma_chain_free(avc as AnonVmaChain)
  }
  const own = load(vma + vma$anon_vma) as AnonVma
  if (own !== 0) {
    store(own + anon_vma$num_active_vmas, load(own + anon_vma$num_active_vmas) - 1)
    store(vma + vma$anon_vma, 0)
  }
  const kept = load(vma + vma$anon_vma_chain) === 0 ? root : (0 as AnonVma)
  if (kept !== 0) get_anon_vma(kept)
  unlock_anon_vma_root(root)
  if (kept !== 0) put_anon_vma(kept)
  for (let avc = load(vma + vma$anon_vma_chain); avc !== 0; avc = next) {
    next = load(avc + anon_vma_chain$same_vma_next)
    const anon_vma = load(avc + anon_vma_chain$anon_vma) as AnonVma
    BUG_ON(load(anon_vma + anon_vma$num_children) !== 0)
    BUG_ON(load(anon_vma + anon_vma$num_active_vmas) !== 0)
    put_anon_vma(anon_vma)
    avc_del_same_vma(vma, avc as AnonVmaChain)
    anon_vma_chain_free(avc as AnonVmaChain)
  }
}

/** Drops the chains of `next`, which has become part of `vma`. */
export function anon_vma_merge(vma: Vma, next: Vma): void {
  BUG_ON(load(vma + vma$anon_vma) !== load(next + vma$anon_vma))
  unlink_anon_vmas(next)
}
