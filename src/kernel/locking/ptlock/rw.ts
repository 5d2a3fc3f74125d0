/**
 * PTLOCK=rw: a queued rwlock for each PTE table and each PMD table, in its struct page; the mm's spinlock for the
 * tables above. Who only looks at an entry shares the lock (lookups of get_user_pages, the wait for a migration entry,
 * MADV_WILLNEED); who changes one has it alone. Not Linux's: there even lookups take the spinlock. Fault-around
 * installs entries, so it is a writer.
 */
import { PGTABLE_LEVELS } from '#config'
import { pgtable_page, pmd_page } from '../../arch/pgtable.ts'
import type { Mm, Page, Pmd, PmdP, Rwlock, Spinlock } from '../../arch/structs.ts'
import { mm$page_table_lock, page$ptl } from '../../arch/structs.ts'
import { LOCK_CLASS_ptlock_R, LOCK_CLASS_ptlock_W, SINGLE_DEPTH_NESTING } from '../lock_class.ts'
import { PTL_READ } from '../ptl_mode.ts'
import {
  read_lock,
  read_unlock,
  rwlock_init,
  write_is_contended,
  write_lock,
  write_lock_nested,
  write_unlock,
} from '../rwlock.ts'
import { spin_lock, spin_unlock } from '../spinlock.ts'

export const PTLOCK_WORDS = 0
export const PTL_RANGE = 0

function table_rwlock(page: Page): Rwlock {
  return (page + page$ptl) as Rwlock
}

export function ptlock_init(page: Page): void {
  rwlock_init(table_rwlock(page), LOCK_CLASS_ptlock_R, LOCK_CLASS_ptlock_W)
}

export function ptlock_free(_page: Page): void {}

export function ptl_lock(_mm: Mm, pmd: Pmd, _addr: number, _end: number, mode: number): number {
  const lock = table_rwlock(pmd_page(pmd))
  if (mode === PTL_READ) read_lock(lock)
  else write_lock(lock)
  return lock
}

export function ptl_unlock(_pmd: Pmd, _addr: number, _end: number, mode: number, ptl: number): void {
  if (mode === PTL_READ) read_unlock(ptl as Rwlock)
  else write_unlock(ptl as Rwlock)
}

export function ptl_is_contended(_mm: Mm, pmd: Pmd, _addr: number, _end: number): boolean {
  return write_is_contended(table_rwlock(pmd_page(pmd)))
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
  write_lock(table_rwlock(pmd_page(first)))
  if (second !== first) write_lock_nested(table_rwlock(pmd_page(second)), SINGLE_DEPTH_NESTING)
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
  if (second !== first) write_unlock(table_rwlock(pmd_page(second)))
  write_unlock(table_rwlock(pmd_page(first)))
}

/** With two levels the PMD is folded into the top table, which has the mm's lock. */
export function ptl_lock_pmd(mm: Mm, pmdp: PmdP): number {
  if (PGTABLE_LEVELS === 2) {
    spin_lock((mm + mm$page_table_lock) as Spinlock)
    return mm + mm$page_table_lock
  }
  const lock = table_rwlock(pgtable_page(pmdp))
  write_lock(lock)
  return lock
}

export function ptl_unlock_pmd(_pmdp: PmdP, ptl: number): void {
  if (PGTABLE_LEVELS === 2) spin_unlock(ptl as Spinlock)
  else write_unlock(ptl as Rwlock)
}
