/**
 * Taking the lock of a page table: the one way from the fault paths to the page-table-lock design (pte_offset_map_lock
 * and pmd_lock of include/linux/mm.h, 6.1). Says which table is meant, so that a design that returns the wrong lock is
 * noticed.
 */
import { lock_pair, pmd_lockptr, pte_lockptr, unlock_pair } from '#ptlock'
import { observe_table_locked, observe_table_unlocked } from '../arch/observe.ts'
import { pgtable_page, pmd_page } from '../arch/pgtable.ts'
import type { Mm, Pmd, PmdP, Spinlock } from '../arch/structs.ts'
import { mm$page_table_lock } from '../arch/structs.ts'
import { count_ptl_taken } from '../locking/ptlock_area.ts'
import { spin_lock, spin_unlock } from '../locking/spinlock.ts'

/** Takes the lock of the PTE table that the PMD value `pmd` points to; returns it. */
export function pte_table_lock(mm: Mm, pmd: Pmd): Spinlock {
  const ptl = pte_lockptr(mm, pmd)
  spin_lock(ptl)
  count_ptl_taken(ptl)
  observe_table_locked(pmd_page(pmd))
  return ptl
}

export function pte_table_unlock(pmd: Pmd, ptl: Spinlock): void {
  observe_table_unlocked(pmd_page(pmd))
  spin_unlock(ptl)
}

/** Takes the locks of two PTE tables, in the order or once, as the design wants it. */
export function pte_table_lock_pair(first_mm: Mm, first: Pmd, second_mm: Mm, second: Pmd): void {
  const first_ptl = pte_lockptr(first_mm, first)
  const second_ptl = pte_lockptr(second_mm, second)
  lock_pair(first_ptl, second_ptl)
  count_ptl_taken(first_ptl)
  count_ptl_taken(second_ptl)
  observe_table_locked(pmd_page(first))
  if (second !== first) observe_table_locked(pmd_page(second))
}

export function pte_table_unlock_pair(first_mm: Mm, first: Pmd, second_mm: Mm, second: Pmd): void {
  if (second !== first) observe_table_unlocked(pmd_page(second))
  observe_table_unlocked(pmd_page(first))
  unlock_pair(pte_lockptr(first_mm, first), pte_lockptr(second_mm, second))
}

/** Takes the lock of the table that holds the PMD entry at `pmdp`; returns it (pmd_lock). */
export function pmd_lock(mm: Mm, pmdp: PmdP): Spinlock {
  const ptl = pmd_lockptr(mm, pmdp)
  spin_lock(ptl)
  count_ptl_taken(ptl)
  observe_table_locked(pgtable_page(pmdp))
  return ptl
}

/** Takes the lock of an upper table, of the entry at `entry` (pud_lock and the levels above): the mm's. */
export function upper_table_lock(mm: Mm, entry: number): Spinlock {
  const ptl = (mm + mm$page_table_lock) as Spinlock
  spin_lock(ptl)
  observe_table_locked(pgtable_page(entry))
  return ptl
}

/** Drops the lock that pmd_lock or upper_table_lock took for the table that holds `entry`. */
export function table_unlock(entry: number, ptl: Spinlock): void {
  observe_table_unlocked(pgtable_page(entry))
  spin_unlock(ptl)
}
