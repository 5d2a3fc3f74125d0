/**
 * madvise (mm/madvise.c, 6.1): MADV_DONTNEED, the one advice that changes what a page holds. Others are accepted by
 * whoever passes them over (the trace reader), not here.
 */
import { load } from '../arch/access.ts'
import type { Mm } from '../arch/structs.ts'
import { vma$vm_end, vma$vm_start } from '../arch/structs.ts'
import { EINVAL, ENOMEM } from '../errno.ts'
import { zap_page_range } from './memory/zap_page_range.ts'
import { MADV_DONTNEED } from './mman.ts'
import { can_madv_lru_vma, find_vma } from './mmap.ts'

/**
 * Drops the pages of [start, start + npages): private anonymous memory reads as zeros again. The caller holds mmap_lock
 * for reading. Returns 0, -EINVAL, or -ENOMEM if part of the range is not mapped; the rest is done all the same.
 */
export function do_madvise(mm: Mm, start: number, npages: number, advice: number): number {
  if (advice !== MADV_DONTNEED || npages < 0 || start < 0) return -EINVAL
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
    if (!can_madv_lru_vma(vma)) return -EINVAL
    zap_page_range(vma, start, next - start)
    start = next
  }
  return unmapped_error
}
