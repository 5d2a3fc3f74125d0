/**
 * The map of an mm: its VMAs in mm$mm_mt, an array sorted by address of mm$map_count pointers, where 6.1 keeps a maple
 * tree (find_vma, vma_lookup, find_vma_intersection, vma_mas_store, vma_mas_remove of mm/mmap.c, 6.1). It changes only
 * under mmap_lock held for writing. Left out: the tree's nodes, their preallocation and their way to be freed by RCU
 * (see vma_lock.ts).
 */
import { VMA_LOCK } from '#config'
import { copy_words, load, store } from '../../arch/access.ts'
import { BUG_ON } from '../../arch/bug.ts'
import { MAX_MAP_COUNT } from '../../arch/limits.ts'
import type { Mm, Rwsem, Vma } from '../../arch/structs.ts'
import {
  mm$map_count,
  mm$mm_mt,
  mm$mm_mt_seq,
  mm$mmap_lock,
  vma$detach_next,
  vma$vm_end,
  vma$vm_start,
} from '../../arch/structs.ts'
import { write_seqcount_begin, write_seqcount_end } from '../../lib/seqlock.ts'
import { rwsem_assert_held, rwsem_assert_held_write } from '../../locking/rwsem.ts'

/** Index in mm$mm_mt of the first VMA whose end lies above page `addr`; mm$map_count if there is none. */
export function find_vma_index(mm: Mm, addr: number): number {
  const slots = mm + mm$mm_mt
  let low = 0
  let high = load(mm + mm$map_count)
  while (low < high) {
    const middle = (low + high) >>> 1
    if (load(load(slots + middle) + vma$vm_end) > addr) high = middle
    else low = middle + 1
  }
  return low
}

/** The VMA at `index` of mm$mm_mt; 0 if there are not so many, or the index is negative. */
export function vma_at(mm: Mm, index: number): Vma {
  if (index < 0 || index >= load(mm + mm$map_count)) return 0 as Vma
  return load(mm + mm$mm_mt + index) as Vma
}

/** The first VMA whose end lies above page `addr` (it may begin above it, too); 0: none. Under mmap_lock. */
export function find_vma(mm: Mm, addr: number): Vma {
  rwsem_assert_held((mm + mm$mmap_lock) as Rwsem)
  return vma_at(mm, find_vma_index(mm, addr))
}

/** The VMA that contains page `addr`; 0: none (vma_lookup). */
export function vma_lookup(mm: Mm, addr: number): Vma {
  const vma = find_vma(mm, addr)
  return vma !== 0 && load(vma + vma$vm_start) <= addr ? vma : (0 as Vma)
}

/** The first VMA that overlaps [start, end); 0: none. */
export function find_vma_intersection(mm: Mm, start: number, end: number): Vma {
  const vma = find_vma(mm, start)
  return vma !== 0 && load(vma + vma$vm_start) < end ? vma : (0 as Vma)
}

/**
 * Begins a change of the array, or of the addresses it is sorted by, which mas_write_end ends: with VMA_LOCK, faults
 * look into it without a lock.
 */
export function mas_write_begin(mm: Mm): void {
  if (VMA_LOCK) write_seqcount_begin(mm + mm$mm_mt_seq)
}

/** Ends what mas_write_begin began. */
export function mas_write_end(mm: Mm): void {
  if (VMA_LOCK) write_seqcount_end(mm + mm$mm_mt_seq)
}

/** Puts the VMA into the array; it must overlap none there. Under mmap_lock for writing. */
export function vma_mas_store(vma: Vma, mm: Mm): void {
  rwsem_assert_held_write((mm + mm$mmap_lock) as Rwsem)
  const count = load(mm + mm$map_count)
  BUG_ON(count >= MAX_MAP_COUNT)
  const index = find_vma_index(mm, load(vma + vma$vm_start))
  const slot = mm + mm$mm_mt + index
  mas_write_begin(mm)
  if (index < count) copy_words(slot + 1, slot, count - index)
  store(slot, vma)
  store(mm + mm$map_count, count + 1)
  mas_write_end(mm)
}

/** Takes `n` VMAs from `index` on out of the array. */
function vma_mas_remove_range(mm: Mm, index: number, n: number): void {
  const count = load(mm + mm$map_count)
  const slot = mm + mm$mm_mt + index
  mas_write_begin(mm)
  if (index + n < count) copy_words(slot, slot + n, count - index - n)
  store(mm + mm$map_count, count - n)
  mas_write_end(mm)
}

/** Takes the VMA out of the array; its addresses must not have been changed yet. */
export function vma_mas_remove(vma: Vma, mm: Mm): void {
  const index = find_vma_index(mm, load(vma + vma$vm_start))
  BUG_ON(vma_at(mm, index) !== vma)
  vma_mas_remove_range(mm, index, 1)
}

/**
 * Takes `n` VMAs from `index` on out of the array; returns the first, from which vma$detach_next leads to the others.
 */
export function vma_mas_detach(mm: Mm, index: number, n: number): Vma {
  let first = 0 as Vma
  for (let i = index + n - 1; i >= index; i--) {
    const vma = vma_at(mm, i)
    store(vma + vma$detach_next, first)
    first = vma
  }
  vma_mas_remove_range(mm, index, n)
  return first
}
