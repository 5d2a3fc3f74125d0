/**
 * anon_vma (mm/rmap.c, 6.1): a family of VMAs that may map the same anonymous pages; its references and its lock. One anon_vma has a
 * reference for each VMA list it is on, and the root one of each descendant. The rwsem of the root locks the whole family.
 */
import { SWAP } from '#config'
import { atomic_fetch_add } from '#atomic'
import { load, store } from '../../arch/access.ts'
import { BUG_ON } from '../../arch/bug.ts'
import type { AnonVma, Rwsem } from '../../arch/structs.ts'
import {
  anon_vma$parent,
  anon_vma$rb_root,
  anon_vma$refcount,
  anon_vma$root,
  anon_vma$rwsem,
} from '../../arch/structs.ts'
import { LOCK_CLASS_anon_vma_rwsem_R, LOCK_CLASS_anon_vma_rwsem_W } from '../../locking/lock_class.ts'
import { down_write, init_rwsem, rwsem_is_locked, up_write } from '../../locking/rwsem.ts'
import { call_rcu } from '../../rcu.ts'
import { anon_vma_cachep, kmem_cache_alloc, kmem_cache_free } from '../slab.ts'

export function anon_vma_alloc(): AnonVma {
  const anon_vma = kmem_cache_alloc(anon_vma_cachep) as AnonVma
  if (anon_vma === 0) return anon_vma
  init_rwsem((anon_vma + anon_vma$rwsem) as Rwsem, LOCK_CLASS_anon_vma_rwsem_R, LOCK_CLASS_anon_vma_rwsem_W)
  store(anon_vma + anon_vma$refcount, 1)
  store(anon_vma + anon_vma$parent, anon_vma)
  store(anon_vma + anon_vma$root, anon_vma)
  return anon_vma
}

/** Takes a reference. */
export function get_anon_vma(anon_vma: AnonVma): void {
  atomic_fetch_add(anon_vma + anon_vma$refcount, 1)
}

/** Drops a reference; the last one frees it, and with it its reference to the root. */
export function put_anon_vma(anon_vma: AnonVma): void {
  if (atomic_fetch_add(anon_vma + anon_vma$refcount, -1) === 1) __put_anon_vma(anon_vma)
}

/**
 * Frees an anon_vma without references. Who found it through a page may be trying its root's lock (folio_lock_anon_vma_read): whoever has
 * got it is waited for, and whoever comes later sees that the page is mapped no more; it looks under RCU.
 */
function anon_vma_free(anon_vma: AnonVma, root: AnonVma): void {
  if (!SWAP) {
    kmem_cache_free(anon_vma_cachep, anon_vma)
    return
  }
  const rwsem = (root + anon_vma$rwsem) as Rwsem
  if (rwsem_is_locked(rwsem)) {
    down_write(rwsem)
    up_write(rwsem)
  }
  call_rcu(anon_vma)
}

export function __put_anon_vma(anon_vma: AnonVma): void {
  const root = load(anon_vma + anon_vma$root) as AnonVma
  BUG_ON(load(anon_vma + anon_vma$rb_root) !== 0)
  anon_vma_free(anon_vma, root)
  if (root !== anon_vma && atomic_fetch_add(root + anon_vma$refcount, -1) === 1) anon_vma_free(root, root)
}

/** Locks the whole family of `anon_vma`: the rwsem of its root. */
export function anon_vma_lock_write(anon_vma: AnonVma): void {
  down_write((load(anon_vma + anon_vma$root) + anon_vma$rwsem) as Rwsem)
}

export function anon_vma_unlock_write(anon_vma: AnonVma): void {
  up_write((load(anon_vma + anon_vma$root) + anon_vma$rwsem) as Rwsem)
}

/**
 * Makes `anon_vma`'s root the locked one, given the one that is locked now (0: none); returns it. All anon_vmas of one
 * VMA have the same root, so that a loop over its chains takes one lock.
 */
export function lock_anon_vma_root(root: AnonVma, anon_vma: AnonVma): AnonVma {
  const new_root = load(anon_vma + anon_vma$root) as AnonVma
  if (new_root !== root) {
    BUG_ON(root !== 0)
    down_write((new_root + anon_vma$rwsem) as Rwsem)
  }
  return new_root
}

export function unlock_anon_vma_root(root: AnonVma): void {
  if (root !== 0) up_write((root + anon_vma$rwsem) as Rwsem)
}
