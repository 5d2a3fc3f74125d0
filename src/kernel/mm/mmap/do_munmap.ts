/**
 * munmap (do_munmap with do_mas_align_munmap, unmap_region, mm/mmap.c, 6.1). Left out: munmap with the lock downgraded, userfaultfd.
 */
import { load } from '../../arch/access.ts'
import { TASK_SIZE } from '../../arch/pgtable.ts'
import type { Mm } from '../../arch/structs.ts'
import { mm$map_count, vma$vm_end, vma$vm_start } from '../../arch/structs.ts'
import { EINVAL, ENOMEM } from '../../errno.ts'
import { free_pgtables, unmap_vmas } from '../memory/zap_page_range.ts'
import { tlb_finish_mmu, tlb_gather_mmu } from '../mmu_gather.ts'
import { vma_mark_detached, vma_start_write } from '../vma_lock.ts'
import { sysctl_max_map_count, vm_stat_account } from './account.ts'
import { find_vma_index, vma_at, vma_mas_remove_range } from './mm_mt.ts'
import { __split_vma } from './split_vma.ts'
import { remove_vma, unlink_vmas } from './vma_link.ts'

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
