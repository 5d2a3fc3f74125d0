/**
 * anon_vma (mm/rmap.c, 6.1): a family of VMAs that may map the same anonymous pages; its references and its lock. One
 * anon_vma has a reference for each VMA list it is on, and the root one of each descendant. The rwsem of the root locks
 * the whole family.
 *
 * With SWAP a page leads readers to it that hold nothing but RCU, so its cache is SLAB_TYPESAFE_BY_RCU: what is freed
 * may be the anon_vma of another family at once, but its lock and its count stay what they are until a grace period
 * after its slab is given back. Here a CPU keeps one that is free for its next allocation; each other goes back to the
 * cache after a grace period of its own.
 */
import { SWAP } from '#config'
import { atomic_fetch_add } from '#atomic'
import { load, store, this_cpu_read, this_cpu_write, WRITE_ONCE } from '../../arch/access.ts'
import { BUG_ON } from '../../arch/bug.ts'
import { percpu$anon_vma_slab } from '../../arch/percpu.ts'
import type { AnonVma, Rwsem } from '../../arch/structs.ts'
import {
  anon_vma$num_active_vmas,
  anon_vma$num_children,
  anon_vma$parent,
  anon_vma$rb_root,
  anon_vma$refcount,
  anon_vma$root,
  anon_vma$rwsem,
} from '../../arch/structs.ts'
import { LOCK_CLASS_anon_vma_rwsem_R, LOCK_CLASS_anon_vma_rwsem_W } from '../../locking/lock_class.ts'
import { down_write, init_rwsem, rwsem_is_locked, up_write } from '../../locking/rwsem.ts'
import { call_rcu } from '../../rcu.ts'
import { anon_vma_cachep, kmem_cache_alloc, kmem_cache_free, should_fail } from '../slab.ts'

/** What holds of every object of the cache, in use or free (anon_vma_ctor). */
function anon_vma_ctor(anon_vma: AnonVma): void {
  init_rwsem((anon_vma + anon_vma$rwsem) as Rwsem, LOCK_CLASS_anon_vma_rwsem_R, LOCK_CLASS_anon_vma_rwsem_W)
}

/** The free anon_vma that this CPU keeps, or one of a new slab; 0: no memory (slab_alloc). */
function anon_vma_slab_alloc(): AnonVma {
  const kept = (SWAP ? this_cpu_read(percpu$anon_vma_slab) : 0) as AnonVma
  if (kept !== 0) {
    if (should_fail()) return 0 as AnonVma
    this_cpu_write(percpu$anon_vma_slab, 0)
    return kept
  }
  const anon_vma = kmem_cache_alloc(anon_vma_cachep) as AnonVma
  if (anon_vma !== 0) anon_vma_ctor(anon_vma)
  return anon_vma
}

/** Keeps a free anon_vma, or gives its slab back after a grace period (discard_slab). */
function anon_vma_slab_free(anon_vma: AnonVma): void {
  if (this_cpu_read(percpu$anon_vma_slab) === 0) this_cpu_write(percpu$anon_vma_slab, anon_vma)
  else call_rcu(anon_vma)
}

/** This CPU leaves: it keeps none any more (slub_cpu_dead). */
export function anon_vma_slab_flush(): void {
  const kept = this_cpu_read(percpu$anon_vma_slab)
  this_cpu_write(percpu$anon_vma_slab, 0)
  if (kept !== 0) call_rcu(kept)
}

export function anon_vma_alloc(): AnonVma {
  const anon_vma = anon_vma_slab_alloc()
  if (anon_vma === 0) return anon_vma
  // Marked: readers may have found it before it was freed.
  WRITE_ONCE(anon_vma + anon_vma$refcount, 1)
  store(anon_vma + anon_vma$num_children, 0)
  store(anon_vma + anon_vma$num_active_vmas, 0)
  store(anon_vma + anon_vma$parent, anon_vma)
  WRITE_ONCE(anon_vma + anon_vma$root, anon_vma)
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
 * Frees an anon_vma without references. Who found it through a page may be trying its root's lock
 * (folio_lock_anon_vma_read): whoever has got it and saw the page mapped is waited for, and whoever comes later sees
 * that the page is mapped no more.
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
  anon_vma_slab_free(anon_vma)
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
