/**
 * Taking the entries of a PTE table where a design names one spinlock for it (pte_lockptr): the whole table is held,
 * for reading as for writing. A design whose locks are of another kind brings these functions itself.
 */
import { lock_pair, pte_lockptr, unlock_pair } from '#ptlock'
import type { Mm, Pmd, Spinlock } from '../../../arch/structs.ts'
import { check_ptlock, PTLOCK_BY_pte_lockptr } from '../../ptlock_bounds.ts'
import { count_ptl_taken } from '../../ptlock_area.ts'
import { spin_lock, spin_needbreak, spin_unlock } from '../../spinlock.ts'

export const PTL_RANGE = 0

export function ptl_lock(mm: Mm, pmd: Pmd, _addr: number, _end: number, _mode: number): number {
  const ptl = pte_lockptr(mm, pmd)
  check_ptlock(ptl, PTLOCK_BY_pte_lockptr)
  spin_lock(ptl)
  return ptl
}

export function ptl_unlock(_pmd: Pmd, _addr: number, _end: number, _mode: number, ptl: number): void {
  spin_unlock(ptl as Spinlock)
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
  check_ptlock(first_ptl, PTLOCK_BY_pte_lockptr)
  check_ptlock(second_ptl, PTLOCK_BY_pte_lockptr)
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
