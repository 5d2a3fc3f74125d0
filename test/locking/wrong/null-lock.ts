// Wrong: on every CPU but the first it names NULL.
import {
  LOCK_CLASS_ptlock,
  type Mm,
  mm$page_table_lock,
  type Page,
  page$ptl,
  type Pmd,
  pmd_page,
  type PmdP,
  SINGLE_DEPTH_NESTING,
  smp_processor_id,
  type Spinlock,
  spin_lock,
  spin_lock_init,
  spin_lock_nested,
  spin_unlock,
} from 'mmtorture/kernel'

export const PTLOCK_WORDS = 0

export function ptlock_init(page: Page): void {
  spin_lock_init((page + page$ptl) as Spinlock, LOCK_CLASS_ptlock)
}

export function ptlock_free(_page: Page): void {}

export function pte_lockptr(_mm: Mm, pmd: Pmd): Spinlock {
  return (smp_processor_id() === 0 ? pmd_page(pmd) + page$ptl : 0) as Spinlock
}

export function pmd_lockptr(mm: Mm, _pmdp: PmdP): Spinlock {
  return (mm + mm$page_table_lock) as Spinlock
}

export function lock_pair(first: Spinlock, second: Spinlock): void {
  spin_lock(first)
  if (first !== second) spin_lock_nested(second, SINGLE_DEPTH_NESTING)
}

export function unlock_pair(first: Spinlock, second: Spinlock): void {
  if (first !== second) spin_unlock(second)
  spin_unlock(first)
}
