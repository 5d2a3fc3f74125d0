// Wrong: the word of the lock's bit has a flag beside it that is set without an atomic operation, and without the lock.
import {
  bit_spin_lock,
  bit_spin_lock_init,
  bit_spin_unlock,
  LOCK_CLASS_ptlock,
  load,
  type Mm,
  type Page,
  page$ptl,
  type Pmd,
  pmd_page,
  SINGLE_DEPTH_NESTING,
  store,
} from 'mmtorture/kernel'

export { pmd_lockptr, ptlock_free } from './parts/base.ts'

export const PTLOCK_WORDS = 0

export const PTL_RANGE = 0

const PTL_BIT = 1
/** Somebody has wanted the table. */
const WANTED = 2

function table_word(pmd: Pmd): number {
  return pmd_page(pmd) + page$ptl
}

export function ptlock_init(page: Page): void {
  bit_spin_lock_init(page + page$ptl, LOCK_CLASS_ptlock)
}

export function ptl_lock(_mm: Mm, pmd: Pmd, _addr: number, _end: number, _mode: number): number {
  store(table_word(pmd), load(table_word(pmd)) | WANTED)
  bit_spin_lock(PTL_BIT, table_word(pmd), 0)
  return table_word(pmd)
}

export function ptl_unlock(_pmd: Pmd, _addr: number, _end: number, _mode: number, ptl: number): void {
  bit_spin_unlock(PTL_BIT, ptl)
}

export function ptl_is_contended(_mm: Mm, _pmd: Pmd, _addr: number, _end: number): boolean {
  return false
}

export function ptl_lock_pair(
  _first_mm: Mm,
  first: Pmd,
  _first_addr: number,
  _second_mm: Mm,
  second: Pmd,
  _second_addr: number,
  _npages: number,
): void {
  bit_spin_lock(PTL_BIT, table_word(first), 0)
  if (second !== first) bit_spin_lock(PTL_BIT, table_word(second), SINGLE_DEPTH_NESTING)
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
  if (second !== first) bit_spin_unlock(PTL_BIT, table_word(second))
  bit_spin_unlock(PTL_BIT, table_word(first))
}
