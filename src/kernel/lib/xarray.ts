/**
 * The pages of an object by index (lib/xarray.c, 6.1): a radix tree of three levels of xa_node with XA_CHUNK_SIZE slots
 * each. Changed under i_pages_lock, read without. A node is freed only with its object, so a reader needs no RCU
 * section. Left out: variable height, marks, multi-index and value entries, freeing of nodes that have become empty.
 */
import { load, READ_ONCE, store, WRITE_ONCE } from '../arch/access.ts'
import { smp_wmb } from '../arch/barrier.ts'
import type { AddressSpace, XaNode } from '../arch/structs.ts'
import {
  address_space$i_pages,
  XA_CHUNK_SHIFT,
  XA_CHUNK_SIZE,
  xa_node$count,
  xa_node$slots,
} from '../arch/structs.ts'
import { call_rcu } from '../rcu.ts'
import { kmem_cache_alloc, xa_node_cachep } from '../mm/slab.ts'

/** Indices that the tree has room for: an object has at most so many pages. */
export const XA_INDICES = 1 << (3 * XA_CHUNK_SHIFT)
const XA_CHUNK_MASK = XA_CHUNK_SIZE - 1

function xa_slot(node: number, index: number, level: number): number {
  return node + xa_node$slots + ((index >>> (level * XA_CHUNK_SHIFT)) & XA_CHUNK_MASK)
}

/** The slot of `index` in the lowest node; 0 if there is no such node. */
function xas_descend(mapping: AddressSpace, index: number): number {
  let node = READ_ONCE(mapping + address_space$i_pages)
  if (node === 0) return 0
  node = READ_ONCE(xa_slot(node, index, 2))
  if (node === 0) return 0
  node = READ_ONCE(xa_slot(node, index, 1))
  return node === 0 ? 0 : xa_slot(node, index, 0)
}

/** The entry at `index`; 0: none. Needs no lock. */
export function xa_load(mapping: AddressSpace, index: number): number {
  if (index < 0 || index >= XA_INDICES) return 0
  const slot = xas_descend(mapping, index)
  return slot === 0 ? 0 : READ_ONCE(slot)
}

/** The node that `link` points to, made if there is none yet; `parent` (0: the object) counts it. 0: out of memory. */
function xas_alloc(link: number, parent: number): XaNode {
  const old = load(link) as XaNode
  if (old !== 0) return old
  const node = kmem_cache_alloc(xa_node_cachep) as XaNode
  if (node === 0) return node
  // Its zeroes before the pointer to it: readers hold no lock.
  smp_wmb()
  WRITE_ONCE(link, node)
  if (parent !== 0) store(parent + xa_node$count, load(parent + xa_node$count) + 1)
  return node
}

/**
 * Puts `entry` (not 0) at `index`, where there is none. Under i_pages_lock. Returns whether there was no memory; then
 * nodes may be there that are still empty, for the next try.
 */
export function xa_store(mapping: AddressSpace, index: number, entry: number): boolean {
  const top = xas_alloc(mapping + address_space$i_pages, 0)
  if (top === 0) return true
  const middle = xas_alloc(xa_slot(top, index, 2), top)
  if (middle === 0) return true
  const leaf = xas_alloc(xa_slot(middle, index, 1), middle)
  if (leaf === 0) return true
  store(leaf + xa_node$count, load(leaf + xa_node$count) + 1)
  smp_wmb()
  WRITE_ONCE(xa_slot(leaf, index, 0), entry)
  return false
}

/** Empties `index`; returns what was there. Under i_pages_lock. */
export function xa_erase(mapping: AddressSpace, index: number): number {
  const slot = xas_descend(mapping, index)
  if (slot === 0) return 0
  const entry = load(slot)
  if (entry === 0) return 0
  const leaf = slot - xa_node$slots - (index & XA_CHUNK_MASK)
  WRITE_ONCE(slot, 0)
  store(leaf + xa_node$count, load(leaf + xa_node$count) - 1)
  return entry
}

/** The first index at or above `index` that has an entry; -1: none. */
export function xa_find(mapping: AddressSpace, index: number): number {
  const top = READ_ONCE(mapping + address_space$i_pages)
  if (top === 0) return -1
  while (index < XA_INDICES) {
    const middle = READ_ONCE(xa_slot(top, index, 2))
    if (middle === 0) {
      index = ((index >>> (2 * XA_CHUNK_SHIFT)) + 1) << (2 * XA_CHUNK_SHIFT)
      continue
    }
    const leaf = READ_ONCE(xa_slot(middle, index, 1))
    if (leaf === 0) {
      index = ((index >>> XA_CHUNK_SHIFT) + 1) << XA_CHUNK_SHIFT
      continue
    }
    if (READ_ONCE(xa_slot(leaf, index, 0)) !== 0) return index
    index++
  }
  return -1
}

/** Frees the nodes of a tree that nobody can look into any more, and that has no entries. */
export function xa_destroy(mapping: AddressSpace): void {
  const top = load(mapping + address_space$i_pages)
  if (top === 0) return
  for (let i = 0; i < XA_CHUNK_SIZE; i++) {
    const middle = load(top + xa_node$slots + i)
    if (middle === 0) continue
    for (let j = 0; j < XA_CHUNK_SIZE; j++) {
      const leaf = load(middle + xa_node$slots + j)
      if (leaf !== 0) call_rcu(leaf)
    }
    call_rcu(middle)
  }
  call_rcu(top)
  store(mapping + address_space$i_pages, 0)
}
