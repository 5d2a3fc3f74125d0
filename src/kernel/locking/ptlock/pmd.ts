/**
 * PTLOCK=pmd, the default: a lock for each PTE table and each PMD table, in its struct page; the mm's for the tables
 * above (Linux since 3.13). With two levels the PMD is folded into the top table, which has the mm's lock.
 */
import { PGTABLE_LEVELS } from '#config'
import { pgtable_page, pmd_page } from '../../arch/pgtable.ts'
import {
  mm$page_table_lock,
  page$ptl,
  type Mm,
  type Page,
  type Pmd,
  type PmdP,
  type Spinlock,
} from '../../arch/structs.ts'
import { LOCK_CLASS_ptlock, SINGLE_DEPTH_NESTING } from '../lock_class.ts'
import { spin_lock, spin_lock_init, spin_lock_nested, spin_unlock } from '../spinlock.ts'

export const PTLOCK_WORDS = 0

export function ptlock_init(page: Page): void {
  spin_lock_init((page + page$ptl) as Spinlock, LOCK_CLASS_ptlock)
}

export function ptlock_free(_page: Page): void {}

/** The lock of the entries of the PTE table that the PMD value `pmd` points to. */
export function pte_lockptr(_mm: Mm, pmd: Pmd): Spinlock {
  return (pmd_page(pmd) + page$ptl) as Spinlock
}

/** The lock of the entry at `pmdp`: that of the table it lies in. */
export function pmd_lockptr(mm: Mm, pmdp: PmdP): Spinlock {
  if (PGTABLE_LEVELS === 2) return (mm + mm$page_table_lock) as Spinlock
  return (pgtable_page(pmdp) + page$ptl) as Spinlock
}

/** Takes both locks, the second nested in the first as in copy_pte_range and move_ptes; equal ones once. */
export function lock_pair(first: Spinlock, second: Spinlock): void {
  spin_lock(first)
  if (second !== first) spin_lock_nested(second, SINGLE_DEPTH_NESTING)
}

export function unlock_pair(first: Spinlock, second: Spinlock): void {
  if (second !== first) spin_unlock(second)
  spin_unlock(first)
}
