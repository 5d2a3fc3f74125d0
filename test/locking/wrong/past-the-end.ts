// Wrong: it has four locks and room for one, and deals out words of the object caches.
import {
  type Mm,
  mm$page_table_lock,
  type Page,
  page_to_pfn,
  type Pmd,
  pmd_page,
  type PmdP,
  PTLOCK_AREA,
  SINGLE_DEPTH_NESTING,
  type Spinlock,
  spin_lock,
  spin_lock_nested,
  spin_unlock,
} from 'mmtorture/kernel'

export const PTLOCK_WORDS = 16

export function ptlock_init(_page: Page): void {}

export function ptlock_free(_page: Page): void {}

export function pte_lockptr(_mm: Mm, pmd: Pmd): Spinlock {
  return (PTLOCK_AREA + (page_to_pfn(pmd_page(pmd)) % 4) * 16) as Spinlock
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
