/**
 * PTLOCK=range: a spinlock for each PTLOCK_RANGE entries of a PTE table, on a line of its own; the mm's lock for the
 * tables above. A fault takes the lock of its entry alone; what walks many entries takes all locks that they lie under,
 * from low addresses to high. Not Linux's: what a split below the table would cost and bring.
 *
 * lockdep has eight subclasses, and a walk may need more: of the locks taken at once the first stands for all in the
 * list of held locks and in the statistics.
 */
import { NR_PAGES, PTLOCK_RANGE, PTRS_PER_TABLE } from '#config'
import { arch_spin_is_contended, arch_spin_lock, arch_spin_unlock } from '#spinlock'
import { PTLOCK_AREA } from '../../arch/memory_map.ts'
import { page_to_pfn, pmd_page } from '../../arch/pgtable.ts'
import type { Mm, Page, Pmd, PmdP, Spinlock } from '../../arch/structs.ts'
import { mm$page_table_lock } from '../../arch/structs.ts'
import { LOCK_CLASS_ptlock, SINGLE_DEPTH_NESTING } from '../lock_class.ts'
import { spin_lock_init, spin_lock_nested, spin_unlock } from '../spinlock.ts'

export const PTL_RANGE = 1

/** Words from one lock to the next: a line each. */
const LINE = 16
/** Entries of a table that a lock serves: PTLOCK_RANGE, but at most half of a table. */
const ENTRIES = PTLOCK_RANGE < PTRS_PER_TABLE >> 1 ? PTLOCK_RANGE : PTRS_PER_TABLE >> 1
const LOCKS_PER_TABLE = PTRS_PER_TABLE / ENTRIES
const TABLE_WORDS = LOCKS_PER_TABLE * LINE
export const PTLOCK_WORDS = NR_PAGES * TABLE_WORDS

function table_locks(page: Page): number {
  return PTLOCK_AREA + page_to_pfn(page) * TABLE_WORDS
}

/** The lock over the entry of page `addr`. */
function range_lock(pmd: Pmd, addr: number): Spinlock {
  const range = Math.floor((addr & (PTRS_PER_TABLE - 1)) / ENTRIES)
  return (table_locks(pmd_page(pmd)) + range * LINE) as Spinlock
}

export function ptlock_init(page: Page): void {
  const locks = table_locks(page)
  for (let lock = locks; lock < locks + TABLE_WORDS; lock += LINE)
    spin_lock_init(lock as Spinlock, LOCK_CLASS_ptlock)
}

export function ptlock_free(_page: Page): void {}

/** Takes the locks from `first` to `last`; `subclass` of the first as in spin_lock_nested. */
function lock_ranges(first: Spinlock, last: Spinlock, subclass: number): void {
  spin_lock_nested(first, subclass)
  for (let lock = first + LINE; lock <= last; lock += LINE) arch_spin_lock(lock as Spinlock)
}

function unlock_ranges(first: Spinlock, last: Spinlock): void {
  for (let lock = last; lock > first; lock = (lock - LINE) as Spinlock) arch_spin_unlock(lock)
  spin_unlock(first)
}

export function ptl_lock(_mm: Mm, pmd: Pmd, addr: number, end: number, _mode: number): number {
  const first = range_lock(pmd, addr)
  lock_ranges(first, range_lock(pmd, end - 1), 0)
  return first
}

export function ptl_unlock(pmd: Pmd, addr: number, end: number, _mode: number, _ptl: number): void {
  unlock_ranges(range_lock(pmd, addr), range_lock(pmd, end - 1))
}

export function ptl_is_contended(_mm: Mm, pmd: Pmd, addr: number, end: number): boolean {
  const last = range_lock(pmd, end - 1)
  for (let lock = range_lock(pmd, addr); lock <= last; lock = (lock + LINE) as Spinlock)
    if (arch_spin_is_contended(lock)) return true
  return false
}

/**
 * Takes the locks of two walks, those at lower addresses first, and one that both need once: two CPUs may want the same
 * two.
 */
export function ptl_lock_pair(
  _first_mm: Mm,
  first: Pmd,
  first_addr: number,
  _second_mm: Mm,
  second: Pmd,
  second_addr: number,
  npages: number,
): void {
  const low = range_lock(first, first_addr)
  const high = range_lock(second, second_addr)
  const low_last = range_lock(first, first_addr + npages - 1)
  const high_last = range_lock(second, second_addr + npages - 1)
  if (low <= high) lock_two_ranges(low, low_last, high, high_last)
  else lock_two_ranges(high, high_last, low, low_last)
}

function lock_two_ranges(low: Spinlock, low_last: Spinlock, high: Spinlock, high_last: Spinlock): void {
  if (high <= low_last) lock_ranges(low, Math.max(low_last, high_last) as Spinlock, 0)
  else {
    lock_ranges(low, low_last, 0)
    lock_ranges(high, high_last, SINGLE_DEPTH_NESTING)
  }
}

export function ptl_unlock_pair(
  _first_mm: Mm,
  first: Pmd,
  first_addr: number,
  _second_mm: Mm,
  second: Pmd,
  second_addr: number,
  npages: number,
): void {
  const low = range_lock(first, first_addr)
  const high = range_lock(second, second_addr)
  const low_last = range_lock(first, first_addr + npages - 1)
  const high_last = range_lock(second, second_addr + npages - 1)
  if (low <= high) unlock_two_ranges(low, low_last, high, high_last)
  else unlock_two_ranges(high, high_last, low, low_last)
}

function unlock_two_ranges(low: Spinlock, low_last: Spinlock, high: Spinlock, high_last: Spinlock): void {
  if (high <= low_last) unlock_ranges(low, Math.max(low_last, high_last) as Spinlock)
  else {
    unlock_ranges(high, high_last)
    unlock_ranges(low, low_last)
  }
}

export function pmd_lockptr(mm: Mm, _pmdp: PmdP): Spinlock {
  return (mm + mm$page_table_lock) as Spinlock
}
