/**
 * MADV_WILLNEED (mm/madvise.c, 6.1: madvise_willneed, swapin_walk_pmd_entry): swapped pages are read into the swap
 * cache ahead of their faults. Left out: shared memory and files, which always are in memory here.
 */
import { load, READ_ONCE } from '../arch/access.ts'
import { pmd_addr_end, pmd_bad, pte_offset, ptep_get } from '../arch/pgtable.ts'
import type { Mm, Pmd, Vma } from '../arch/structs.ts'
import { vma$vm_mm } from '../arch/structs.ts'
import { is_swap_pte, non_swap_entry, pte_to_swp_entry } from '../arch/swapops.ts'
import { put_page } from './mm.ts'
import { pte_table_lock_read, pte_table_unlock_read } from './ptl.ts'
import { mm_find_pmd } from './rmap/walk.ts'
import { lru_add_drain } from './swap.ts'
import { read_swap_cache_async } from './swap_state.ts'

/**
 * Reads what the entries of [addr, end), within one table, have in swap. Once an entry's lock is dropped, nothing keeps
 * its slot, nor the device.
 */
function swapin_walk_pmd_entry(mm: Mm, pmd: Pmd, addr: number, end: number): void {
  for (; addr < end; addr++) {
    const ptl = pte_table_lock_read(mm, pmd, addr)
    const pte = ptep_get(pte_offset(pmd, addr))
    pte_table_unlock_read(pmd, addr, ptl)
    if (!is_swap_pte(pte)) continue
    const entry = pte_to_swp_entry(pte)
    if (non_swap_entry(entry)) continue
    const page = read_swap_cache_async(entry)
    if (page !== 0) put_page(page)
  }
}

/** Reads what [start, end) of an anonymous VMA has in swap. mmap_lock is held for reading at least. */
export function madvise_willneed(vma: Vma, start: number, end: number): void {
  const mm = load(vma + vma$vm_mm) as Mm
  for (let addr = start, next = start; addr < end; addr = next) {
    next = pmd_addr_end(addr, end)
    const pmd = mm_find_pmd(mm, addr)
    const value = (pmd === 0 ? 0 : READ_ONCE(pmd)) as Pmd
    if (!pmd_bad(value)) swapin_walk_pmd_entry(mm, value, addr, next)
  }
  // The new pages come to their list now.
  lru_add_drain()
}
