/**
 * Reverse mapping (mm/rmap.c, 6.1): anon_vma and its chains, and the map counts of pages. Here are the structures and
 * whoever changes them; walks over them are in mm/rmap/.
 *
 * An anon_vma_chain ties one VMA to one anon_vma. It is on two lists: the VMA's, newest first, so that the root comes
 * last, and the anon_vma's, sorted by the VMA's vm_pgoff and then by insertion, where Linux has an interval tree. The
 * first is guarded by mmap_lock (and page_table_lock for the first chain), the second by the rwsem of the root.
 *
 * Left out: huge pages, hugetlb, KSM, pins (page_needs_cow_for_dma is never true), NR_ANON_MAPPED and the like.
 */
import { COW_REUSE, SWAP } from '#config'
import { atomic_fetch_add } from '#atomic'
import { load, READ_ONCE, store, WRITE_ONCE } from '../arch/access.ts'
import { smp_store_release } from '../arch/barrier.ts'
import { BUG_ON, VM_BUG_ON_PAGE } from '../arch/bug.ts'
import type { AnonVma, AnonVmaChain, Mm, Page, Rwsem, Spinlock, Vma } from '../arch/structs.ts'
import {
  anon_vma$num_active_vmas,
  anon_vma$num_children,
  anon_vma$parent,
  anon_vma$rb_root,
  anon_vma$refcount,
  anon_vma$root,
  anon_vma$rwsem,
  anon_vma_chain$anon_vma,
  anon_vma_chain$rb_next,
  anon_vma_chain$rb_prev,
  anon_vma_chain$same_vma_next,
  anon_vma_chain$same_vma_prev,
  anon_vma_chain$vma,
  mm$page_table_lock,
  page$_mapcount,
  page$flags,
  page$index,
  page$mapping,
  PAGE_MAPPING_ANON,
  PG_anon_exclusive,
  PG_swapbacked,
  vma$anon_vma,
  vma$anon_vma_chain,
  vma$vm_end,
  vma$vm_flags,
  vma$vm_mapping,
  vma$vm_mm,
  vma$vm_pgoff,
  vma$vm_start,
  VM_ACCESS_FLAGS,
} from '../arch/structs.ts'
import { ENOMEM } from '../errno.ts'
import { LOCK_CLASS_anon_vma_rwsem_R, LOCK_CLASS_anon_vma_rwsem_W } from '../locking/lock_class.ts'
import { down_write, init_rwsem, rwsem_is_locked, up_write } from '../locking/rwsem.ts'
import { spin_lock, spin_unlock } from '../locking/spinlock.ts'
import { ClearPageFlag, PageAnon, PageFlag, PageLocked, SetPageFlag } from './mm.ts'
import { call_rcu } from '../rcu.ts'
import { find_vma_index, vma_at } from './mmap/mm_mt.ts'
import { anon_vma_cachep, anon_vma_chain_cachep, kmem_cache_alloc, kmem_cache_free } from './slab.ts'
import { count_vm_event, RETRY_anon_vma_prepare } from './vmstat.ts'

// anon_vma: a reference for each VMA list it is on, and one of each descendant to the root.

function anon_vma_alloc(): AnonVma {
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
function lock_anon_vma_root(root: AnonVma, anon_vma: AnonVma): AnonVma {
  const new_root = load(anon_vma + anon_vma$root) as AnonVma
  if (new_root !== root) {
    BUG_ON(root !== 0)
    down_write((new_root + anon_vma$rwsem) as Rwsem)
  }
  return new_root
}

function unlock_anon_vma_root(root: AnonVma): void {
  if (root !== 0) up_write((root + anon_vma$rwsem) as Rwsem)
}

// Chains.

function anon_vma_chain_alloc(): AnonVmaChain {
  return kmem_cache_alloc(anon_vma_chain_cachep) as AnonVmaChain
}

function anon_vma_chain_free(avc: AnonVmaChain): void {
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
function anon_vma_interval_tree_remove(avc: AnonVmaChain, anon_vma: AnonVma): void {
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
function anon_vma_chain_link(vma: Vma, avc: AnonVmaChain, anon_vma: AnonVma): void {
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
function avc_del_same_vma(vma: Vma, avc: AnonVmaChain): void {
  const head = load(vma + vma$anon_vma_chain)
  const next = load(avc + anon_vma_chain$same_vma_next)
  const prev = load(avc + anon_vma_chain$same_vma_prev)
  if (avc === head) store(vma + vma$anon_vma_chain, next)
  else store(prev + anon_vma_chain$same_vma_next, next)
  if (next !== 0) store(next + anon_vma_chain$same_vma_prev, prev)
  else if (avc !== head) store(head + anon_vma_chain$same_vma_prev, prev)
}

// A VMA's anon_vma.

/** Whether the two neighbours would merge if their rights were the same, so that they may as well share (anon_vma_compatible). */
function anon_vma_compatible(a: Vma, b: Vma): boolean {
  return (
    load(a + vma$vm_end) === load(b + vma$vm_start) &&
    load(a + vma$vm_mapping) === load(b + vma$vm_mapping) &&
    ((load(a + vma$vm_flags) ^ load(b + vma$vm_flags)) & ~VM_ACCESS_FLAGS) === 0 &&
    load(b + vma$vm_pgoff) === load(a + vma$vm_pgoff) + load(b + vma$vm_start) - load(a + vma$vm_start)
  )
}

/** The anon_vma of `old` for its neighbour, `a` and `b` being the two in order; 0: it does not fit. */
function reusable_anon_vma(old: Vma, a: Vma, b: Vma): AnonVma {
  if (!anon_vma_compatible(a, b)) return 0 as AnonVma
  // Under mmap_lock for reading: another thread may be preparing the neighbour.
  const anon_vma = READ_ONCE(old + vma$anon_vma) as AnonVma
  return anon_vma !== 0 && list_is_singular_anon_vma_chain(old) ? anon_vma : (0 as AnonVma)
}

/** A neighbour's anon_vma that `vma` can share, so that the two can merge later; 0: none. */
function find_mergeable_anon_vma(vma: Vma): AnonVma {
  const mm = load(vma + vma$vm_mm) as Mm
  const index = find_vma_index(mm, load(vma + vma$vm_start))
  const next = vma_at(mm, index + 1)
  if (next !== 0) {
    const anon_vma = reusable_anon_vma(next, vma, next)
    if (anon_vma !== 0) return anon_vma
  }
  const prev = vma_at(mm, index - 1)
  return prev !== 0 ? reusable_anon_vma(prev, prev, vma) : (0 as AnonVma)
}

/** anon_vma_prepare's slow half. */
function __anon_vma_prepare(vma: Vma): number {
  const avc = anon_vma_chain_alloc()
  if (avc === 0) return -ENOMEM
  let anon_vma = find_mergeable_anon_vma(vma)
  let allocated = false
  if (anon_vma === 0) {
    anon_vma = anon_vma_alloc()
    if (anon_vma === 0) {
      anon_vma_chain_free(avc)
      return -ENOMEM
    }
    // A root is its own child.
    store(anon_vma + anon_vma$num_children, 1)
    allocated = true
  }
  const page_table_lock = (load(vma + vma$vm_mm) + mm$page_table_lock) as Spinlock
  anon_vma_lock_write(anon_vma)
  spin_lock(page_table_lock)
  const lost = load(vma + vma$anon_vma) !== 0
  if (!lost) {
    anon_vma_chain_link(vma, avc, anon_vma)
    store(anon_vma + anon_vma$num_active_vmas, load(anon_vma + anon_vma$num_active_vmas) + 1)
    // Faults of other threads look without the lock: complete before it is seen.
    smp_store_release(vma + vma$anon_vma, anon_vma)
  }
  spin_unlock(page_table_lock)
  anon_vma_unlock_write(anon_vma)
  if (lost) {
    count_vm_event(RETRY_anon_vma_prepare)
    if (allocated) put_anon_vma(anon_vma)
    anon_vma_chain_free(avc)
  }
  return 0
}

/**
 * Sees to it that the VMA has an anon_vma, before its first anonymous page. Under mmap_lock, for reading suffices.
 * Returns 0 or -ENOMEM.
 */
export function anon_vma_prepare(vma: Vma): number {
  return READ_ONCE(vma + vma$anon_vma) !== 0 ? 0 : __anon_vma_prepare(vma)
}

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
  store(anon_vma + anon_vma$root, root)
  store(anon_vma + anon_vma$parent, parent)
  get_anon_vma(root)
  store(vma + vma$anon_vma, anon_vma)
  anon_vma_lock_write(anon_vma)
  anon_vma_chain_link(vma, avc, anon_vma)
  store(parent + anon_vma$num_children, load(parent + anon_vma$num_children) + 1)
  anon_vma_unlock_write(anon_vma)
  return 0
}

/** Unties the VMA from all its anon_vmas and frees those that nobody needs any more. */
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
  unlock_anon_vma_root(root)
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

// Pages.

/** page->index of the page at `addr` of the VMA (linear_page_index). */
export function linear_page_index(vma: Vma, addr: number): number {
  return addr - load(vma + vma$vm_start) + load(vma + vma$vm_pgoff)
}

/** Whether the one entry that maps this anonymous page may write it without a copy (COW_REUSE=exclusive). */
export function PageAnonExclusive(page: Page): boolean {
  return PageFlag(page, PG_anon_exclusive)
}

export function SetPageAnonExclusive(page: Page): void {
  if (COW_REUSE === 0) SetPageFlag(page, PG_anon_exclusive)
}

export function ClearPageAnonExclusive(page: Page): void {
  if (COW_REUSE === 0) ClearPageFlag(page, PG_anon_exclusive)
}

/** Ties the page to the anon_vma: the VMA's own if only it can have the page, else the family's root. */
function __page_set_anon_rmap(page: Page, vma: Vma, addr: number, exclusive: boolean): void {
  if (!PageAnon(page)) {
    let anon_vma = READ_ONCE(vma + vma$anon_vma)
    BUG_ON(anon_vma === 0)
    if (!exclusive) anon_vma = load(anon_vma + anon_vma$root)
    WRITE_ONCE(page + page$mapping, anon_vma + PAGE_MAPPING_ANON)
    store(page + page$index, linear_page_index(vma, addr))
  }
  if (exclusive) SetPageAnonExclusive(page)
}

/** The first mapping of a new anonymous page that nobody else can reach yet. Under the ptl. */
export function page_add_new_anon_rmap(page: Page, vma: Vma, addr: number): void {
  const anon_vma = READ_ONCE(vma + vma$anon_vma)
  BUG_ON(anon_vma === 0)
  // Plain, all flags in one: the page is not published before the PTE.
  store(
    page + page$flags,
    load(page + page$flags) | PG_swapbacked | (COW_REUSE === 0 ? PG_anon_exclusive : 0),
  )
  store(page + page$_mapcount, 0)
  WRITE_ONCE(page + page$mapping, anon_vma + PAGE_MAPPING_ANON)
  store(page + page$index, linear_page_index(vma, addr))
}

/** One more mapping of an anonymous page, `exclusive` (RMAP_EXCLUSIVE) if it is the only one. Under the ptl and, for the first, the page lock. */
export function page_add_anon_rmap(page: Page, vma: Vma, addr: number, exclusive: boolean): void {
  const before = atomic_fetch_add(page + page$_mapcount, 1)
  VM_BUG_ON_PAGE(before < -1, page)
  VM_BUG_ON_PAGE(before >= 0 && exclusive, page)
  if (before === -1) __page_set_anon_rmap(page, vma, addr, exclusive)
}

/** One more mapping of a file or shmem page. Under the ptl. */
export function page_add_file_rmap(page: Page): void {
  VM_BUG_ON_PAGE(atomic_fetch_add(page + page$_mapcount, 1) < -1, page)
}

function __page_dup_rmap(page: Page): void {
  VM_BUG_ON_PAGE(atomic_fetch_add(page + page$_mapcount, 1) < 0, page)
}

/** One more mapping of a file or shmem page that is mapped, by fork. */
export function page_dup_file_rmap(page: Page): void {
  __page_dup_rmap(page)
}

/**
 * Fork shares an anonymous page: from now on nobody has it alone. The caller makes both entries read-only.
 * Returns 0; -EBUSY, for a page that is pinned, comes with get_user_pages.
 */
export function page_try_dup_anon_rmap(page: Page): number {
  ClearPageAnonExclusive(page)
  __page_dup_rmap(page)
  return 0
}

/** One more mapping, by fork, of a page of either kind (page_dup_rmap of the first seed). Under both ptls. */
export function page_dup_rmap(page: Page): void {
  if (PageAnon(page)) page_try_dup_anon_rmap(page)
  else page_dup_file_rmap(page)
}

/** A write fault found that only this VMA has the page: it moves to the VMA's own anon_vma. Under the page lock and the ptl. */
export function page_move_anon_rmap(page: Page, vma: Vma): void {
  VM_BUG_ON_PAGE(!PageLocked(page), page)
  const anon_vma = READ_ONCE(vma + vma$anon_vma)
  BUG_ON(anon_vma === 0)
  WRITE_ONCE(page + page$mapping, anon_vma + PAGE_MAPPING_ANON)
  SetPageAnonExclusive(page)
}

/** One mapping less. Under the ptl, after the entry has been cleared. */
export function page_remove_rmap(page: Page): void {
  VM_BUG_ON_PAGE(atomic_fetch_add(page + page$_mapcount, -1) < 0, page)
}
