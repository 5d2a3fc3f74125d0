/**
 * Where a mapping finds room (get_unmapped_area, unmapped_area, unmapped_area_topdown, mm/mmap.c, 6.1). Left out: the
 * guard gap of stacks, alignment, files with a method of their own.
 */
import { load } from '../../arch/access.ts'
import { TASK_SIZE } from '../../arch/pgtable.ts'
import type { Mm } from '../../arch/structs.ts'
import { mm$map_count, mm$mmap_base, vma$vm_end, vma$vm_start } from '../../arch/structs.ts'
import { EINVAL } from '../../errno.ts'
import { MAP_FIXED, MAP_FIXED_NOREPLACE } from '../mman.ts'
import { find_vma_index, find_vma_intersection, vma_at } from './mm_mt.ts'
import { enomem_refused } from './account.ts'

/** Pages below are never mapped. */
export const mmap_min_addr = 16

/** The highest gap of `npages` that ends at or below `high`; -ENOMEM if there is none above mmap_min_addr. */
function unmapped_area_topdown(mm: Mm, npages: number, high: number): number {
  let gap_end = high
  for (let index = find_vma_index(mm, high - 1); index >= 0; index--) {
    const vma = vma_at(mm, index)
    if (vma === 0 || load(vma + vma$vm_start) >= high) continue
    if (gap_end - load(vma + vma$vm_end) >= npages) return gap_end - npages
    gap_end = Math.min(gap_end, load(vma + vma$vm_start))
  }
  return gap_end - mmap_min_addr >= npages ? gap_end - npages : enomem_refused()
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
  return TASK_SIZE - gap_start >= npages ? gap_start : enomem_refused()
}

/**
 * Where `npages` can be mapped: at `addr` if MAP_FIXED says so or if nothing lies there, else as high as possible below
 * mmap_base (0: the end of user space), else above it. Returns a page number, -ENOMEM or -EINVAL.
 */
export function get_unmapped_area(mm: Mm, addr: number, npages: number, flags: number): number {
  if (npages > TASK_SIZE - mmap_min_addr) return enomem_refused()
  if ((flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) !== 0) {
    if (addr < mmap_min_addr) return -EINVAL
    return addr <= TASK_SIZE - npages ? addr : enomem_refused()
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
