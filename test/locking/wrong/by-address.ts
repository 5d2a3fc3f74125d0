// Wrong: the lock goes by the address that was asked for, so two locks guard one table.
import { type Mm, type Page, type Pmd, PTLOCK_AREA, type Spinlock } from 'mmtorture/kernel'
import { SINGLE_DEPTH_NESTING, spin_lock, spin_lock_nested, spin_unlock } from 'mmtorture/kernel'

export { pmd_lockptr, ptlock_free } from './parts/base.ts'

const LOCKS = 16
const LINE = 16
export const PTLOCK_WORDS = LOCKS * LINE
export const PTL_RANGE = 0

function address_lock(addr: number): Spinlock {
  return (PTLOCK_AREA + (addr % LOCKS) * LINE) as Spinlock
}

export function ptlock_init(_page: Page): void {}

export function ptl_lock(_mm: Mm, _pmd: Pmd, addr: number, _end: number, _mode: number): number {
  spin_lock(address_lock(addr))
  return address_lock(addr)
}

export function ptl_unlock(_pmd: Pmd, _addr: number, _end: number, _mode: number, ptl: number): void {
  spin_unlock(ptl as Spinlock)
}

export function ptl_is_contended(_mm: Mm, _pmd: Pmd, _addr: number, _end: number): boolean {
  return false
}

export function ptl_lock_pair(
  _first_mm: Mm,
  _first: Pmd,
  first_addr: number,
  _second_mm: Mm,
  _second: Pmd,
  second_addr: number,
  _npages: number,
): void {
  const low = Math.min(address_lock(first_addr), address_lock(second_addr))
  const high = Math.max(address_lock(first_addr), address_lock(second_addr))
  spin_lock(low as Spinlock)
  if (high !== low) spin_lock_nested(high as Spinlock, SINGLE_DEPTH_NESTING)
}

export function ptl_unlock_pair(
  _first_mm: Mm,
  _first: Pmd,
  first_addr: number,
  _second_mm: Mm,
  _second: Pmd,
  second_addr: number,
  _npages: number,
): void {
  if (first_addr % LOCKS !== second_addr % LOCKS) spin_unlock(address_lock(second_addr))
  spin_unlock(address_lock(first_addr))
}
