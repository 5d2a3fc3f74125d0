/**
 * FAULT_LOCKING=2.6.10: the page-table lock of a fault as Linux 2.6.10 took it (mm/memory.c: handle_mm_fault,
 * handle_pte_fault, do_anonymous_page, do_no_page). The lock is taken before the walk and held while the entry is
 * looked at. A missing page is allocated and cleared without it, then it is taken again: two holds for a first write,
 * where 6.1 takes it once. It is meant for PTLOCK=mm, the only lock of that time; where a table has a lock of its own,
 * the walk comes before the first hold. Left out: what 2.6.10 does besides locking, such as its reuse by map count
 * (COW_REUSE=mapcount).
 */
import { FAULT_LOCKING, PTLOCK, PTRS_PER_TABLE } from '#config'
import { READ_ONCE, this_cpu_write } from '../../arch/access.ts'
import { observe_table_locked } from '../../arch/observe.ts'
import { vmf$pmd_value, vmf$ptl } from '../../arch/percpu.ts'
import { pmd_page } from '../../arch/pgtable.ts'
import type { Mm, Pmd, PmdP, Spinlock } from '../../arch/structs.ts'
import { mm$page_table_lock } from '../../arch/structs.ts'
import { count_ptl_taken } from '../../locking/ptlock_area.ts'
import { PTL_WRITE } from '../../locking/ptl_mode.ts'
import { spin_lock, spin_unlock } from '../../locking/spinlock.ts'
import { pte_alloc, walk_alloc_pmd } from '../pgalloc.ts'
import { mm_find_pmd } from '../rmap/walk.ts'
import { pte_table_lock } from '../ptl.ts'
import { vmf_pte_unlock } from './vmf.ts'

/** A value of FAULT_LOCKING. */
export const FAULT_LOCKING_2_6_10 = 1
/** A value of PTLOCK. */
const PTLOCK_MM = 0

/** The PMD entry of `addr`, which leads to a PTE table; 0 if there was no memory. */
function walk_alloc_table(mm: Mm, addr: number): PmdP {
  const pmd = walk_alloc_pmd(mm, addr)
  return pmd === 0 || pte_alloc(mm, pmd) ? (0 as PmdP) : pmd
}

/**
 * The PMD entry of `addr` with the lock of its PTE table held, in vmf$ptl. 0: no memory, and no lock. Where a table is
 * missing, the lock is dropped while it is allocated (pte_alloc_map).
 */
export function walk_pmd_locked(mm: Mm, addr: number): PmdP {
  if (PTLOCK !== PTLOCK_MM) {
    const pmdp = walk_alloc_table(mm, addr)
    if (pmdp === 0) return pmdp
    this_cpu_write(vmf$pmd_value, READ_ONCE(pmdp))
    this_cpu_write(vmf$ptl, pte_table_lock(mm, READ_ONCE(pmdp) as Pmd, addr, addr + 1))
    return pmdp
  }
  const page_table_lock = (mm + mm$page_table_lock) as Spinlock
  spin_lock(page_table_lock)
  let pmd = mm_find_pmd(mm, addr)
  if (pmd === 0) {
    spin_unlock(page_table_lock)
    pmd = walk_alloc_table(mm, addr)
    if (pmd === 0) return pmd
    spin_lock(page_table_lock)
  }
  count_ptl_taken(page_table_lock)
  observe_table_locked(pmd_page(READ_ONCE(pmd) as Pmd), 0, PTRS_PER_TABLE, PTL_WRITE)
  this_cpu_write(vmf$pmd_value, READ_ONCE(pmd))
  this_cpu_write(vmf$ptl, page_table_lock)
  return pmd
}

/** The entry is none and its page is yet to be had, for which 2.6.10 drops the lock; 6.1 holds none. */
export function drop_first_lock(): void {
  if (FAULT_LOCKING === FAULT_LOCKING_2_6_10) vmf_pte_unlock()
}
