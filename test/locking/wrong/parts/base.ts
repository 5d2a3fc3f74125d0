// What is right in the wrong designs beside it: the mm's lock for PMD tables, and nothing to free.
import { type Mm, mm$page_table_lock, type Page, type PmdP, type Spinlock } from 'mmtorture/kernel'

export function ptlock_free(_page: Page): void {}

export function pmd_lockptr(mm: Mm, _pmdp: PmdP): Spinlock {
  return (mm + mm$page_table_lock) as Spinlock
}
