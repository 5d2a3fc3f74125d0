// Wrong: whoever wants one entry alone shares the lock, those too who change it (the young bit, a fault).
import {
  LOCK_CLASS_ptlock_R,
  LOCK_CLASS_ptlock_W,
  type Mm,
  type Page,
  page$ptl,
  type Pmd,
  pmd_page,
  read_lock,
  read_unlock,
  type Rwlock,
  rwlock_init,
  SINGLE_DEPTH_NESTING,
  write_is_contended,
  write_lock,
  write_lock_nested,
  write_unlock,
} from 'mmtorture/kernel'

export { pmd_lockptr, ptlock_free } from './parts/base.ts'

export const PTLOCK_WORDS = 0

export const PTL_RANGE = 0

function table_rwlock(pmd: Pmd): Rwlock {
  return (pmd_page(pmd) + page$ptl) as Rwlock
}

export function ptlock_init(page: Page): void {
  rwlock_init((page + page$ptl) as Rwlock, LOCK_CLASS_ptlock_R, LOCK_CLASS_ptlock_W)
}

export function ptl_lock(_mm: Mm, pmd: Pmd, addr: number, end: number, _mode: number): number {
  if (end - addr === 1) read_lock(table_rwlock(pmd))
  else write_lock(table_rwlock(pmd))
  return table_rwlock(pmd)
}

export function ptl_unlock(_pmd: Pmd, addr: number, end: number, _mode: number, ptl: number): void {
  if (end - addr === 1) read_unlock(ptl as Rwlock)
  else write_unlock(ptl as Rwlock)
}

export function ptl_is_contended(_mm: Mm, pmd: Pmd, _addr: number, _end: number): boolean {
  return write_is_contended(table_rwlock(pmd))
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
  write_lock(table_rwlock(first))
  if (second !== first) write_lock_nested(table_rwlock(second), SINGLE_DEPTH_NESTING)
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
  if (second !== first) write_unlock(table_rwlock(second))
  write_unlock(table_rwlock(first))
}
