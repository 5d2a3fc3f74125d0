// Two tables' spinlocks, in the order of copy_pte_range and move_ptes.
import {
  type Mm,
  type Pmd,
  SINGLE_DEPTH_NESTING,
  spin_lock,
  spin_lock_nested,
  spin_unlock,
} from 'mmtorture/kernel'
import { table_lock } from './table_lock.ts'

export function ptl_lock_pair(
  _first_mm: Mm,
  first: Pmd,
  _first_addr: number,
  _second_mm: Mm,
  second: Pmd,
  _second_addr: number,
  _npages: number,
): void {
  spin_lock(table_lock(first))
  if (second !== first) spin_lock_nested(table_lock(second), SINGLE_DEPTH_NESTING)
}

export function ptl_unlock_pair(
  _first_mm: Mm,
  first: Pmd,
  _first_addr: number,
  _second_mm: Mm,
  second: Pmd,
  _second_addr: number,
  _npages: number,
): void {
  if (second !== first) spin_unlock(table_lock(second))
  spin_unlock(table_lock(first))
}
