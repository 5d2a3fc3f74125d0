/**
 * The end of an mm's maps (exit_mmap, mm/mmap.c, 6.1). Left out: mmu notifiers, huge page tables that are shared.
 */
import { SWAP } from '#config'
import { load, store } from '../../arch/access.ts'
import { TASK_SIZE } from '../../arch/pgtable.ts'
import type { Mm } from '../../arch/structs.ts'
import { mm$map_count, mm$total_vm, vma$vm_end, vma$vm_start } from '../../arch/structs.ts'
import { free_pgtables, unmap_vmas } from '../memory/zap_page_range.ts'
import { mmap_read_lock, mmap_read_unlock, mmap_write_lock, mmap_write_unlock } from '../mmap_lock.ts'
import { tlb_finish_mmu, tlb_gather_mmu_fullmm } from '../mmu_gather.ts'
import { set_mmf_oom_skip } from '../oom_kill.ts'
import { lru_add_drain } from '../swap.ts'
import { vma_at } from './mm_mt.ts'
import { remove_vma, unlink_vma } from './vma_link.ts'

/** Takes down everything an mm without users maps; its top table stays for the caller (exit_mmap). */
export function exit_mmap(mm: Mm): void {
  const count = load(mm + mm$map_count)
  if (count === 0) {
    if (SWAP) set_mmf_oom_skip(mm)
    return
  }
  mmap_read_lock(mm)
  if (SWAP) lru_add_drain()
  tlb_gather_mmu_fullmm(mm)
  unmap_vmas(mm, 0, 0, TASK_SIZE)
  mmap_read_unlock(mm)
  // Its pages are free, or soon will be.
  if (SWAP) set_mmf_oom_skip(mm)
  mmap_write_lock(mm)
  for (let i = 0; i < count; i++) unlink_vma(vma_at(mm, i))
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
