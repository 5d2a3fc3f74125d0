/**
 * VMAs and the calls that map and unmap: do_mmap, do_munmap, brk, exit_mmap (mm/mmap.c, 6.1). The VMAs of an mm lie in
 * mm$mm_mt, an array sorted by address of mm$map_count pointers, where 6.1 keeps a maple tree; it changes only under
 * mmap_lock held for writing. Addresses are page numbers, ends are exclusive.
 * Left out: overcommit accounting, stack growth and its guard gap, mlock, hugetlb, memory policies, userfaultfd,
 * munmap with the lock downgraded, mm_take_all_locks.
 */
import { SWAP, VMA_LOCK } from '#config'
import { MAX_MAP_COUNT } from '../arch/limits.ts'
import { copy_words, load, store, WRITE_ONCE } from '../arch/access.ts'
import { BUG_ON } from '../arch/bug.ts'
import { _PAGE_ACCESSED, _PAGE_PRESENT, _PAGE_PROTNONE, _PAGE_RW, TASK_SIZE } from '../arch/pgtable.ts'
import type { AddressSpace, AnonVma, Mm, Rwsem, Vma } from '../arch/structs.ts'
import {
  ADDRESS_SPACE_FILE,
  address_space$i_mmap,
  address_space$i_mmap_rwsem,
  address_space$kind,
  mm$brk,
  mm$map_count,
  mm$mm_mt,
  mm$mm_mt_seq,
  mm$mmap_base,
  mm$mmap_lock,
  mm$start_brk,
  mm$total_vm,
  vma$anon_vma,
  vma$anon_vma_chain,
  vma$shared_next,
  vma$shared_prev,
  vma$vm_end,
  vma$vm_flags,
  vma$vm_mapping,
  vma$vm_mm,
  vma$vm_page_prot,
  vma$vm_pgoff,
  vma$vm_start,
  VMA_FIELDS,
  VM_ACCESS_FLAGS,
  VM_HUGETLB,
  VM_MAYEXEC,
  VM_MAYREAD,
  VM_MAYSHARE,
  VM_MAYWRITE,
  VM_MIXEDMAP,
  VM_PFNMAP,
  VM_READ,
  VM_SHARED,
  VM_WRITE,
} from '../arch/structs.ts'
import { EEXIST, EINVAL, ENOMEM } from '../errno.ts'
import { write_seqcount_begin, write_seqcount_end } from '../lib/seqlock.ts'
import { down_write, rwsem_assert_held, rwsem_assert_held_write, up_write } from '../locking/rwsem.ts'
import { call_rcu } from '../rcu.ts'
import { igrab, iput } from './filemap.ts'
import {
  calc_vm_prot_bits,
  MAP_FIXED,
  MAP_FIXED_NOREPLACE,
  MAP_PRIVATE,
  MAP_SHARED,
  MAP_TYPE,
} from './mman.ts'
import { mmap_read_lock, mmap_read_unlock, mmap_write_lock, mmap_write_unlock } from './mmap_lock.ts'
import { free_pgtables, unmap_vmas } from './memory/zap_page_range.ts'
import { tlb_finish_mmu, tlb_gather_mmu, tlb_gather_mmu_fullmm } from './mmu_gather.ts'
import { set_mmf_oom_skip } from './oom_kill.ts'
import { anon_vma_lock_write, anon_vma_unlock_write } from './rmap/anon_vma.ts'
import {
  anon_vma_interval_tree_post_update_vma,
  anon_vma_interval_tree_pre_update_vma,
  list_is_singular_anon_vma_chain,
} from './rmap/anon_vma_chain.ts'
import { anon_vma_clone, anon_vma_merge, unlink_anon_vmas } from './rmap/anon_vma_fork.ts'
import { shmem_zero_setup } from './shmem.ts'
import { kmem_cache_alloc, kmem_cache_free, vm_area_cachep } from './slab.ts'
import { vma_lock_init, vma_mark_detached, vma_start_write } from './vma_lock.ts'

/**
 * VMAs that one mm may have. A munmap in the middle of a VMA splits it twice before it removes one, and mmap tests
 * for "more than": so the array is two larger.
 */
export const sysctl_max_map_count = MAX_MAP_COUNT - 2
/** Pages below are never mapped. */
export const mmap_min_addr = 16
/** VMAs that must not merge (VM_SPECIAL). */
export const VM_SPECIAL = VM_PFNMAP | VM_MIXEDMAP

// Objects.

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
function __vm_area_free(vma: Vma): void {
  kmem_cache_free(vm_area_cachep, vma)
}

/** Whether the VMA is private anonymous memory: an absent page is a page of zeros (vma_is_anonymous). */
export function vma_is_anonymous(vma: Vma): boolean {
  return load(vma + vma$vm_mapping) === 0
}

// Rights.

/**
 * The _PAGE_ flags of a fresh entry under `vm_flags` (protection_map, arch/x86/mm/pgprot.c): a private writable mapping
 * starts read-only, so that the first write is a fault.
 */
export function vm_get_page_prot(vm_flags: number): number {
  if ((vm_flags & VM_ACCESS_FLAGS) === 0) return _PAGE_PROTNONE | _PAGE_ACCESSED
  if ((vm_flags & (VM_WRITE | VM_SHARED)) === (VM_WRITE | VM_SHARED))
    return _PAGE_PRESENT | _PAGE_ACCESSED | _PAGE_RW
  return _PAGE_PRESENT | _PAGE_ACCESSED
}

/** Whether the first write to each page must fault although the mapping is shared: files keep account of dirty pages. */
export function vma_wants_writenotify(vma: Vma): boolean {
  if ((load(vma + vma$vm_flags) & (VM_WRITE | VM_SHARED)) !== (VM_WRITE | VM_SHARED)) return false
  return load(load(vma + vma$vm_mapping) + address_space$kind) === ADDRESS_SPACE_FILE
}

/** Sets vm_page_prot from vm_flags and the mapping. */
export function vma_set_page_prot(vma: Vma): void {
  let vm_flags = load(vma + vma$vm_flags)
  if (vma_wants_writenotify(vma)) vm_flags &= ~VM_SHARED
  // remove_migration_pte reads it without mmap_lock.
  WRITE_ONCE(vma + vma$vm_page_prot, vm_get_page_prot(vm_flags))
}

/** The _PAGE_ flags of a fresh entry of the VMA (vm_page_prot). */
export function vma_page_prot(vma: Vma): number {
  return load(vma + vma$vm_page_prot)
}

// The sorted array.

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

// With VMA_LOCK, faults look into the array without a lock: every change of it, or of the addresses it is sorted by, is one of these sections.

function mas_write_begin(mm: Mm): void {
  if (VMA_LOCK) write_seqcount_begin(mm + mm$mm_mt_seq)
}

function mas_write_end(mm: Mm): void {
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

// The list of the VMAs that map an object, under its i_mmap_rwsem (Linux: an interval tree).

export function i_mmap_lock_write(mapping: AddressSpace): void {
  down_write((mapping + address_space$i_mmap_rwsem) as Rwsem)
}

export function i_mmap_unlock_write(mapping: AddressSpace): void {
  up_write((mapping + address_space$i_mmap_rwsem) as Rwsem)
}

/** Adds the VMA to its mapping's list, whose i_mmap_rwsem the caller holds for writing. */
export function __vma_link_file(vma: Vma, mapping: AddressSpace): void {
  const first = load(mapping + address_space$i_mmap)
  store(vma + vma$shared_prev, 0)
  store(vma + vma$shared_next, first)
  if (first !== 0) store(first + vma$shared_prev, vma)
  store(mapping + address_space$i_mmap, vma)
}

function __remove_shared_vm_struct(vma: Vma, mapping: AddressSpace): void {
  const next = load(vma + vma$shared_next)
  const prev = load(vma + vma$shared_prev)
  if (prev === 0) store(mapping + address_space$i_mmap, next)
  else store(prev + vma$shared_next, next)
  if (next !== 0) store(next + vma$shared_prev, prev)
  store(vma + vma$shared_next, 0)
  store(vma + vma$shared_prev, 0)
}

/** Hides the VMA from walks over its mapping; before its page tables are freed. */
export function unlink_file_vma(vma: Vma): void {
  const mapping = load(vma + vma$vm_mapping) as AddressSpace
  if (mapping === 0) return
  i_mmap_lock_write(mapping)
  __remove_shared_vm_struct(vma, mapping)
  i_mmap_unlock_write(mapping)
}

/** Makes a complete VMA part of `mm`, in its array and on its mapping's list. Under mmap_lock for writing. */
export function vma_link(mm: Mm, vma: Vma): void {
  const mapping = load(vma + vma$vm_mapping) as AddressSpace
  if (mapping !== 0) i_mmap_lock_write(mapping)
  vma_mas_store(vma, mm)
  if (mapping !== 0) {
    __vma_link_file(vma, mapping)
    i_mmap_unlock_write(mapping)
  }
}

/** Drops what a VMA that is in no array and on no list still holds, and the VMA; `unreachable`: its mm has no user. */
function remove_vma(vma: Vma, unreachable: boolean): void {
  const mapping = load(vma + vma$vm_mapping) as AddressSpace
  if (unreachable) __vm_area_free(vma)
  else vm_area_free(vma)
  if (mapping !== 0) iput(mapping)
}

// Adjusting, splitting, merging.

/**
 * Gives `vma` the range [start, end) at `pgoff`. Whatever follows it gives way: a VMA that is covered wholly is
 * removed (two in case 6), one that is covered in part starts later (case 5), and where `vma` shrinks without `insert`
 * the next takes over (case 4). `insert`, if not 0, is a VMA split off, put into the map in the same step.
 * `expand` is the one that grows: the next one in case 8, where `vma` goes. Cases: see vma_merge.
 * Returns 0 or -ENOMEM, and then nothing has changed (__vma_adjust).
 */
function __vma_adjust(vma: Vma, start: number, end: number, pgoff: number, insert: Vma, expand: Vma): number {
  const mm = load(vma + vma$vm_mm) as Mm
  const mapping = load(vma + vma$vm_mapping) as AddressSpace
  let next = find_vma(mm, load(vma + vma$vm_end))
  let next_next = 0 as Vma
  let adjust_next = 0
  let removes = 0
  vma_start_write(vma)
  if (insert !== 0) vma_start_write(insert)
  if (next !== 0 && insert === 0) {
    let exporter = 0 as Vma
    let importer = 0 as Vma
    const next_end = load(next + vma$vm_end)
    if (end >= next_end) {
      removes = 1
      if (next === expand) {
        next = vma
        vma = expand
        vma_start_write(vma)
      } else if (end > next_end) {
        removes = 2
        next_next = find_vma(mm, next_end)
        BUG_ON(end !== load(next_next + vma$vm_end))
      }
      exporter = removes === 2 && load(next + vma$anon_vma) === 0 ? next_next : next
      importer = vma
    } else if (end > load(next + vma$vm_start)) {
      adjust_next = end - load(next + vma$vm_start)
      exporter = next
      importer = vma
    } else if (end < load(vma + vma$vm_end)) {
      adjust_next = end - load(vma + vma$vm_end)
      exporter = vma
      importer = next
    }
    if (removes !== 0 || adjust_next !== 0) vma_start_write(next)
    if (removes === 2) vma_start_write(next_next)
    // The one that grows gets pages of the other: they must be found through it.
    if (exporter !== 0 && load(exporter + vma$anon_vma) !== 0 && load(importer + vma$anon_vma) === 0) {
      store(importer + vma$anon_vma, load(exporter + vma$anon_vma))
      const error = anon_vma_clone(importer, exporter)
      if (error !== 0) return error
    }
  }

  if (mapping !== 0) i_mmap_lock_write(mapping)
  let anon_vma = load(vma + vma$anon_vma) as AnonVma
  if (anon_vma === 0 && adjust_next !== 0) anon_vma = load(next + vma$anon_vma) as AnonVma
  if (anon_vma !== 0) {
    anon_vma_lock_write(anon_vma)
    anon_vma_interval_tree_pre_update_vma(vma)
    if (adjust_next !== 0) anon_vma_interval_tree_pre_update_vma(next)
  }
  // Out of the array while the addresses are still those it is sorted by.
  if (removes !== 0) vma_mas_remove(next, mm)
  if (removes === 2) vma_mas_remove(next_next, mm)
  mas_write_begin(mm)
  store(vma + vma$vm_start, start)
  store(vma + vma$vm_end, end)
  store(vma + vma$vm_pgoff, pgoff)
  if (adjust_next !== 0) {
    store(next + vma$vm_start, load(next + vma$vm_start) + adjust_next)
    store(next + vma$vm_pgoff, load(next + vma$vm_pgoff) + adjust_next)
  }
  mas_write_end(mm)
  if (mapping !== 0) {
    if (removes !== 0) __remove_shared_vm_struct(next, mapping)
    if (removes === 2) __remove_shared_vm_struct(next_next, mapping)
    if (insert !== 0) __vma_link_file(insert, mapping)
  }
  if (insert !== 0) vma_mas_store(insert, mm)
  if (anon_vma !== 0) {
    anon_vma_interval_tree_post_update_vma(vma)
    if (adjust_next !== 0) anon_vma_interval_tree_post_update_vma(next)
    anon_vma_unlock_write(anon_vma)
  }
  if (mapping !== 0) i_mmap_unlock_write(mapping)

  if (removes !== 0) vma_adjust_drop(vma, next)
  if (removes === 2) vma_adjust_drop(vma, next_next)
  return 0
}

/** Frees a VMA that has been merged into `vma`. */
function vma_adjust_drop(vma: Vma, gone: Vma): void {
  vma_mark_detached(gone)
  if (load(gone + vma$anon_vma) !== 0) anon_vma_merge(vma, gone)
  remove_vma(gone, false)
}

/** Whether two anon_vmas may share a VMA. A VMA with several chains came by fork: it stays apart, so its locks do. */
function is_mergeable_anon_vma(anon_vma1: AnonVma, anon_vma2: AnonVma, vma: Vma): boolean {
  if ((anon_vma1 === 0 || anon_vma2 === 0) && (vma === 0 || list_is_singular_anon_vma_chain(vma))) return true
  return anon_vma1 === anon_vma2
}

function is_mergeable_vma(vma: Vma, vm_flags: number, anon_vma: AnonVma, mapping: AddressSpace): boolean {
  return (
    load(vma + vma$vm_flags) === vm_flags &&
    load(vma + vma$vm_mapping) === mapping &&
    is_mergeable_anon_vma(anon_vma, load(vma + vma$anon_vma) as AnonVma, vma)
  )
}

function can_vma_merge_before(
  vma: Vma,
  vm_flags: number,
  anon_vma: AnonVma,
  mapping: AddressSpace,
  pgoff: number,
): boolean {
  return load(vma + vma$vm_pgoff) === pgoff && is_mergeable_vma(vma, vm_flags, anon_vma, mapping)
}

function can_vma_merge_after(
  vma: Vma,
  vm_flags: number,
  anon_vma: AnonVma,
  mapping: AddressSpace,
  pgoff: number,
): boolean {
  const pglen = load(vma + vma$vm_end) - load(vma + vma$vm_start)
  return load(vma + vma$vm_pgoff) + pglen === pgoff && is_mergeable_vma(vma, vm_flags, anon_vma, mapping)
}

/**
 * Tries to make [addr, end), which gets `vm_flags`, part of a neighbour. `prev` is the last VMA that begins below
 * `addr` (0: none); it may reach into the range. Returns the VMA that holds the range now, or 0: no neighbour fits, or
 * memory ran out, and nothing has changed. The range may be (the letters are Linux's, P prev, N next, A the range):
 *
 *   a hole       PPAANN -> PPPPPP (1)   PPAA -> PPPP (2)   AANN -> NNNN (3)
 *   end of P     PPaaNN -> PPNNNN (4)
 *   start of N   PPAaNN -> PPPPNN (5)
 *   a whole VMA  PPAANN -> PPPPPP (6)   PPAAxx -> PPPPxx (7)   xxAANN -> xxNNNN (8)
 */
export function vma_merge(
  mm: Mm,
  prev: Vma,
  addr: number,
  end: number,
  vm_flags: number,
  anon_vma: AnonVma,
  mapping: AddressSpace,
  pgoff: number,
): Vma {
  if ((vm_flags & VM_SPECIAL) !== 0) return 0 as Vma
  const mid = find_vma(mm, prev !== 0 ? load(prev + vma$vm_end) : 0)
  let next = mid
  if (mid !== 0 && load(mid + vma$vm_end) === end) next = find_vma(mm, end)
  BUG_ON(prev !== 0 && addr <= load(prev + vma$vm_start))
  BUG_ON(mid !== 0 && end > load(mid + vma$vm_end))
  BUG_ON(addr >= end)
  const merge_prev =
    prev !== 0 &&
    load(prev + vma$vm_end) === addr &&
    can_vma_merge_after(prev, vm_flags, anon_vma, mapping, pgoff)
  const merge_next =
    next !== 0 &&
    load(next + vma$vm_start) === end &&
    can_vma_merge_before(next, vm_flags, anon_vma, mapping, pgoff + end - addr)
  let res = 0 as Vma
  let error = 0
  if (
    merge_prev &&
    merge_next &&
    is_mergeable_anon_vma(
      load(prev + vma$anon_vma) as AnonVma,
      load(next + vma$anon_vma) as AnonVma,
      0 as Vma,
    )
  ) {
    res = prev
    const next_end = load(next + vma$vm_end)
    error = __vma_adjust(prev, load(prev + vma$vm_start), next_end, load(prev + vma$vm_pgoff), 0 as Vma, prev)
  } else if (merge_prev) {
    res = prev
    error = __vma_adjust(prev, load(prev + vma$vm_start), end, load(prev + vma$vm_pgoff), 0 as Vma, prev)
  } else if (merge_next) {
    res = next
    if (prev !== 0 && addr < load(prev + vma$vm_end))
      error = __vma_adjust(prev, load(prev + vma$vm_start), addr, load(prev + vma$vm_pgoff), 0 as Vma, next)
    else error = __vma_adjust(mid, addr, load(next + vma$vm_end), pgoff, 0 as Vma, next)
  }
  return error === 0 ? res : (0 as Vma)
}

/**
 * Splits `vma` at page `addr`; the new VMA is the lower part if `new_below`. Returns 0 or -ENOMEM, and then nothing has
 * changed. Does not look at sysctl_max_map_count (__split_vma).
 */
export function __split_vma(mm: Mm, vma: Vma, addr: number, new_below: boolean): number {
  const fresh = vm_area_dup(vma)
  if (fresh === 0) return -ENOMEM
  const start = load(vma + vma$vm_start)
  const pgoff = load(vma + vma$vm_pgoff)
  if (new_below) store(fresh + vma$vm_end, addr)
  else {
    store(fresh + vma$vm_start, addr)
    store(fresh + vma$vm_pgoff, pgoff + addr - start)
  }
  if (anon_vma_clone(fresh, vma) !== 0) {
    vm_area_free(fresh)
    return -ENOMEM
  }
  const mapping = load(fresh + vma$vm_mapping) as AddressSpace
  if (mapping !== 0) igrab(mapping)
  if (new_below) return __vma_adjust(vma, addr, load(vma + vma$vm_end), pgoff + addr - start, fresh, 0 as Vma)
  return __vma_adjust(vma, start, addr, pgoff, fresh, 0 as Vma)
}

/** As __split_vma, within sysctl_max_map_count. */
export function split_vma(mm: Mm, vma: Vma, addr: number, new_below: boolean): number {
  if (load(mm + mm$map_count) >= sysctl_max_map_count) return -ENOMEM
  return __split_vma(mm, vma, addr, new_below)
}

// Mapping.

/** Whether `npages` more fit into what an mm may map at all. */
export function may_expand_vm(mm: Mm, npages: number): boolean {
  return load(mm + mm$total_vm) + npages <= TASK_SIZE
}

/** Adds `npages` (negative: takes away) to the mm's size. Under mmap_lock for writing. */
export function vm_stat_account(mm: Mm, npages: number): void {
  store(mm + mm$total_vm, load(mm + mm$total_vm) + npages)
}

/** The highest gap of `npages` that ends at or below `high`; -ENOMEM if there is none above mmap_min_addr. */
function unmapped_area_topdown(mm: Mm, npages: number, high: number): number {
  let gap_end = high
  for (let index = find_vma_index(mm, high - 1); index >= 0; index--) {
    const vma = vma_at(mm, index)
    if (vma === 0 || load(vma + vma$vm_start) >= high) continue
    if (gap_end - load(vma + vma$vm_end) >= npages) return gap_end - npages
    gap_end = Math.min(gap_end, load(vma + vma$vm_start))
  }
  return gap_end - mmap_min_addr >= npages ? gap_end - npages : -ENOMEM
}

/** The lowest gap of `npages` at or above `low`; -ENOMEM if there is none. */
function unmapped_area(mm: Mm, npages: number, low: number): number {
  let gap_start = low
  const count = load(mm + mm$map_count)
  for (let index = find_vma_index(mm, low); index < count; index++) {
    const vma = vma_at(mm, index)
    if (load(vma + vma$vm_start) - gap_start >= npages) return gap_start
    gap_start = load(vma + vma$vm_end)
  }
  return TASK_SIZE - gap_start >= npages ? gap_start : -ENOMEM
}

/**
 * Where `npages` can be mapped: at `addr` if MAP_FIXED says so or if nothing lies there, else as high as possible below
 * mmap_base (0: the end of user space), else above it. Returns a page number, -ENOMEM or -EINVAL.
 */
export function get_unmapped_area(mm: Mm, addr: number, npages: number, flags: number): number {
  if (npages > TASK_SIZE - mmap_min_addr) return -ENOMEM
  if ((flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) !== 0) {
    if (addr < mmap_min_addr) return -EINVAL
    return addr <= TASK_SIZE - npages ? addr : -ENOMEM
  }
  if (
    addr >= mmap_min_addr &&
    addr <= TASK_SIZE - npages &&
    find_vma_intersection(mm, addr, addr + npages) === 0
  )
    return addr
  const mmap_base = load(mm + mm$mmap_base)
  if (mmap_base === 0) return unmapped_area_topdown(mm, npages, TASK_SIZE)
  const found = unmapped_area_topdown(mm, npages, mmap_base)
  return found >= 0 ? found : unmapped_area(mm, npages, mmap_base)
}

/**
 * Maps [addr, addr + npages) with `vm_flags`, after whatever lay there has been unmapped. `mapping` 0 is anonymous
 * memory, which becomes a shmem object of its own if it is VM_SHARED. Returns `addr` or -ENOMEM (mmap_region).
 */
function mmap_region(
  mm: Mm,
  mapping: AddressSpace,
  addr: number,
  npages: number,
  vm_flags: number,
  pgoff: number,
): number {
  if (!may_expand_vm(mm, npages)) return -ENOMEM
  if (do_munmap(mm, addr, npages) !== 0) return -ENOMEM
  const end = addr + npages
  const prev = vma_at(mm, find_vma_index(mm, addr) - 1)
  if (vma_merge(mm, prev, addr, end, vm_flags, 0 as AnonVma, mapping, pgoff) === 0) {
    const vma = vm_area_alloc(mm)
    if (vma === 0) return -ENOMEM
    store(vma + vma$vm_start, addr)
    store(vma + vma$vm_end, end)
    store(vma + vma$vm_flags, vm_flags)
    store(vma + vma$vm_pgoff, pgoff)
    if (mapping !== 0) {
      igrab(mapping)
      store(vma + vma$vm_mapping, mapping)
    } else if ((vm_flags & VM_SHARED) !== 0 && shmem_zero_setup(vma) !== 0) {
      vm_area_free(vma)
      return -ENOMEM
    }
    vma_set_page_prot(vma)
    // Before it can be found: it is not used until the call is through.
    vma_start_write(vma)
    vma_link(mm, vma)
  }
  vm_stat_account(mm, npages)
  return addr
}

/**
 * Maps `npages` of `mapping` (0: anonymous memory) from its page `pgoff` on. `addr` is a wish, or with MAP_FIXED the
 * place, where other mappings are replaced. The caller holds mmap_lock for writing and a reference to the mapping.
 * Returns the first page number, or -EINVAL, -ENOMEM, -EEXIST.
 */
export function do_mmap(
  mm: Mm,
  addr: number,
  npages: number,
  prot: number,
  flags: number,
  mapping: AddressSpace,
  pgoff: number,
): number {
  if (npages <= 0 || pgoff < 0) return -EINVAL
  if (npages > TASK_SIZE || pgoff + npages > TASK_SIZE) return -ENOMEM
  if (load(mm + mm$map_count) > sysctl_max_map_count) return -ENOMEM
  const at = get_unmapped_area(mm, addr, npages, flags)
  if (at < 0) return at
  if ((flags & MAP_FIXED_NOREPLACE) !== 0 && find_vma_intersection(mm, at, at + npages) !== 0) return -EEXIST
  let vm_flags = calc_vm_prot_bits(prot) | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC
  const kind = flags & MAP_TYPE
  if (kind === MAP_SHARED) vm_flags |= VM_SHARED | VM_MAYSHARE
  else if (kind !== MAP_PRIVATE) return -EINVAL
  if (mapping === 0) pgoff = kind === MAP_SHARED ? 0 : at
  return mmap_region(mm, mapping, at, npages, vm_flags, pgoff)
}

/**
 * Unmaps the pages and frees the tables of the `n` VMAs from `first` on, which stay in the array but leave the reverse
 * maps: nobody may find a table through them once it is freed.
 */
function unmap_region(mm: Mm, first: number, n: number): void {
  const prev = vma_at(mm, first - 1)
  const next = vma_at(mm, first + n)
  const start = load(vma_at(mm, first) + vma$vm_start)
  const end = load(vma_at(mm, first + n - 1) + vma$vm_end)
  tlb_gather_mmu(mm)
  unmap_vmas(mm, first, start, end)
  unlink_vmas(mm, first, n)
  free_pgtables(
    mm,
    start,
    end,
    prev !== 0 ? load(prev + vma$vm_end) : 0,
    next !== 0 ? load(next + vma$vm_start) : 0,
  )
  tlb_finish_mmu()
}

/** Takes `n` VMAs from `first` on off the reverse maps. */
function unlink_vmas(mm: Mm, first: number, n: number): void {
  for (let index = first; index < first + n; index++) {
    const vma = vma_at(mm, index)
    unlink_anon_vmas(vma)
    unlink_file_vma(vma)
  }
}

/**
 * Unmaps [start, start + npages); VMAs that reach out of it are split. The caller holds mmap_lock for writing.
 * Returns 0, -EINVAL, or -ENOMEM if a split was not possible: then everything is still mapped.
 */
export function do_munmap(mm: Mm, start: number, npages: number): number {
  if (npages <= 0 || start < 0 || npages > TASK_SIZE || start > TASK_SIZE - npages) return -EINVAL
  const end = start + npages
  let first = find_vma_index(mm, start)
  const vma = vma_at(mm, first)
  if (vma === 0 || load(vma + vma$vm_start) >= end) return 0
  if (load(vma + vma$vm_start) < start) {
    // Only a hole in the middle leaves more VMAs than there were.
    if (load(vma + vma$vm_end) > end && load(mm + mm$map_count) >= sysctl_max_map_count) return -ENOMEM
    const error = __split_vma(mm, vma, start, false)
    if (error !== 0) return error
    first++
  }
  let after = find_vma_index(mm, end)
  const last = vma_at(mm, after)
  if (last !== 0 && load(last + vma$vm_start) < end) {
    const error = __split_vma(mm, last, end, true)
    if (error !== 0) return error
    after++
  }
  for (let index = first; index < after; index++) {
    const gone = vma_at(mm, index)
    vma_start_write(gone)
    vma_mark_detached(gone)
  }
  unmap_region(mm, first, after - first)
  for (let n = after - first; n > 0; n--) {
    // One at a time from the back: an iput may sleep, and the array stays complete.
    const gone = vma_at(mm, first + n - 1)
    vma_mas_remove_range(mm, first + n - 1, 1)
    vm_stat_account(mm, load(gone + vma$vm_start) - load(gone + vma$vm_end))
    remove_vma(gone, false)
  }
  return 0
}

/**
 * Moves the end of the heap to page `brk`. Returns the end that holds now: `brk`, or the old one if that was not
 * possible. The caller holds mmap_lock for writing (sys_brk's inner part).
 */
export function do_brk(mm: Mm, brk: number): number {
  const oldbrk = load(mm + mm$brk)
  if (brk < load(mm + mm$start_brk) || brk > TASK_SIZE) return oldbrk
  if (brk < oldbrk) {
    if (do_munmap(mm, brk, oldbrk - brk) !== 0) return oldbrk
  } else if (brk > oldbrk) {
    if (find_vma_intersection(mm, oldbrk, brk) !== 0) return oldbrk
    if (do_brk_flags(mm, oldbrk, brk - oldbrk) !== 0) return oldbrk
  }
  store(mm + mm$brk, brk)
  return brk
}

/** Maps `npages` of anonymous memory at `addr`, where nothing is mapped. Returns 0 or -ENOMEM. */
function do_brk_flags(mm: Mm, addr: number, npages: number): number {
  if (load(mm + mm$map_count) > sysctl_max_map_count) return -ENOMEM
  const vm_flags = VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC
  return mmap_region(mm, 0 as AddressSpace, addr, npages, vm_flags, addr) === addr ? 0 : -ENOMEM
}

/** Takes down everything an mm without users maps; its top table stays for the caller (exit_mmap). */
export function exit_mmap(mm: Mm): void {
  const count = load(mm + mm$map_count)
  if (count === 0) {
    if (SWAP) set_mmf_oom_skip(mm)
    return
  }
  mmap_read_lock(mm)
  tlb_gather_mmu_fullmm(mm)
  unmap_vmas(mm, 0, 0, TASK_SIZE)
  mmap_read_unlock(mm)
  // Its pages are free, or soon will be.
  if (SWAP) set_mmf_oom_skip(mm)
  mmap_write_lock(mm)
  unlink_vmas(mm, 0, count)
  free_pgtables(mm, load(vma_at(mm, 0) + vma$vm_start), load(vma_at(mm, count - 1) + vma$vm_end), 0, 0)
  tlb_finish_mmu()
  for (let n = count; n > 0; n--) {
    const gone = vma_at(mm, n - 1)
    store(mm + mm$map_count, n - 1)
    remove_vma(gone, true)
  }
  store(mm + mm$total_vm, 0)
  mmap_write_unlock(mm)
}

/** Whether pages of the VMA may be unmapped by MADV_DONTNEED. */
export function can_madv_lru_vma(vma: Vma): boolean {
  return (load(vma + vma$vm_flags) & (VM_PFNMAP | VM_HUGETLB)) === 0
}
