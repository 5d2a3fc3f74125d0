// Wrong: when tables were made while it waited it tries anew, and forgets that it has the lock.
import {
  atomic_fetch_add,
  LOCK_CLASS_ptlock,
  type Mm,
  type Page,
  page$ptl,
  type Pmd,
  PTLOCK_AREA,
  READ_ONCE,
  type Spinlock,
  spin_lock,
  spin_lock_init,
  spin_unlock,
} from 'mmtorture/kernel'
import { table_lock } from './parts/table_lock.ts'

export { ptl_lock_pair, ptl_unlock_pair } from './parts/pair.ts'
export { pmd_lockptr, ptlock_free } from './parts/base.ts'
export { ptl_is_contended } from './parts/contended.ts'

/** Counts the tables that were made. */
export const PTLOCK_WORDS = 16
export const PTL_RANGE = 0

export function ptlock_init(page: Page): void {
  spin_lock_init((page + page$ptl) as Spinlock, LOCK_CLASS_ptlock)
  atomic_fetch_add(PTLOCK_AREA, 1)
}

export function ptl_lock(_mm: Mm, pmd: Pmd, _addr: number, _end: number, _mode: number): number {
  for (;;) {
    const tables = READ_ONCE(PTLOCK_AREA)
    spin_lock(table_lock(pmd))
    if (READ_ONCE(PTLOCK_AREA) === tables) return table_lock(pmd)
  }
}

export function ptl_unlock(_pmd: Pmd, _addr: number, _end: number, _mode: number, ptl: number): void {
  spin_unlock(ptl as Spinlock)
}
