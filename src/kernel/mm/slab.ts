/**
 * Object caches (mm/slub.c, include/linux/slub_def.h, 6.1). An object comes from this CPU's freelist, and goes back
 * there if it is of the slab that the list is of: no lock, and no line of another CPU. Else it goes to its slab by one
 * cmpxchg. A full slab that gets an object back joins the partial slabs of the CPU that frees it; when there are too
 * many, those go to the node's list: only moves to and from that one take list_lock. Freed objects are poisoned, so
 * that a stale pointer is noticed early.
 *
 *   this CPU  freelist -> object -> object     of kmem_cache_cpu$slab, frozen: others free to the slab itself
 *             partial  -> slab -> slab         frozen too
 *   node      partial <-> slab <-> slab        under list_lock: slabs that have free objects and no CPU
 *   nowhere   full slabs
 *   arena     free_slabs -> slab -> slab       stands for the page allocator
 *
 * Left out: what slabs are made of: each cache has an arena of them, and those not in use are on a stack without a
 * lock, where Linux takes pages from a CPU's list. Merging of caches, the random order of a new slab's objects,
 * transaction ids (no interrupt allocates).
 */
import { FAIL_ALLOC, NODES } from '#config'
import { atomic_fetch_add, cmpxchg } from '#atomic'
import {
  clear_words,
  fill_words,
  load,
  READ_ONCE,
  smp_processor_id,
  store,
  this_cpu_read,
  this_cpu_write,
  WRITE_ONCE,
} from '../arch/access.ts'
import { BUG_ON } from '../arch/bug.ts'
import { local_irq_restore, local_irq_save } from '../arch/irq.ts'
import {
  CPU_PARTIAL_SLABS,
  NR_ADDRESS_SPACE_SLABS,
  NR_ANON_VMA_CHAIN_SLABS,
  NR_ANON_VMA_SLABS,
  NR_MM_SLABS,
  NR_TASK_SLABS,
  NR_VMA_SLABS,
  NR_XA_NODE_SLABS,
  OBJECTS_PER_ADDRESS_SPACE_SLAB,
  OBJECTS_PER_ANON_VMA_CHAIN_SLAB,
  OBJECTS_PER_ANON_VMA_SLAB,
  OBJECTS_PER_MM_SLAB,
  OBJECTS_PER_TASK_SLAB,
  OBJECTS_PER_VMA_SLAB,
  OBJECTS_PER_XA_NODE_SLAB,
} from '../arch/limits.ts'
import {
  ADDRESS_SPACE_SLABS,
  ADDRESS_SPACES,
  ANON_VMA_CHAIN_SLABS,
  ANON_VMA_CHAINS,
  ANON_VMA_SLABS,
  ANON_VMAS,
  KMEM_CACHE_NODES,
  KMEM_CACHES,
  machine$fail_alloc,
  machine$nr_allocs,
  MM_SLABS,
  MMS,
  TASK_SLABS,
  TASKS,
  VMA_SLABS,
  VMAS,
  XA_NODE_SLABS,
  XA_NODES,
} from '../arch/memory_map.ts'
import { observe_object_alloc, observe_object_free } from '../arch/observe.ts'
import {
  kmem_cache_cpu$freelist,
  kmem_cache_cpu$partial,
  kmem_cache_cpu$slab,
  KMEM_CACHE_CPU_WORDS,
  percpu$kmem_cache_cpu,
} from '../arch/percpu.ts'
import type { KmemCache, KmemCacheNode, Slab, Spinlock } from '../arch/structs.ts'
import {
  ADDRESS_SPACE_WORDS,
  ANON_VMA_CHAIN_WORDS,
  ANON_VMA_WORDS,
  kmem_cache$base,
  kmem_cache$free_slabs,
  kmem_cache$nr_slabs,
  kmem_cache$object_words,
  kmem_cache$objects,
  kmem_cache$slabs,
  kmem_cache_node$list_lock,
  kmem_cache_node$nr_partial,
  kmem_cache_node$partial_head,
  kmem_cache_node$partial_tail,
  KMEM_CACHE_NODE_WORDS,
  KMEM_CACHE_WORDS,
  MM_WORDS,
  NR_KMEM_CACHES,
  slab$counters,
  slab$free_next,
  slab$next,
  slab$nid,
  slab$prev,
  slab$slabs,
  SLAB_FREELIST_MASK,
  SLAB_FROZEN,
  SLAB_INUSE_ONE,
  SLAB_INUSE_SHIFT,
  SLAB_WORDS,
  TASK_WORDS,
  VMA_WORDS,
  XA_NODE_WORDS,
} from '../arch/structs.ts'
import { LOCK_CLASS_kmem_cache } from '../locking/lock_class.ts'
import { spin_lock_init, spin_lock_irqsave, spin_unlock_irqrestore } from '../locking/spinlock.ts'
import { cpu_to_node } from './mmzone.ts'
import { ALLOC_FAILED, count_vm_event } from './vmstat.ts'

/** What freed words hold (POISON_FREE, include/linux/poison.h). */
export const POISON_FREE = 0x6b6b6b6b
/** Slabs without an object in use that a node keeps (MIN_PARTIAL). */
const MIN_PARTIAL = 5
/** kmem_cache$free_slabs: number of the first free slab + 1, and above it how often the word was written. */
const FREE_SLAB_MASK = 0xffff
const FREE_SLAB_TAG = 1 << 16

export const task_struct_cachep = KMEM_CACHES as KmemCache
export const mm_cachep = (KMEM_CACHES + KMEM_CACHE_WORDS) as KmemCache
export const vm_area_cachep = (KMEM_CACHES + 2 * KMEM_CACHE_WORDS) as KmemCache
export const anon_vma_cachep = (KMEM_CACHES + 3 * KMEM_CACHE_WORDS) as KmemCache
export const anon_vma_chain_cachep = (KMEM_CACHES + 4 * KMEM_CACHE_WORDS) as KmemCache
export const address_space_cachep = (KMEM_CACHES + 5 * KMEM_CACHE_WORDS) as KmemCache
export const xa_node_cachep = (KMEM_CACHES + 6 * KMEM_CACHE_WORDS) as KmemCache

/**
 * Whether this allocation is the one that FAIL_ALLOC lets fail; counts it. Every allocator asks: pages and objects.
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
  slabs: number,
  nr_slabs: number,
): void {
  store(cache + kmem_cache$base, base)
  store(cache + kmem_cache$object_words, words)
  store(cache + kmem_cache$objects, objects)
  store(cache + kmem_cache$slabs, slabs)
  store(cache + kmem_cache$nr_slabs, nr_slabs)
  for (let i = 0; i < nr_slabs; i++)
    store(slabs + i * SLAB_WORDS + slab$free_next, i + 1 < nr_slabs ? i + 2 : 0)
  store(cache + kmem_cache$free_slabs, 1)
  for (let nid = 0; nid < NODES; nid++)
    spin_lock_init((get_node(cache, nid) + kmem_cache_node$list_lock) as Spinlock, LOCK_CLASS_kmem_cache)
}

/** Lays out all caches; once, at boot. */
export function kmem_cache_init(): void {
  kmem_cache_create(task_struct_cachep, TASKS, TASK_WORDS, OBJECTS_PER_TASK_SLAB, TASK_SLABS, NR_TASK_SLABS)
  kmem_cache_create(mm_cachep, MMS, MM_WORDS, OBJECTS_PER_MM_SLAB, MM_SLABS, NR_MM_SLABS)
  kmem_cache_create(vm_area_cachep, VMAS, VMA_WORDS, OBJECTS_PER_VMA_SLAB, VMA_SLABS, NR_VMA_SLABS)
  kmem_cache_create(
    anon_vma_cachep,
    ANON_VMAS,
    ANON_VMA_WORDS,
    OBJECTS_PER_ANON_VMA_SLAB,
    ANON_VMA_SLABS,
    NR_ANON_VMA_SLABS,
  )
  kmem_cache_create(
    anon_vma_chain_cachep,
    ANON_VMA_CHAINS,
    ANON_VMA_CHAIN_WORDS,
    OBJECTS_PER_ANON_VMA_CHAIN_SLAB,
    ANON_VMA_CHAIN_SLABS,
    NR_ANON_VMA_CHAIN_SLABS,
  )
  kmem_cache_create(
    address_space_cachep,
    ADDRESS_SPACES,
    ADDRESS_SPACE_WORDS,
    OBJECTS_PER_ADDRESS_SPACE_SLAB,
    ADDRESS_SPACE_SLABS,
    NR_ADDRESS_SPACE_SLABS,
  )
  kmem_cache_create(
    xa_node_cachep,
    XA_NODES,
    XA_NODE_WORDS,
    OBJECTS_PER_XA_NODE_SLAB,
    XA_NODE_SLABS,
    NR_XA_NODE_SLABS,
  )
}

// Where things lie.

function cache_index(cache: KmemCache): number {
  return ((cache - KMEM_CACHES) / KMEM_CACHE_WORDS) | 0
}

/** Offset of the cache's struct kmem_cache_cpu in each CPU's area. */
function cpu_slab(cache: KmemCache): number {
  return percpu$kmem_cache_cpu + cache_index(cache) * KMEM_CACHE_CPU_WORDS
}

function get_node(cache: KmemCache, nid: number): KmemCacheNode {
  return (KMEM_CACHE_NODES +
    (nid * NR_KMEM_CACHES + cache_index(cache)) * KMEM_CACHE_NODE_WORDS) as KmemCacheNode
}

function slab_node(cache: KmemCache, slab: Slab): KmemCacheNode {
  return get_node(cache, NODES === 1 ? 0 : load(slab + slab$nid))
}

function slab_index(cache: KmemCache, slab: Slab): number {
  return ((slab - load(cache + kmem_cache$slabs)) / SLAB_WORDS) | 0
}

/** The object that the freelist in a slab's word `counters` begins with; 0: none is free. */
function slab_freelist(cache: KmemCache, slab: Slab, counters: number): number {
  const first = counters & SLAB_FREELIST_MASK
  if (first === 0) return 0
  const index = slab_index(cache, slab) * load(cache + kmem_cache$objects) + first - 1
  return load(cache + kmem_cache$base) + index * load(cache + kmem_cache$object_words)
}

// The arena.

/** Takes a slab from the arena; 0: there is none. The tag tells a head from the same one that was gone meanwhile. */
function allocate_slab(cache: KmemCache): Slab {
  const head = cache + kmem_cache$free_slabs
  let old = READ_ONCE(head)
  while ((old & FREE_SLAB_MASK) !== 0) {
    const slab = (load(cache + kmem_cache$slabs) + ((old & FREE_SLAB_MASK) - 1) * SLAB_WORDS) as Slab
    const next = ((old + FREE_SLAB_TAG) & ~FREE_SLAB_MASK) | READ_ONCE(slab + slab$free_next)
    const seen = cmpxchg(head, old, next)
    if (seen === old) return slab
    old = seen
  }
  return 0 as Slab
}

/** Gives a slab without an object in use back to the arena. */
function discard_slab(cache: KmemCache, slab: Slab): void {
  const head = cache + kmem_cache$free_slabs
  let old = READ_ONCE(head)
  for (;;) {
    WRITE_ONCE(slab + slab$free_next, old & FREE_SLAB_MASK)
    const first = ((old + FREE_SLAB_TAG) & ~FREE_SLAB_MASK) | (slab_index(cache, slab) + 1)
    const seen = cmpxchg(head, old, first)
    if (seen === old) return
    old = seen
  }
}

/** A slab from the arena, frozen: all its objects are this CPU's freelist. 0: there is none. */
function new_slab(cache: KmemCache, cpu: number): Slab {
  const slab = allocate_slab(cache)
  if (slab === 0) return slab
  const objects = load(cache + kmem_cache$objects)
  const words = load(cache + kmem_cache$object_words)
  const first = load(cache + kmem_cache$base) + slab_index(cache, slab) * objects * words
  for (let i = 0; i < objects; i++) store(first + i * words, i + 1 < objects ? first + (i + 1) * words : 0)
  if (NODES > 1) store(slab + slab$nid, cpu_to_node(smp_processor_id()))
  WRITE_ONCE(slab + slab$counters, SLAB_FROZEN | (objects << SLAB_INUSE_SHIFT))
  this_cpu_write(cpu + kmem_cache_cpu$freelist, first)
  return slab
}

// The node's list. Under list_lock.

/** Puts a slab on the node's list: at its end, or, if it was just full, first. */
function add_partial(node: KmemCacheNode, slab: Slab): void {
  const tail = load(node + kmem_cache_node$partial_tail)
  store(slab + slab$next, 0)
  store(slab + slab$prev, tail)
  if (tail === 0) store(node + kmem_cache_node$partial_head, slab)
  else store(tail + slab$next, slab)
  store(node + kmem_cache_node$partial_tail, slab)
  WRITE_ONCE(node + kmem_cache_node$nr_partial, load(node + kmem_cache_node$nr_partial) + 1)
}

function remove_partial(node: KmemCacheNode, slab: Slab): void {
  const next = load(slab + slab$next)
  const prev = load(slab + slab$prev)
  if (prev === 0) store(node + kmem_cache_node$partial_head, next)
  else store(prev + slab$next, next)
  if (next === 0) store(node + kmem_cache_node$partial_tail, prev)
  else store(next + slab$prev, prev)
  WRITE_ONCE(node + kmem_cache_node$nr_partial, load(node + kmem_cache_node$nr_partial) - 1)
}

/** Freezes a slab of the node's list; with `take` its free objects are this CPU's freelist. */
function acquire_slab(cache: KmemCache, cpu: number, slab: Slab, take: boolean): void {
  let old = READ_ONCE(slab + slab$counters)
  for (;;) {
    const taken = SLAB_FROZEN | (load(cache + kmem_cache$objects) << SLAB_INUSE_SHIFT)
    const seen = cmpxchg(slab + slab$counters, old, take ? taken : old | SLAB_FROZEN)
    if (seen === old) break
    old = seen
  }
  if (take) this_cpu_write(cpu + kmem_cache_cpu$freelist, slab_freelist(cache, slab, old))
}

/**
 * Takes a slab from a node's list, whose free objects are this CPU's freelist then, and some more as its partial slabs.
 * 0: the list is empty.
 */
function get_partial_node(cache: KmemCache, node: KmemCacheNode, cpu: number): Slab {
  // A hint: whoever adds one meanwhile is not waited for.
  if (READ_ONCE(node + kmem_cache_node$nr_partial) === 0) return 0 as Slab
  const flags = spin_lock_irqsave((node + kmem_cache_node$list_lock) as Spinlock)
  const first = load(node + kmem_cache_node$partial_head) as Slab
  let slab = first
  for (let slabs = 0; slab !== 0 && slabs <= CPU_PARTIAL_SLABS >> 1; slabs++) {
    remove_partial(node, slab)
    acquire_slab(cache, cpu, slab, slab === first)
    if (slab !== first) put_cpu_partial(cache, cpu, slab, false)
    slab = load(node + kmem_cache_node$partial_head) as Slab
  }
  spin_unlock_irqrestore((node + kmem_cache_node$list_lock) as Spinlock, flags)
  return first
}

/** The same from this CPU's node, then from the others. */
function get_partial(cache: KmemCache, cpu: number): Slab {
  const nid = cpu_to_node(smp_processor_id())
  let slab = get_partial_node(cache, get_node(cache, nid), cpu)
  for (let i = 1; i < NODES && slab === 0; i++)
    slab = get_partial_node(cache, get_node(cache, (nid + i) % NODES), cpu)
  return slab
}

// This CPU's partial slabs, linked by slab$next; the first one's slab$slabs is how many there are.

/** Gives a list of frozen slabs to their nodes; those without an object in use to the arena, if the node has enough. */
function __unfreeze_partials(cache: KmemCache, list: Slab): void {
  let slab = list
  while (slab !== 0) {
    const next = load(slab + slab$next) as Slab
    const node = slab_node(cache, slab)
    const flags = spin_lock_irqsave((node + kmem_cache_node$list_lock) as Spinlock)
    let old = READ_ONCE(slab + slab$counters)
    for (;;) {
      const seen = cmpxchg(slab + slab$counters, old, old & ~SLAB_FROZEN)
      if (seen === old) break
      old = seen
    }
    const empty = (old & ~SLAB_FROZEN) >>> SLAB_INUSE_SHIFT === 0
    const discard = empty && load(node + kmem_cache_node$nr_partial) >= MIN_PARTIAL
    if (!discard) add_partial(node, slab)
    spin_unlock_irqrestore((node + kmem_cache_node$list_lock) as Spinlock, flags)
    if (discard) discard_slab(cache, slab)
    slab = next
  }
}

/** Makes a frozen slab one of this CPU's; with `drain` those that it has go to the node first if they are enough. */
function put_cpu_partial(cache: KmemCache, cpu: number, slab: Slab, drain: boolean): void {
  const flags = local_irq_save()
  let first = this_cpu_read(cpu + kmem_cache_cpu$partial) as Slab
  const slabs = first === 0 ? 0 : load(first + slab$slabs)
  const full = drain && slabs >= CPU_PARTIAL_SLABS
  const unfreeze = full ? first : (0 as Slab)
  if (full) first = 0 as Slab
  store(slab + slab$slabs, full ? 1 : slabs + 1)
  store(slab + slab$next, first)
  this_cpu_write(cpu + kmem_cache_cpu$partial, slab)
  local_irq_restore(flags)
  __unfreeze_partials(cache, unfreeze)
}

// Allocating.

/**
 * Takes what others have given back to this CPU's slab as its freelist. False: nothing; the slab is full and no CPU's
 * then.
 */
function get_freelist(cache: KmemCache, cpu: number, slab: Slab): boolean {
  let old = READ_ONCE(slab + slab$counters)
  for (;;) {
    const frozen = (old & SLAB_FREELIST_MASK) === 0 ? 0 : SLAB_FROZEN
    const taken = frozen | (load(cache + kmem_cache$objects) << SLAB_INUSE_SHIFT)
    const seen = cmpxchg(slab + slab$counters, old, taken)
    if (seen === old) break
    old = seen
  }
  const freelist = slab_freelist(cache, slab, old)
  this_cpu_write(cpu + kmem_cache_cpu$freelist, freelist)
  return freelist !== 0
}

/** Fills this CPU's freelist, which is empty; false if there is no memory. */
function ___slab_alloc(cache: KmemCache, cpu: number): boolean {
  if (slab_of_this_cpu(cache, cpu)) return true
  let slab = get_partial(cache, cpu)
  if (slab === 0) slab = new_slab(cache, cpu)
  this_cpu_write(cpu + kmem_cache_cpu$slab, slab)
  return slab !== 0
}

/**
 * The same from its slab or one of its partial slabs; false if it has none. With interrupts off (local_lock_irqsave).
 */
function slab_of_this_cpu(cache: KmemCache, cpu: number): boolean {
  const flags = local_irq_save()
  let slab = this_cpu_read(cpu + kmem_cache_cpu$slab) as Slab
  if (slab === 0 || !get_freelist(cache, cpu, slab)) {
    slab = this_cpu_read(cpu + kmem_cache_cpu$partial) as Slab
    if (slab !== 0) {
      this_cpu_write(cpu + kmem_cache_cpu$partial, load(slab + slab$next))
      get_freelist(cache, cpu, slab)
      this_cpu_write(cpu + kmem_cache_cpu$slab, slab)
    }
  }
  local_irq_restore(flags)
  return slab !== 0
}

/** Takes an object, its words zero; 0 if there is none left. */
export function kmem_cache_alloc(cache: KmemCache): number {
  if (should_fail()) return 0
  const cpu = cpu_slab(cache)
  if (this_cpu_read(cpu + kmem_cache_cpu$freelist) === 0 && !___slab_alloc(cache, cpu)) {
    count_vm_event(ALLOC_FAILED)
    return 0
  }
  const object = this_cpu_read(cpu + kmem_cache_cpu$freelist)
  this_cpu_write(cpu + kmem_cache_cpu$freelist, load(object))
  observe_object_alloc(object)
  clear_words(object, load(cache + kmem_cache$object_words))
  return object
}

// Freeing.

/** Gives an object, number `index` of its slab, back to a slab that is not this CPU's. */
function __slab_free(cache: KmemCache, slab: Slab, object: number, index: number): void {
  const node = slab_node(cache, slab)
  const lock = (node + kmem_cache_node$list_lock) as Spinlock
  let locked = false
  let flags = 0
  let freeze = false
  let old = READ_ONCE(slab + slab$counters)
  for (;;) {
    const prior = old & SLAB_FREELIST_MASK
    store(object, slab_freelist(cache, slab, old))
    let counters = ((old & ~SLAB_FREELIST_MASK) | (index + 1)) - SLAB_INUSE_ONE
    const empty = (counters & ~SLAB_FROZEN) >>> SLAB_INUSE_SHIFT === 0
    const was_frozen = (old & SLAB_FROZEN) !== 0
    // It was full, and becomes this CPU's.
    freeze = !was_frozen && prior === 0
    if (freeze) counters |= SLAB_FROZEN
    // It may leave the node's list.
    const lock_it = !was_frozen && prior !== 0 && empty
    if (lock_it && !locked) flags = spin_lock_irqsave(lock)
    if (!lock_it && locked) spin_unlock_irqrestore(lock, flags)
    locked = lock_it
    const seen = cmpxchg(slab + slab$counters, old, counters)
    if (seen === old) break
    old = seen
  }
  if (freeze) put_cpu_partial(cache, cpu_slab(cache), slab, true)
  if (!locked) return
  const discard = load(node + kmem_cache_node$nr_partial) >= MIN_PARTIAL
  if (discard) remove_partial(node, slab)
  spin_unlock_irqrestore(lock, flags)
  if (discard) discard_slab(cache, slab)
}

/** Gives an object back. The first 16 words are poisoned but the first, which links the list. */
export function kmem_cache_free(cache: KmemCache, object: number): void {
  const words = load(cache + kmem_cache$object_words)
  const objects = load(cache + kmem_cache$objects)
  const index = (object - load(cache + kmem_cache$base)) / words
  BUG_ON(Math.trunc(index) !== index || index < 0 || index >= load(cache + kmem_cache$nr_slabs) * objects)
  fill_words(object + 1, Math.min(words, 16) - 1, POISON_FREE)
  observe_object_free(object)
  const number = Math.trunc(index / objects)
  const slab = (load(cache + kmem_cache$slabs) + number * SLAB_WORDS) as Slab
  const cpu = cpu_slab(cache)
  if (slab === this_cpu_read(cpu + kmem_cache_cpu$slab)) {
    store(object, this_cpu_read(cpu + kmem_cache_cpu$freelist))
    this_cpu_write(cpu + kmem_cache_cpu$freelist, object)
  } else __slab_free(cache, slab, object, index - number * objects)
}
