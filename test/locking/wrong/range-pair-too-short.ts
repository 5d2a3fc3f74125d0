// Wrong: two locks a table, one for each half; a pair takes the half in which the walk begins, and not the one in which
// it ends.
import {
  LOCK_CLASS_ptlock,
  LOCK_WORDS,
  type Mm,
  type Page,
  page$ptl,
  type Pmd,
  pmd_page,
  PTRS_PER_TABLE,
  SINGLE_DEPTH_NESTING,
  type Spinlock,
  spin_is_contended,
  spin_lock,
  spin_lock_init,
  spin_lock_nested,
  spin_unlock,
} from 'mmtorture/kernel'

export { pmd_lockptr, ptlock_free } from './parts/base.ts'

export const PTLOCK_WORDS = 0

export const PTL_RANGE = 1

function half_lock(pmd: Pmd, addr: number): Spinlock {
  const half = (addr & (PTRS_PER_TABLE - 1)) < PTRS_PER_TABLE / 2 ? 0 : 1
  return (pmd_page(pmd) + page$ptl + half * LOCK_WORDS) as Spinlock
}

export function ptlock_init(page: Page): void {
  spin_lock_init((page + page$ptl) as Spinlock, LOCK_CLASS_ptlock)
  spin_lock_init((page + page$ptl + LOCK_WORDS) as Spinlock, LOCK_CLASS_ptlock)
}

export function ptl_lock(_mm: Mm, pmd: Pmd, addr: number, end: number, _mode: number): number {
  const first = half_lock(pmd, addr)
  const last = half_lock(pmd, end - 1)
  spin_lock(first)
  if (last !== first) spin_lock_nested(last, SINGLE_DEPTH_NESTING)
  return first
}

export function ptl_unlock(pmd: Pmd, addr: number, end: number, _mode: number, _ptl: number): void {
  const first = half_lock(pmd, addr)
  const last = half_lock(pmd, end - 1)
  if (last !== first) spin_unlock(last)
  spin_unlock(first)
}

export function ptl_is_contended(_mm: Mm, pmd: Pmd, addr: number, _end: number): boolean {
  return spin_is_contended(half_lock(pmd, addr))
}

export function ptl_lock_pair(
  _first_mm: Mm,
  first: Pmd,
  first_addr: number,
  _second_mm: Mm,
  second: Pmd,
  second_addr: number,
  _npages: number,
): void {
  const one = half_lock(first, first_addr)
  const other = half_lock(second, second_addr)
  spin_lock(one < other ? one : other)
  if (one !== other) spin_lock_nested(one < other ? other : one, SINGLE_DEPTH_NESTING)
}

export function ptl_unlock_pair(
  _first_mm: Mm,
  first: Pmd,
  first_addr: number,
  _second_mm: Mm,
  second: Pmd,
  second_addr: number,
  _npages: number,
): void {
  const one = half_lock(first, first_addr)
  const other = half_lock(second, second_addr)
  if (one !== other) spin_unlock(other)
  spin_unlock(one)
}
