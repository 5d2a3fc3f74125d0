/**
 * madvise (mm/madvise.c, 6.1): MADV_DONTNEED; MADV_POPULATE_READ and MADV_POPULATE_WRITE; what is only a flag of the
 * VMA (madvise_update_vma); and with SWAP what reclaim is told: MADV_PAGEOUT and MADV_FREE (madvise_lru.ts), and
 * MADV_WILLNEED (madvise_willneed.ts). Left out: names of anonymous VMAs, userfaultfd, MADV_WILLNEED of files. Other
 * advice is accepted by whoever passes it over (the trace reader), not here.
 */
import { SWAP } from '#config'
import { load, store } from '../arch/access.ts'
import type { AddressSpace, AnonVma, Mm, Vma } from '../arch/structs.ts'
import {
  VM_DONTCOPY,
  VM_DONTDUMP,
  VM_HUGETLB,
  VM_NOHUGEPAGE,
  VM_PFNMAP,
  VM_RAND_READ,
  VM_SEQ_READ,
  VM_SHARED,
  VM_WIPEONFORK,
  vma$anon_vma,
  vma$vm_end,
  vma$vm_flags,
  vma$vm_mapping,
  vma$vm_mm,
  vma$vm_pgoff,
  vma$vm_start,
} from '../arch/structs.ts'
import { EAGAIN, EINVAL, ENOMEM } from '../errno.ts'
import { faultin_vma_page_range } from './gup.ts'
import { zap_page_range } from './memory/zap_page_range.ts'
import { madvise_lru_range } from './madvise_lru.ts'
import { madvise_willneed } from './madvise_willneed.ts'
import {
  MADV_DODUMP,
  MADV_DOFORK,
  MADV_DONTDUMP,
  MADV_DONTFORK,
  MADV_DONTNEED,
  MADV_FREE,
  MADV_KEEPONFORK,
  MADV_NOHUGEPAGE,
  MADV_NORMAL,
  MADV_PAGEOUT,
  MADV_POPULATE_READ,
  MADV_POPULATE_WRITE,
  MADV_RANDOM,
  MADV_SEQUENTIAL,
  MADV_WILLNEED,
  MADV_WIPEONFORK,
} from './mman.ts'
import { find_vma, find_vma_index, vma_at } from './mmap/mm_mt.ts'
import { split_vma } from './mmap/split_vma.ts'
import { vma_is_anonymous } from './mmap/vm_area.ts'
import { enomem_refused } from './mmap/account.ts'
import { vma_merge } from './mmap/vma_merge.ts'
import { mmap_read_lock, mmap_read_unlock, mmap_write_lock, mmap_write_unlock } from './mmap_lock.ts'
import { vma_start_write } from './vma_lock.ts'

/** Whether pages of the VMA may be unmapped by MADV_DONTNEED. */
function can_madv_lru_vma(vma: Vma): boolean {
  return (load(vma + vma$vm_flags) & (VM_PFNMAP | VM_HUGETLB)) === 0
}

/** Whether the advice is only a flag: the VMA changes. */
function madvise_need_mmap_write(advice: number): boolean {
  switch (advice) {
    case MADV_NORMAL:
    case MADV_RANDOM:
    case MADV_SEQUENTIAL:
    case MADV_DONTFORK:
    case MADV_DOFORK:
    case MADV_NOHUGEPAGE:
    case MADV_DONTDUMP:
    case MADV_DODUMP:
    case MADV_WIPEONFORK:
    case MADV_KEEPONFORK:
      return true
    default:
      return false
  }
}

function madvise_behavior_valid(advice: number): boolean {
  switch (advice) {
    case MADV_DONTNEED:
    case MADV_POPULATE_READ:
    case MADV_POPULATE_WRITE:
      return true
    case MADV_FREE:
    case MADV_PAGEOUT:
    case MADV_WILLNEED:
      return SWAP !== 0
    default:
      return madvise_need_mmap_write(advice)
  }
}

/** The flags of a VMA with `vm_flags` after the advice. */
function madvise_flags(vm_flags: number, advice: number): number {
  switch (advice) {
    case MADV_NORMAL:
      return vm_flags & ~(VM_RAND_READ | VM_SEQ_READ)
    case MADV_RANDOM:
      return (vm_flags & ~VM_SEQ_READ) | VM_RAND_READ
    case MADV_SEQUENTIAL:
      return (vm_flags & ~VM_RAND_READ) | VM_SEQ_READ
    case MADV_DONTFORK:
      return vm_flags | VM_DONTCOPY
    case MADV_DOFORK:
      return vm_flags & ~VM_DONTCOPY
    case MADV_NOHUGEPAGE:
      return vm_flags | VM_NOHUGEPAGE
    case MADV_DONTDUMP:
      return vm_flags | VM_DONTDUMP
    case MADV_DODUMP:
      return vm_flags & ~VM_DONTDUMP
    case MADV_WIPEONFORK:
      return vm_flags | VM_WIPEONFORK
    default:
      return vm_flags & ~VM_WIPEONFORK
  }
}

/**
 * Gives [start, end) of `vma` the flags `newflags`; `prev` is the last VMA that begins below `start`. Returns 0 or
 * -ENOMEM. What was the VMA may be gone.
 */
function madvise_update_vma(vma: Vma, prev: Vma, start: number, end: number, newflags: number): number {
  const mm = load(vma + vma$vm_mm) as Mm
  if (newflags === load(vma + vma$vm_flags)) return 0
  const pgoff = load(vma + vma$vm_pgoff) + start - load(vma + vma$vm_start)
  const anon_vma = load(vma + vma$anon_vma) as AnonVma
  const mapping = load(vma + vma$vm_mapping) as AddressSpace
  const merged = vma_merge(mm, prev, start, end, newflags, anon_vma, mapping, pgoff)
  if (merged !== 0) return 0
  if (start !== load(vma + vma$vm_start) && split_vma(mm, vma, start, true) !== 0) return -ENOMEM
  if (end !== load(vma + vma$vm_end) && split_vma(mm, vma, end, false) !== 0) return -ENOMEM
  vma_start_write(vma)
  store(vma + vma$vm_flags, newflags)
  return 0
}

/** Makes [start, end) of the VMA present. Returns 0, -EINVAL where its rights forbid it, -EFAULT, -ENOMEM or -EINTR. */
function madvise_populate(vma: Vma, start: number, end: number, write: boolean): number {
  while (start < end) {
    const done = faultin_vma_page_range(vma, start, end, write)
    if (done < 0) return done
    start += done
  }
  return 0
}

/** Does what the advice says to [start, end) of the VMA. Returns 0 or a negative error. */
function madvise_vma_behavior(mm: Mm, vma: Vma, start: number, end: number, advice: number): number {
  const vm_flags = load(vma + vma$vm_flags)
  switch (advice) {
    case MADV_DONTNEED:
      if (!can_madv_lru_vma(vma)) return -EINVAL
      zap_page_range(vma, start, end - start)
      return 0
    case MADV_POPULATE_READ:
    case MADV_POPULATE_WRITE:
      return madvise_populate(vma, start, end, advice === MADV_POPULATE_WRITE)
    case MADV_FREE:
    case MADV_PAGEOUT:
      if (!can_madv_lru_vma(vma)) return -EINVAL
      if (vma_is_anonymous(vma)) madvise_lru_range(vma, start, end, advice === MADV_FREE)
      else if (advice === MADV_FREE) return -EINVAL
      return 0
    case MADV_WILLNEED:
      if (vma_is_anonymous(vma)) madvise_willneed(vma, start, end)
      return 0
    case MADV_WIPEONFORK:
      if (!vma_is_anonymous(vma) || (vm_flags & VM_SHARED) !== 0) return -EINVAL
  }
  const prev = start > load(vma + vma$vm_start) ? vma : vma_at(mm, find_vma_index(mm, start) - 1)
  const error = madvise_update_vma(vma, prev, start, end, madvise_flags(vm_flags, advice))
  return error === -ENOMEM ? -EAGAIN : error
}

/** Does it to each VMA of [start, end). Returns 0, an error, or -ENOMEM for a hole, when all the rest is done. */
function madvise_walk_vmas(mm: Mm, start: number, end: number, advice: number): number {
  let unmapped_error = 0
  while (start < end) {
    const vma = find_vma(mm, start)
    const vm_start = vma !== 0 ? load(vma + vma$vm_start) : end
    if (vm_start > start) {
      unmapped_error = enomem_refused()
      start = vm_start
      if (start >= end) break
    }
    const next = Math.min(end, load(vma + vma$vm_end))
    const error = madvise_vma_behavior(mm, vma, start, next, advice)
    if (error !== 0) return error
    start = next
  }
  return unmapped_error
}

/**
 * Takes advice about [start, start + npages). MADV_DONTNEED drops the pages, so that private anonymous memory reads as
 * zeros again; MADV_POPULATE_ makes them present; MADV_PAGEOUT reclaims them now; MADV_FREE: they may be dropped until
 * they are written again; MADV_WILLNEED reads those in swap ahead; the others are flags of VMAs, and take mmap_lock for
 * writing. Returns 0, -EINVAL, -ENOMEM if part of the range is not mapped (the rest is done), or what stopped it.
 */
export function do_madvise(mm: Mm, start: number, npages: number, advice: number): number {
  if (!madvise_behavior_valid(advice) || npages < 0 || start < 0) return -EINVAL
  if (!madvise_need_mmap_write(advice)) {
    mmap_read_lock(mm)
    const result = madvise_walk_vmas(mm, start, start + npages, advice)
    mmap_read_unlock(mm)
    return result
  }
  mmap_write_lock(mm)
  const result = madvise_walk_vmas(mm, start, start + npages, advice)
  mmap_write_unlock(mm)
  return result
}
