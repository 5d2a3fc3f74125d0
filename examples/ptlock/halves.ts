// A page-table-lock design that takes its locks itself: two spinlocks for each PTE table, one for each half of its
// entries. A fault takes one of them; what walks over both halves takes both, the lower first.
import {
  LOCK_CLASS_ptlock,
  LOCK_WORDS,
  type Mm,
  mm$page_table_lock,
  type Page,
  page$ptl,
  type Pmd,
  pmd_page,
  type PmdP,
  PTRS_PER_TABLE,
  SINGLE_DEPTH_NESTING,
  type Spinlock,
  spin_lock_init,
  spin_lock_nested,
  spin_needbreak,
  spin_unlock,
} from 'mmtorture/kernel'

/** Nothing beyond the room in the struct page of a table. */
export const PTLOCK_WORDS = 0
/** A lock covers the entries that were asked for, not the whole table. */
export const PTL_RANGE = 1

/** Subclass of the locks of a second table. */
const OTHER_TABLE = 2

/** The lock over the entry of page `addr`. */
function half_lock(pmd: Pmd, addr: number): Spinlock {
  const half = (addr & (PTRS_PER_TABLE - 1)) < PTRS_PER_TABLE / 2 ? 0 : 1
  return (pmd_page(pmd) + page$ptl + half * LOCK_WORDS) as Spinlock
}

export function ptlock_init(page: Page): void {
  spin_lock_init((page + page$ptl) as Spinlock, LOCK_CLASS_ptlock)
  spin_lock_init((page + page$ptl + LOCK_WORDS) as Spinlock, LOCK_CLASS_ptlock)
}

export function ptlock_free(_page: Page): void {}

/** Takes `first` and, if it is another, `last`; `subclass` tells lockdep how many of the class are held already. */
function lock_halves(first: Spinlock, last: Spinlock, subclass: number): void {
  spin_lock_nested(first, subclass)
  if (last !== first) spin_lock_nested(last, subclass + SINGLE_DEPTH_NESTING)
}

function unlock_halves(first: Spinlock, last: Spinlock): void {
  if (last !== first) spin_unlock(last)
  spin_unlock(first)
}

export function ptl_lock(_mm: Mm, pmd: Pmd, addr: number, end: number, _mode: number): number {
  lock_halves(half_lock(pmd, addr), half_lock(pmd, end - 1), 0)
  return half_lock(pmd, addr)
}

export function ptl_unlock(pmd: Pmd, addr: number, end: number, _mode: number, _ptl: number): void {
  unlock_halves(half_lock(pmd, addr), half_lock(pmd, end - 1))
}

export function ptl_is_contended(_mm: Mm, pmd: Pmd, addr: number, end: number): boolean {
  return spin_needbreak(half_lock(pmd, addr)) || spin_needbreak(half_lock(pmd, end - 1))
}

/** Of two tables that with the lower address first; of one table its locks in their order, each once. */
export function ptl_lock_pair(
  _first_mm: Mm,
  first: Pmd,
  first_addr: number,
  _second_mm: Mm,
  second: Pmd,
  second_addr: number,
  npages: number,
): void {
  const low = Math.min(half_lock(first, first_addr), half_lock(second, second_addr)) as Spinlock
  const first_last = half_lock(first, first_addr + npages - 1)
  const second_last = half_lock(second, second_addr + npages - 1)
  if (first === second) lock_halves(low, Math.max(first_last, second_last) as Spinlock, 0)
  else if (first < second) {
    lock_halves(half_lock(first, first_addr), first_last, 0)
    lock_halves(half_lock(second, second_addr), second_last, OTHER_TABLE)
  } else {
    lock_halves(half_lock(second, second_addr), second_last, 0)
    lock_halves(half_lock(first, first_addr), first_last, OTHER_TABLE)
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
  const low = Math.min(half_lock(first, first_addr), half_lock(second, second_addr)) as Spinlock
  const first_last = half_lock(first, first_addr + npages - 1)
  const second_last = half_lock(second, second_addr + npages - 1)
  if (first === second) unlock_halves(low, Math.max(first_last, second_last) as Spinlock)
  else {
    unlock_halves(half_lock(first, first_addr), first_last)
    unlock_halves(half_lock(second, second_addr), second_last)
  }
}

/** The mm's lock for the tables above. */
export function pmd_lockptr(mm: Mm, _pmdp: PmdP): Spinlock {
  return (mm + mm$page_table_lock) as Spinlock
}
