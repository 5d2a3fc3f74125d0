/**
 * munmap (do_mas_munmap with do_mas_align_munmap, unmap_region, __vm_munmap, mm/mmap.c, 6.1). The VMAs leave the map
 * under mmap_lock held for writing; pages and tables go under it held for reading, so that faults elsewhere go on.
 * Whoever would change the map waits until the tables are gone. Left out: userfaultfd.
 */
import { SWAP } from '#config'
import { load } from '../../arch/access.ts'
import { TASK_SIZE } from '../../arch/pgtable.ts'
import type { Mm, Vma } from '../../arch/structs.ts'
import { mm$map_count, vma$detach_next, vma$vm_end, vma$vm_start } from '../../arch/structs.ts'
import { EINVAL } from '../../errno.ts'
import { free_pgtables, unmap_single_vma } from '../memory/zap_page_range.ts'
import { mmap_read_unlock, mmap_write_downgrade, mmap_write_lock, mmap_write_unlock } from '../mmap_lock.ts'
import { tlb_finish_mmu, tlb_gather_mmu } from '../mmu_gather.ts'
import { lru_add_drain } from '../swap.ts'
import { vma_mark_detached, vma_start_write } from '../vma_lock.ts'
import { enomem_refused, sysctl_max_map_count, vm_stat_account } from './account.ts'
import { find_vma_index, vma_at, vma_mas_detach } from './mm_mt.ts'
import { __split_vma } from './split_vma.ts'
import { remove_vma, unlink_vma } from './vma_link.ts'

/** What do_munmap returns when it has turned the caller's write lock into a read lock. */
export const MUNMAP_DOWNGRADED = 1

/**
 * Unmaps the pages of the detached VMAs, which lie in [start, end), takes them off the reverse maps, and frees the
 * tables that serve nothing from floor up to ceiling (0: the end of user space) any more.
 */
function unmap_region(
  mm: Mm,
  detached: Vma,
  start: number,
  end: number,
  floor: number,
  ceiling: number,
): void {
  if (SWAP) lru_add_drain()
  tlb_gather_mmu(mm)
  for (let vma = detached; vma !== 0; vma = load(vma + vma$detach_next) as Vma)
    unmap_single_vma(vma, start, end)
  for (let vma = detached; vma !== 0; vma = load(vma + vma$detach_next) as Vma) unlink_vma(vma)
  free_pgtables(mm, start, end, floor, ceiling)
  tlb_finish_mmu()
}

/**
 * Unmaps [start, start + npages); VMAs that reach out of it are split. The caller holds mmap_lock for writing. Returns
 * 0, -EINVAL, or -ENOMEM if a split was not possible: then everything is still mapped. With `downgrade`:
 * MUNMAP_DOWNGRADED instead of 0 when mmap_lock is held for reading now.
 */
export function do_munmap(mm: Mm, start: number, npages: number, downgrade: boolean): number {
  if (npages <= 0 || start < 0 || npages > TASK_SIZE || start > TASK_SIZE - npages) return -EINVAL
  const end = start + npages
  let first = find_vma_index(mm, start)
  const vma = vma_at(mm, first)
  if (vma === 0 || load(vma + vma$vm_start) >= end) return 0
  if (load(vma + vma$vm_start) < start) {
    // Only a hole in the middle leaves more VMAs than there were.
    if (load(vma + vma$vm_end) > end && load(mm + mm$map_count) >= sysctl_max_map_count)
      return enomem_refused()
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
  const prev = vma_at(mm, first - 1)
  const next = vma_at(mm, after)
  const floor = prev !== 0 ? load(prev + vma$vm_end) : 0
  const ceiling = next !== 0 ? load(next + vma$vm_start) : 0
  const from = load(vma_at(mm, first) + vma$vm_start)
  const to = load(vma_at(mm, after - 1) + vma$vm_end)
  let gone = vma_mas_detach(mm, first, after - first)
  if (downgrade) mmap_write_downgrade(mm)
  unmap_region(mm, gone, from, to, floor, ceiling)
  while (gone !== 0) {
    const following = load(gone + vma$detach_next) as Vma
    vm_stat_account(mm, load(gone + vma$vm_start) - load(gone + vma$vm_end))
    remove_vma(gone, false)
    gone = following
  }
  return downgrade ? MUNMAP_DOWNGRADED : 0
}

/** Unmaps [start, start + npages) under mmap_lock, which it takes. Returns 0 or what do_munmap fails with. */
export function __vm_munmap(mm: Mm, start: number, npages: number, downgrade: boolean): number {
  mmap_write_lock(mm)
  const result = do_munmap(mm, start, npages, downgrade)
  if (result !== MUNMAP_DOWNGRADED) {
    mmap_write_unlock(mm)
    return result
  }
  mmap_read_unlock(mm)
  return 0
}
