/**
 * Whether what a user's page-table-lock design names is a lock that it may have: in its own words at PTLOCK_AREA, in
 * the room that the struct page of a table has for one, or mm$page_table_lock. Built only for users' designs
 * (PTLOCK_USER); the kernel trusts its own.
 */
import { NR_PAGES, PTLOCK_USER } from '#config'
import { PTLOCK_WORDS } from '#ptlock'
import { load } from '../arch/access.ts'
import { BUG_PTLOCK } from '../arch/bug.ts'
import { NR_MMS } from '../arch/limits.ts'
import { machine_bug } from '../arch/machine.ts'
import { MEMMAP, MMS, PTLOCK_AREA } from '../arch/memory_map.ts'
import {
  MM_WORDS,
  mm$page_table_lock,
  PAGE_PTL_WORDS,
  PAGE_WORDS,
  page$flags,
  page$ptl,
  PG_table,
} from '../arch/structs.ts'

/** Which function of the design has named the lock. */
export const PTLOCK_BY_pte_lockptr = 0
export const PTLOCK_BY_pmd_lockptr = 1
export const PTLOCK_BY_ptl_lock = 2
export const PTLOCK_BY_ptl_lock_pmd = 3
export const PTLOCK_BY_ptl_lock_pud = 4

function is_ptlock(lock: number): boolean {
  if (lock >= PTLOCK_AREA && lock < PTLOCK_AREA + PTLOCK_WORDS) return true
  if (lock >= MMS && lock < MMS + NR_MMS * MM_WORDS) return (lock - MMS) % MM_WORDS === mm$page_table_lock
  if (lock < MEMMAP || lock >= MEMMAP + NR_PAGES * PAGE_WORDS) return false
  const field = (lock - MEMMAP) % PAGE_WORDS
  if (field < page$ptl || field >= page$ptl + PAGE_PTL_WORDS) return false
  return (load(lock - field + page$flags) & PG_table) !== 0
}

/** BUG if the lock at `lock`, named by the function `by` (a PTLOCK_BY_ constant), is not the design's to take. */
export function check_ptlock(lock: number, by: number): void {
  if (PTLOCK_USER && !is_ptlock(lock)) machine_bug(BUG_PTLOCK, lock, by)
}
