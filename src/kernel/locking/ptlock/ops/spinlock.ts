/**
 * What taking a page-table lock is where a design names one spinlock for each table (pte_lockptr, pmd_lockptr): the
 * whole table is held, for reading as for writing, and there are no optimistic looks. Designs whose locks are of
 * another kind bring these functions themselves.
 */
import { lock_pair, pmd_lockptr, pte_lockptr, unlock_pair } from '#ptlock'
import type { Mm, Pmd, PmdP, Pte, PteP, PudP, Spinlock } from '../../../arch/structs.ts'
import { mm$page_table_lock } from '../../../arch/structs.ts'
import { count_ptl_taken } from '../../ptlock_area.ts'
import { spin_lock, spin_needbreak, spin_unlock } from '../../spinlock.ts'

export const PTL_RANGE = 0
export const PTL_OPTIMISTIC = 0

export function ptl_lock(mm: Mm, pmd: Pmd, _addr: number, _end: number, _mode: number): Spinlock {
  const ptl = pte_lockptr(mm, pmd)
  spin_lock(ptl)
  return ptl
}

export function ptl_unlock(_pmd: Pmd, _addr: number, _end: number, _mode: number, ptl: Spinlock): void {
  spin_unlock(ptl)
}

export function ptl_is_contended(mm: Mm, pmd: Pmd, _addr: number, _end: number): boolean {
  return spin_needbreak(pte_lockptr(mm, pmd))
}

export function ptl_lock_pair(
  first_mm: Mm,
  first: Pmd,
  _first_addr: number,
  second_mm: Mm,
  second: Pmd,
  _second_addr: number,
  _npages: number,
): void {
  const first_ptl = pte_lockptr(first_mm, first)
  const second_ptl = pte_lockptr(second_mm, second)
  lock_pair(first_ptl, second_ptl)
  count_ptl_taken(first_ptl)
  count_ptl_taken(second_ptl)
}

export function ptl_unlock_pair(
  first_mm: Mm,
  first: Pmd,
  _first_addr: number,
  second_mm: Mm,
  second: Pmd,
  _second_addr: number,
  _npages: number,
): void {
  unlock_pair(pte_lockptr(first_mm, first), pte_lockptr(second_mm, second))
}

export function ptl_lock_pmd(mm: Mm, pmdp: PmdP): Spinlock {
  const ptl = pmd_lockptr(mm, pmdp)
  spin_lock(ptl)
  return ptl
}

export function ptl_unlock_pmd(_pmdp: PmdP, ptl: Spinlock): void {
  spin_unlock(ptl)
}

/** As pud_lockptr of 6.1: the mm's, whatever the design has for the tables below. */
export function ptl_lock_pud(mm: Mm, _pudp: PudP): Spinlock {
  const ptl = (mm + mm$page_table_lock) as Spinlock
  spin_lock(ptl)
  return ptl
}

export function ptl_unlock_pud(_pudp: PudP, ptl: Spinlock): void {
  spin_unlock(ptl)
}

export function ptl_read_begin(_pmd: Pmd, _addr: number): number {
  return 0
}

export function ptl_read_retry(_pmd: Pmd, _addr: number, _seq: number, _ptep: PteP, _orig: Pte): boolean {
  return true
}
