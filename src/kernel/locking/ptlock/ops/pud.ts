/** Taking the entry of a PUD table: as pud_lockptr of 6.1 the mm's lock, where a design does not bring another. */
import type { Mm, PudP, Spinlock } from '../../../arch/structs.ts'
import { mm$page_table_lock } from '../../../arch/structs.ts'
import { spin_lock, spin_unlock } from '../../spinlock.ts'

export function ptl_lock_pud(mm: Mm, _pudp: PudP): number {
  const ptl = (mm + mm$page_table_lock) as Spinlock
  spin_lock(ptl)
  return ptl
}

export function ptl_unlock_pud(_pudp: PudP, ptl: number): void {
  spin_unlock(ptl as Spinlock)
}
