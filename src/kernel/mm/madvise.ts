/**
 * madvise (mm/madvise.c, 6.1): MADV_DONTNEED, and with SWAP what reclaim is told: MADV_PAGEOUT and MADV_FREE
 * (madvise_lru.ts), and MADV_WILLNEED (madvise_willneed.ts). Other advice is accepted by whoever passes it over (the trace reader), not here.
 */
import { SWAP } from '#config'
import { load } from '../arch/access.ts'
import type { Mm, Vma } from '../arch/structs.ts'
import { vma$vm_end, vma$vm_flags, vma$vm_start, VM_HUGETLB, VM_PFNMAP } from '../arch/structs.ts'
import { EINVAL, ENOMEM } from '../errno.ts'
import { zap_page_range } from './memory/zap_page_range.ts'
import { madvise_lru_range } from './madvise_lru.ts'
import { madvise_willneed } from './madvise_willneed.ts'
import { MADV_DONTNEED, MADV_FREE, MADV_PAGEOUT, MADV_WILLNEED } from './mman.ts'
import { find_vma } from './mmap/mm_mt.ts'
import { vma_is_anonymous } from './mmap/vm_area.ts'

/** Whether pages of the VMA may be unmapped by MADV_DONTNEED. */
function can_madv_lru_vma(vma: Vma): boolean {
  return (load(vma + vma$vm_flags) & (VM_PFNMAP | VM_HUGETLB)) === 0
}

function madvise_behavior_valid(advice: number): boolean {
  if (advice === MADV_DONTNEED) return true
  return SWAP !== 0 && (advice === MADV_WILLNEED || advice === MADV_FREE || advice === MADV_PAGEOUT)
}

/**
 * Drops the pages of [start, start + npages), so that private anonymous memory reads as zeros again; MADV_PAGEOUT:
 * reclaims them now; MADV_FREE: they may be dropped until they are written again; MADV_WILLNEED: those in swap are read
 * ahead. The caller holds mmap_lock for reading. Returns 0, -EINVAL, or -ENOMEM if part of the range is not mapped; the rest is done all the same.
 */
export function do_madvise(mm: Mm, start: number, npages: number, advice: number): number {
  if (!madvise_behavior_valid(advice) || npages < 0 || start < 0) return -EINVAL
  const end = start + npages
  let unmapped_error = 0
  while (start < end) {
    const vma = find_vma(mm, start)
    const vm_start = vma !== 0 ? load(vma + vma$vm_start) : end
    if (vm_start > start) {
      unmapped_error = -ENOMEM
      start = vm_start
      if (start >= end) break
    }
    const next = Math.min(end, load(vma + vma$vm_end))
    if (advice === MADV_WILLNEED) {
      if (vma_is_anonymous(vma)) madvise_willneed(vma, start, next)
      start = next
      continue
    }
    if (!can_madv_lru_vma(vma)) return -EINVAL
    if (advice === MADV_DONTNEED) zap_page_range(vma, start, next - start)
    else if (vma_is_anonymous(vma)) madvise_lru_range(vma, start, next, advice === MADV_FREE)
    else if (advice === MADV_FREE) return -EINVAL
    start = next
  }
  return unmapped_error
}
