/**
 * Moving and resizing mappings (mm/mremap.c, and copy_vma of mm/mmap.c, 6.1). Page tables move entry by entry.
 * Left out: moving whole tables (move_normal_pmd and above), huge pages, MREMAP_DONTUNMAP, userfaultfd, accounting.
 */
import { SWAP } from '#config'
import { pte_table_lock_pair, pte_table_unlock_pair } from './ptl.ts'
import { load, READ_ONCE, store } from '../arch/access.ts'
import { BUG_ON } from '../arch/bug.ts'
import {
  _PAGE_SOFT_DIRTY,
  PMD_SHIFT,
  pte_none,
  pte_offset,
  pte_present,
  ptep_get,
  ptep_get_and_clear,
  set_pte_at,
  TASK_SIZE,
} from '../arch/pgtable.ts'
import type { AddressSpace, AnonVma, Mm, Pmd, PmdP, Pte, Vma } from '../arch/structs.ts'
import {
  mm$map_count,
  vma$anon_vma,
  vma$vm_end,
  vma$vm_flags,
  vma$vm_mapping,
  vma$vm_mm,
  vma$vm_pgoff,
  vma$vm_start,
  VM_MAYSHARE,
  VM_PFNMAP,
  VM_SHARED,
} from '../arch/structs.ts'
import { flush_tlb_mm_range } from '../arch/tlb.ts'
import { EFAULT, EINVAL, ENOMEM } from '../errno.ts'
import { cond_resched } from '../sched/core.ts'
import { igrab } from './filemap.ts'
import { MAP_FIXED, MREMAP_FIXED, MREMAP_MAYMOVE } from './mman.ts'
import { enomem_refused, may_expand_vm, sysctl_max_map_count, vm_stat_account } from './mmap/account.ts'
import { do_munmap, MUNMAP_DOWNGRADED } from './mmap/do_munmap.ts'
import { get_unmapped_area } from './mmap/get_unmapped_area.ts'
import { i_mmap_lock_write, i_mmap_unlock_write } from './mmap/i_mmap.ts'
import { find_vma_index, find_vma_intersection, vma_at, vma_lookup } from './mmap/mm_mt.ts'
import { vm_area_dup, vm_area_free, vma_is_anonymous } from './mmap/vm_area.ts'
import { vma_link } from './mmap/vma_link.ts'
import { vma_merge } from './mmap/vma_merge.ts'
import { mmap_read_unlock, mmap_write_lock, mmap_write_unlock } from './mmap_lock.ts'
import { pte_alloc, walk_alloc_pmd } from './pgalloc.ts'
import { mm_find_pmd } from './rmap/walk.ts'
import { anon_vma_lock_write, anon_vma_unlock_write } from './rmap/anon_vma.ts'
import { anon_vma_clone } from './rmap/anon_vma_fork.ts'
import { flush_tlb_batched_pending } from './rmap/tlb_batch.ts'
import { vma_start_write } from './vma_lock.ts'

/** The PMD entry of `addr` with a PTE table below; 0: out of memory. */
function alloc_new_pmd(mm: Mm, addr: number): PmdP {
  const pmd = walk_alloc_pmd(mm, addr)
  return pmd === 0 || pte_alloc(mm, pmd) ? (0 as PmdP) : pmd
}

/** Keeps walks over the reverse maps of the VMA out. */
function take_rmap_locks(vma: Vma): void {
  const mapping = load(vma + vma$vm_mapping) as AddressSpace
  const anon_vma = load(vma + vma$anon_vma) as AnonVma
  if (mapping !== 0) i_mmap_lock_write(mapping)
  if (anon_vma !== 0) anon_vma_lock_write(anon_vma)
}

function drop_rmap_locks(vma: Vma): void {
  const mapping = load(vma + vma$vm_mapping) as AddressSpace
  const anon_vma = load(vma + vma$anon_vma) as AnonVma
  if (anon_vma !== 0) anon_vma_unlock_write(anon_vma)
  if (mapping !== 0) i_mmap_unlock_write(mapping)
}

/** The moved entry: moving counts as a change of contents for who tracks soft-dirty (move_soft_dirty_pte). */
function move_soft_dirty_pte(pte: Pte): Pte {
  return (pte | _PAGE_SOFT_DIRTY) as Pte
}

/**
 * Moves the entries of `n` pages, which lie in one table each. A walk over the reverse map finds a page at its new
 * place if it looks there after the old one; where it would look at the new one first (`need_rmap_locks`), it is kept
 * out.
 */
function move_ptes(
  vma: Vma,
  old_pmd: PmdP,
  old_addr: number,
  n: number,
  new_pmd: PmdP,
  new_addr: number,
  need_rmap_locks: boolean,
): void {
  const mm = load(vma + vma$vm_mm) as Mm
  if (need_rmap_locks) take_rmap_locks(vma)
  const old_entry = READ_ONCE(old_pmd) as Pmd
  const new_entry = READ_ONCE(new_pmd) as Pmd
  let old_pte = pte_offset(old_entry, old_addr)
  let new_pte = pte_offset(new_entry, new_addr)
  let force_flush = false
  pte_table_lock_pair(mm, old_entry, old_addr, mm, new_entry, new_addr, n)
  if (SWAP) flush_tlb_batched_pending(mm)
  for (let i = 0; i < n; i++, old_pte++, new_pte++) {
    if (pte_none(ptep_get(old_pte))) continue
    const pte = ptep_get_and_clear(mm, old_addr + i, old_pte)
    if (pte_present(pte)) force_flush = true
    set_pte_at(mm, new_addr + i, new_pte, move_soft_dirty_pte(pte))
  }
  // Before the locks are dropped: whoever takes the page away at its new place must not leave a translation at the old.
  if (force_flush) flush_tlb_mm_range(mm, old_addr, old_addr + n)
  pte_table_unlock_pair(mm, old_entry, old_addr, mm, new_entry, new_addr, n)
  if (need_rmap_locks) drop_rmap_locks(vma)
}

/** How many of the `n` pages from `old_addr` lie in one table both there and from `new_addr` on. */
function get_extent(old_addr: number, new_addr: number, n: number): number {
  const span = 1 << PMD_SHIFT
  return Math.min(n, span - (old_addr & (span - 1)), span - (new_addr & (span - 1)))
}

/**
 * Moves the entries of `npages` pages from `old_addr` to `new_addr`. Returns for how many pages that was done: fewer
 * when there was no memory for a table (move_page_tables).
 */
export function move_page_tables(
  vma: Vma,
  old_addr: number,
  new_addr: number,
  npages: number,
  need_rmap_locks: boolean,
): number {
  const mm = load(vma + vma$vm_mm) as Mm
  let done = 0
  while (done < npages) {
    cond_resched()
    const extent = get_extent(old_addr + done, new_addr + done, npages - done)
    const old_pmd = mm_find_pmd(mm, old_addr + done)
    if (old_pmd !== 0) {
      const new_pmd = alloc_new_pmd(mm, new_addr + done)
      if (new_pmd === 0) break
      move_ptes(vma, old_pmd, old_addr + done, extent, new_pmd, new_addr + done, need_rmap_locks)
    }
    done += extent
  }
  return done
}

/**
 * Maps at [addr, addr + npages), where nothing lies, what `vma` maps from `pgoff` on: in a neighbour that fits, or in a
 * copy of `vma`. Entries do not move. The source may become part of the result, so look it up again. 0: out of memory.
 */
export function copy_vma(vma: Vma, addr: number, npages: number, pgoff: number): Vma {
  const mm = load(vma + vma$vm_mm) as Mm
  const vma_start = load(vma + vma$vm_start)
  let faulted_in_anon_vma = true
  if (vma_is_anonymous(vma) && load(vma + vma$anon_vma) === 0) {
    // Nothing is mapped yet: the pgoff of the new place lets it merge there.
    pgoff = addr
    faulted_in_anon_vma = false
  }
  const index = find_vma_index(mm, addr)
  BUG_ON(find_vma_intersection(mm, addr, addr + npages) !== 0)
  const merged = vma_merge(
    mm,
    vma_at(mm, index - 1),
    addr,
    addr + npages,
    load(vma + vma$vm_flags),
    load(vma + vma$anon_vma) as AnonVma,
    load(vma + vma$vm_mapping) as AddressSpace,
    pgoff,
  )
  if (merged !== 0) {
    // A mapping merges with itself only before its first page: moving changes how pgoff and address belong together.
    BUG_ON(
      faulted_in_anon_vma &&
        vma_start >= load(merged + vma$vm_start) &&
        vma_start < load(merged + vma$vm_end),
    )
    return merged
  }
  const new_vma = vm_area_dup(vma)
  if (new_vma === 0) return new_vma
  store(new_vma + vma$vm_start, addr)
  store(new_vma + vma$vm_end, addr + npages)
  store(new_vma + vma$vm_pgoff, pgoff)
  if (anon_vma_clone(new_vma, vma) !== 0) {
    vm_area_free(new_vma)
    return 0 as Vma
  }
  const mapping = load(new_vma + vma$vm_mapping) as AddressSpace
  if (mapping !== 0) igrab(mapping)
  vma_start_write(new_vma)
  vma_link(mm, new_vma)
  return new_vma
}

/**
 * Moves `old_pages` pages at `old_addr` of `vma` to [new_addr, new_addr + new_pages), where nothing is mapped.
 * Returns `new_addr`, or -ENOMEM: then everything is where it was.
 */
function move_vma(
  vma: Vma,
  old_addr: number,
  old_pages: number,
  new_pages: number,
  new_addr: number,
): number {
  const mm = load(vma + vma$vm_mm) as Mm
  // Unmapping the old place may split one VMA in three.
  if (load(mm + mm$map_count) >= sysctl_max_map_count - 3) return enomem_refused()
  vma_start_write(vma)
  const new_pgoff = load(vma + vma$vm_pgoff) + old_addr - load(vma + vma$vm_start)
  const new_vma = copy_vma(vma, new_addr, new_pages, new_pgoff)
  if (new_vma === 0) return -ENOMEM
  vma = vma_lookup(mm, old_addr)
  const merged = load(new_vma + vma$vm_end) - load(new_vma + vma$vm_start) !== new_pages
  const need_rmap_locks = merged && load(new_vma + vma$vm_pgoff) <= load(vma + vma$vm_pgoff)
  const moved = move_page_tables(vma, old_addr, new_addr, old_pages, need_rmap_locks)
  let result = new_addr
  if (moved < old_pages) {
    // Back again, for which the tables are still there; then the new place goes instead of the old.
    move_page_tables(new_vma, new_addr, old_addr, moved, true)
    old_addr = new_addr
    old_pages = new_pages
    result = -ENOMEM
  }
  vm_stat_account(mm, new_pages)
  // Without memory for a split both places stay mapped; the entries are in one of them only.
  if (old_pages > 0) do_munmap(mm, old_addr, old_pages, false)
  return result
}

/** The last page of an object that a word can name: where Linux's pgoff_t overflows. */
const PGOFF_MAX = 0x7fffffff

/** Why `old_pages` pages at `addr` of `vma` cannot become `new_pages`: 0 if they can (vma_to_resize). */
function vma_resize_error(mm: Mm, vma: Vma, addr: number, old_pages: number, new_pages: number): number {
  if (vma === 0) return -EFAULT
  // No pages of a shared mapping are a second mapping of it; of a private one they make no sense.
  if (old_pages === 0 && (load(vma + vma$vm_flags) & (VM_SHARED | VM_MAYSHARE)) === 0) return -EINVAL
  if (old_pages > load(vma + vma$vm_end) - addr) return -EFAULT
  if (new_pages === old_pages) return 0
  const pgoff = addr - load(vma + vma$vm_start) + load(vma + vma$vm_pgoff)
  if (pgoff > PGOFF_MAX - new_pages) return -EINVAL
  if ((load(vma + vma$vm_flags) & VM_PFNMAP) !== 0) return -EFAULT
  return may_expand_vm(mm, new_pages - old_pages) ? 0 : enomem_refused()
}

/** MREMAP_FIXED: moves to `new_addr`, where other mappings are replaced. */
function mremap_to(mm: Mm, addr: number, old_pages: number, new_addr: number, new_pages: number): number {
  if (new_addr < 0 || new_addr > TASK_SIZE - new_pages) return -EINVAL
  if (addr + old_pages > new_addr && new_addr + new_pages > addr) return -EINVAL
  // Both places may be split in three.
  if (load(mm + mm$map_count) + 2 >= sysctl_max_map_count - 3) return enomem_refused()
  const at = get_unmapped_area(mm, new_addr, new_pages, MAP_FIXED)
  if (at < 0) return at
  let error = do_munmap(mm, new_addr, new_pages, false)
  if (error === 0 && old_pages > new_pages) {
    error = do_munmap(mm, addr + new_pages, old_pages - new_pages, false)
    old_pages = new_pages
  }
  if (error !== 0) return error
  const vma = vma_lookup(mm, addr)
  error = vma_resize_error(mm, vma, addr, old_pages, new_pages)
  if (error !== 0) return error
  return move_vma(vma, addr, old_pages, new_pages, new_addr)
}

/** Whether the `delta` pages behind the VMA are free to grow into. */
function vma_expandable(mm: Mm, vma: Vma, delta: number): boolean {
  const end = load(vma + vma$vm_end)
  return end + delta <= TASK_SIZE && find_vma_intersection(mm, end, end + delta) === 0
}

/** Resizes to more pages: in place, or with MREMAP_MAYMOVE elsewhere. */
function mremap_grow(mm: Mm, addr: number, old_pages: number, new_pages: number, flags: number): number {
  const vma = vma_lookup(mm, addr)
  const error = vma_resize_error(mm, vma, addr, old_pages, new_pages)
  if (error !== 0) return error
  const delta = new_pages - old_pages
  const end = load(vma + vma$vm_end)
  if (old_pages === end - addr && vma_expandable(mm, vma, delta)) {
    const grown = vma_merge(
      mm,
      vma,
      end,
      end + delta,
      load(vma + vma$vm_flags),
      load(vma + vma$anon_vma) as AnonVma,
      load(vma + vma$vm_mapping) as AddressSpace,
      load(vma + vma$vm_pgoff) + end - load(vma + vma$vm_start),
    )
    if (grown === 0) return -ENOMEM
    vm_stat_account(mm, delta)
    return addr
  }
  if ((flags & MREMAP_MAYMOVE) === 0) return enomem_refused()
  const at = get_unmapped_area(mm, 0, new_pages, 0)
  return at < 0 ? at : move_vma(vma, addr, old_pages, new_pages, at)
}

/**
 * Resizes the mapping of `old_pages` pages at `addr` to `new_pages`: in place, or with MREMAP_MAYMOVE elsewhere, or
 * with MREMAP_FIXED too at `new_addr`. Takes mmap_lock. Returns where it lies now, or -EINVAL, -EFAULT, -ENOMEM.
 */
export function do_mremap(
  mm: Mm,
  addr: number,
  old_pages: number,
  new_pages: number,
  flags: number,
  new_addr: number,
): number {
  if ((flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED)) !== 0) return -EINVAL
  if ((flags & MREMAP_FIXED) !== 0 && (flags & MREMAP_MAYMOVE) === 0) return -EINVAL
  if (addr < 0 || old_pages < 0 || new_pages <= 0 || new_pages > TASK_SIZE) return -EINVAL
  mmap_write_lock(mm)
  let result = addr
  if (vma_lookup(mm, addr) === 0) result = -EFAULT
  else if ((flags & MREMAP_FIXED) !== 0) result = mremap_to(mm, addr, old_pages, new_addr, new_pages)
  else if (old_pages < new_pages) result = mremap_grow(mm, addr, old_pages, new_pages, flags)
  else if (old_pages > new_pages) {
    const error = do_munmap(mm, addr + new_pages, old_pages - new_pages, true)
    if (error === MUNMAP_DOWNGRADED) {
      mmap_read_unlock(mm)
      return addr
    }
    if (error !== 0) result = error
  }
  mmap_write_unlock(mm)
  return result
}
