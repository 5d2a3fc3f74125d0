/**
 * PTLOCK=bit: a bit spinlock for each PTE table, in a word of its struct page of its own; the mm's lock for the tables
 * above. Four bytes less than a spinlock with a queue, and no order among those who wait. Not Linux's for page tables,
 * but what it does where a lock must be small (zsmalloc, the buckets of the dentry hash).
 */
import { pmd_page } from '../../arch/pgtable.ts'
import type { Mm, Page, Pmd, PmdP, Spinlock } from '../../arch/structs.ts'
import { mm$page_table_lock, page$ptl } from '../../arch/structs.ts'
import { bit_spin_lock, bit_spin_lock_init, bit_spin_unlock } from '../bit_spinlock.ts'
import { LOCK_CLASS_ptlock, SINGLE_DEPTH_NESTING } from '../lock_class.ts'

export const PTLOCK_WORDS = 0
export const PTL_RANGE = 0

const PTL_BIT = 1

function table_word(pmd: Pmd): number {
  return pmd_page(pmd) + page$ptl
}

export function ptlock_init(page: Page): void {
  bit_spin_lock_init(page + page$ptl, LOCK_CLASS_ptlock)
}

export function ptlock_free(_page: Page): void {}

export function ptl_lock(_mm: Mm, pmd: Pmd, _addr: number, _end: number, _mode: number): number {
  bit_spin_lock(PTL_BIT, table_word(pmd), 0)
  return table_word(pmd)
}

export function ptl_unlock(_pmd: Pmd, _addr: number, _end: number, _mode: number, ptl: number): void {
  bit_spin_unlock(PTL_BIT, ptl)
}

/** A bit does not say that somebody waits. */
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

export function pmd_lockptr(mm: Mm, _pmdp: PmdP): Spinlock {
  return (mm + mm$page_table_lock) as Spinlock
}
