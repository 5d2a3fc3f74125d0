// Wrong: two locks for the whole machine; where the first mm lies below the second a pair is taken in the order of
// addresses, else as it comes. The annotation keeps lockdep from saying so.
import {
  type Mm,
  type Page,
  page_to_pfn,
  type Pmd,
  pmd_page,
  PTLOCK_AREA,
  SINGLE_DEPTH_NESTING,
  type Spinlock,
  spin_lock,
  spin_lock_nested,
  spin_needbreak,
  spin_unlock,
} from 'mmtorture/kernel'

export { pmd_lockptr, ptlock_free } from './parts/base.ts'

const LOCKS = 2
const LINE = 16
export const PTLOCK_WORDS = LOCKS * LINE
export const PTL_RANGE = 0

function stripe(pmd: Pmd): Spinlock {
  return (PTLOCK_AREA + (page_to_pfn(pmd_page(pmd)) % LOCKS) * LINE) as Spinlock
}

export function ptlock_init(_page: Page): void {}

export function ptl_lock(_mm: Mm, pmd: Pmd, _addr: number, _end: number, _mode: number): number {
  spin_lock(stripe(pmd))
  return stripe(pmd)
}

export function ptl_unlock(_pmd: Pmd, _addr: number, _end: number, _mode: number, ptl: number): void {
  spin_unlock(ptl as Spinlock)
}

export function ptl_is_contended(_mm: Mm, pmd: Pmd, _addr: number, _end: number): boolean {
  return spin_needbreak(stripe(pmd))
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
  const swap = first_mm < second_mm && stripe(second) < stripe(first)
  spin_lock(stripe(swap ? second : first))
  if (stripe(first) !== stripe(second)) spin_lock_nested(stripe(swap ? first : second), SINGLE_DEPTH_NESTING)
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
  if (stripe(first) !== stripe(second)) spin_unlock(stripe(second))
  spin_unlock(stripe(first))
}
