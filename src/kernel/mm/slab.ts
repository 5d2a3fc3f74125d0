/**
 * Object caches (mm/slab.h, slab_common.c, 6.1): fixed arenas with one free list each, and a generation stamp beside each
 * object that changes when it is freed. Freed memory is poisoned, so that a stale pointer is noticed early.
 * Left out: slabs, per-CPU caches, growing.
 */
import { FAIL_ALLOC } from '#config'
import { atomic_fetch_add } from '#atomic'
import { clear_words, fill_words, load, store } from '../arch/access.ts'
import { BUG_ON } from '../arch/bug.ts'
import {
  NR_ADDRESS_SPACES,
  NR_ANON_VMAS,
  NR_ANON_VMA_CHAINS,
  NR_MMS,
  NR_TASKS,
  NR_VMAS,
  NR_XA_NODES,
} from '../arch/limits.ts'
import {
  ADDRESS_SPACE_STAMPS,
  ADDRESS_SPACES,
  ANON_VMA_CHAIN_STAMPS,
  ANON_VMA_CHAINS,
  ANON_VMA_STAMPS,
  ANON_VMAS,
  KMEM_CACHES,
  machine$fail_alloc,
  machine$nr_allocs,
  MM_STAMPS,
  MMS,
  TASK_STAMPS,
  TASKS,
  VMA_STAMPS,
  VMAS,
  XA_NODE_STAMPS,
  XA_NODES,
} from '../arch/memory_map.ts'
import type { KmemCache, Spinlock } from '../arch/structs.ts'
import {
  ADDRESS_SPACE_WORDS,
  ANON_VMA_CHAIN_WORDS,
  ANON_VMA_WORDS,
  KMEM_CACHE_WORDS,
  kmem_cache$base,
  kmem_cache$freelist,
  kmem_cache$in_use,
  kmem_cache$lock,
  kmem_cache$nr_objects,
  kmem_cache$object_words,
  kmem_cache$stamps,
  MM_WORDS,
  TASK_WORDS,
  VMA_WORDS,
  XA_NODE_WORDS,
} from '../arch/structs.ts'
import { LOCK_CLASS_kmem_cache } from '../locking/lock_class.ts'
import { spin_lock, spin_lock_init, spin_unlock } from '../locking/spinlock.ts'
import { ALLOC_FAILED, count_vm_event } from './vmstat.ts'

/** What freed words hold (POISON_FREE, include/linux/poison.h). */
export const POISON_FREE = 0x6b6b6b6b

export const task_struct_cachep = KMEM_CACHES as KmemCache
export const mm_cachep = (KMEM_CACHES + KMEM_CACHE_WORDS) as KmemCache
export const vm_area_cachep = (KMEM_CACHES + 2 * KMEM_CACHE_WORDS) as KmemCache
export const anon_vma_cachep = (KMEM_CACHES + 3 * KMEM_CACHE_WORDS) as KmemCache
export const anon_vma_chain_cachep = (KMEM_CACHES + 4 * KMEM_CACHE_WORDS) as KmemCache
export const address_space_cachep = (KMEM_CACHES + 5 * KMEM_CACHE_WORDS) as KmemCache
export const xa_node_cachep = (KMEM_CACHES + 6 * KMEM_CACHE_WORDS) as KmemCache

/**
 * Whether this allocation is the one that FAIL_ALLOC lets fail; counts it. Every allocator asks: pages, tables, objects.
 */
export function should_fail(): boolean {
  if (!FAIL_ALLOC) return false
  if (atomic_fetch_add(machine$nr_allocs, 1) + 1 !== load(machine$fail_alloc)) return false
  count_vm_event(ALLOC_FAILED)
  return true
}

function kmem_cache_create(
  cache: KmemCache,
  base: number,
  words: number,
  objects: number,
  stamps: number,
): void {
  store(cache + kmem_cache$base, base)
  store(cache + kmem_cache$object_words, words)
  store(cache + kmem_cache$nr_objects, objects)
  store(cache + kmem_cache$stamps, stamps)
  store(cache + kmem_cache$freelist, base)
  for (let i = 0; i < objects; i++) store(base + i * words, i + 1 < objects ? base + (i + 1) * words : 0)
  spin_lock_init((cache + kmem_cache$lock) as Spinlock, LOCK_CLASS_kmem_cache)
}

/** Lays out all caches; once, at boot. */
export function kmem_cache_init(): void {
  kmem_cache_create(task_struct_cachep, TASKS, TASK_WORDS, NR_TASKS, TASK_STAMPS)
  kmem_cache_create(mm_cachep, MMS, MM_WORDS, NR_MMS, MM_STAMPS)
  kmem_cache_create(vm_area_cachep, VMAS, VMA_WORDS, NR_VMAS, VMA_STAMPS)
  kmem_cache_create(anon_vma_cachep, ANON_VMAS, ANON_VMA_WORDS, NR_ANON_VMAS, ANON_VMA_STAMPS)
  kmem_cache_create(
    anon_vma_chain_cachep,
    ANON_VMA_CHAINS,
    ANON_VMA_CHAIN_WORDS,
    NR_ANON_VMA_CHAINS,
    ANON_VMA_CHAIN_STAMPS,
  )
  kmem_cache_create(
    address_space_cachep,
    ADDRESS_SPACES,
    ADDRESS_SPACE_WORDS,
    NR_ADDRESS_SPACES,
    ADDRESS_SPACE_STAMPS,
  )
  kmem_cache_create(xa_node_cachep, XA_NODES, XA_NODE_WORDS, NR_XA_NODES, XA_NODE_STAMPS)
}

/** Takes an object, its words zero; 0 if there is none left. */
export function kmem_cache_alloc(cache: KmemCache): number {
  if (should_fail()) return 0
  const lock = (cache + kmem_cache$lock) as Spinlock
  spin_lock(lock)
  const object = load(cache + kmem_cache$freelist)
  if (object !== 0) {
    store(cache + kmem_cache$freelist, load(object))
    store(cache + kmem_cache$in_use, load(cache + kmem_cache$in_use) + 1)
  }
  spin_unlock(lock)
  if (object === 0) {
    count_vm_event(ALLOC_FAILED)
    return 0
  }
  clear_words(object, load(cache + kmem_cache$object_words))
  return object
}

/** Gives an object back and changes its stamp. The first 16 words are poisoned but the first, which links the list. */
export function kmem_cache_free(cache: KmemCache, object: number): void {
  const words = load(cache + kmem_cache$object_words)
  const index = (object - load(cache + kmem_cache$base)) / words
  BUG_ON(Math.trunc(index) !== index || index < 0 || index >= load(cache + kmem_cache$nr_objects))
  fill_words(object + 1, Math.min(words, 16) - 1, POISON_FREE)
  const stamp = load(cache + kmem_cache$stamps) + index
  const lock = (cache + kmem_cache$lock) as Spinlock
  spin_lock(lock)
  store(stamp, load(stamp) + 1)
  store(object, load(cache + kmem_cache$freelist))
  store(cache + kmem_cache$freelist, object)
  store(cache + kmem_cache$in_use, load(cache + kmem_cache$in_use) - 1)
  spin_unlock(lock)
}
