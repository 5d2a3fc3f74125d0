/**
 * Taking the entry of a PMD table where a design names a spinlock for it (pmd_lockptr). A design whose locks are of
 * another kind brings these functions itself.
 */
import { pmd_lockptr } from '#ptlock'
import type { Mm, PmdP, Spinlock } from '../../../arch/structs.ts'
import { check_ptlock, PTLOCK_BY_pmd_lockptr } from '../../ptlock_bounds.ts'
import { spin_lock, spin_unlock } from '../../spinlock.ts'

export function ptl_lock_pmd(mm: Mm, pmdp: PmdP): number {
  const ptl = pmd_lockptr(mm, pmdp)
  check_ptlock(ptl, PTLOCK_BY_pmd_lockptr)
  spin_lock(ptl)
  return ptl
}

export function ptl_unlock_pmd(_pmdp: PmdP, ptl: number): void {
  spin_unlock(ptl as Spinlock)
}
