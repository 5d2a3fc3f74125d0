/**
 * PTLOCK=hashed: PTLOCK_HASH machine-wide locks, chosen by the table's address; the mm's lock for the tables above the
 * PMD. Not Linux's for page tables, but what it does for pages' wait queues: memory bounded, strangers may share a
 * lock.
 *
 * Two tables of one mm or of two can have the same lock, and two pairs the same two locks in either order: so pairs are
 * taken in address order, and a lock that both have is taken once.
 */
import { PGTABLE_LEVELS, PTLOCK_HASH } from '#config'
import { PTLOCK_AREA } from '../../arch/memory_map.ts'
import { pgtable_page, pmd_page } from '../../arch/pgtable.ts'
import {
  mm$page_table_lock,
  type Mm,
  type Page,
  type Pmd,
  type PmdP,
  type Spinlock,
} from '../../arch/structs.ts'
import { SINGLE_DEPTH_NESTING } from '../lock_class.ts'
import { spin_lock, spin_lock_nested, spin_unlock } from '../spinlock.ts'

/** A line for each lock: neighbours are not to share one. */
const PTLOCK_LINE = 16
export const PTLOCK_WORDS = PTLOCK_HASH * PTLOCK_LINE

export function ptlock_init(_page: Page): void {}

export function ptlock_free(_page: Page): void {}

function hashed_lock(page: Page): Spinlock {
  // Fibonacci hashing (hash_32, include/linux/hash.h): pages of tables come in runs.
  const hash = Math.imul(page >>> 4, 0x61c88647) >>> 16
  return (PTLOCK_AREA + (hash & (PTLOCK_HASH - 1)) * PTLOCK_LINE) as Spinlock
}

/** The lock of the entries of the PTE table that the PMD value `pmd` points to. */
export function pte_lockptr(_mm: Mm, pmd: Pmd): Spinlock {
  return hashed_lock(pmd_page(pmd))
}

/** The lock of the entry at `pmdp`: that of the table it lies in. */
export function pmd_lockptr(mm: Mm, pmdp: PmdP): Spinlock {
  if (PGTABLE_LEVELS === 2) return (mm + mm$page_table_lock) as Spinlock
  return hashed_lock(pgtable_page(pmdp))
}

/** Takes both locks in address order; equal ones once. */
export function lock_pair(first: Spinlock, second: Spinlock): void {
  if (first === second) spin_lock(first)
  else {
    spin_lock(first < second ? first : second)
    spin_lock_nested(first < second ? second : first, SINGLE_DEPTH_NESTING)
  }
}

export function unlock_pair(first: Spinlock, second: Spinlock): void {
  if (second !== first) spin_unlock(second)
  spin_unlock(first)
}
