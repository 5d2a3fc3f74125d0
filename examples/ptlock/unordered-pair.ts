/**
 * A wrong page-table-lock design: striped.ts with two stripes and without an order. lock_pair takes two locks as they
 * come, so two forks side by side can each hold what the other wants. Lockdep warns of it in an execution that ends
 * well; with --no-check lockdep the hunt goes on to the deadlock.
 *
 *   mmtorture hunt fork-storm --cpus 3 --config PTLOCK=examples/ptlock/unordered-pair.ts
 */
import {
  mm$page_table_lock,
  type Mm,
  type Page,
  page_to_pfn,
  type Pmd,
  type PmdP,
  pmd_page,
  PTLOCK_AREA,
  spin_lock,
  type Spinlock,
  spin_unlock,
} from 'mmtorture/kernel'

const STRIPES = 2
/** Words from one lock to the next: a line each. */
const LINE = 16
export const PTLOCK_WORDS = STRIPES * LINE

export function ptlock_init(_page: Page): void {}

export function ptlock_free(_page: Page): void {}

export function pte_lockptr(_mm: Mm, pmd: Pmd): Spinlock {
  return (PTLOCK_AREA + (page_to_pfn(pmd_page(pmd)) % STRIPES) * LINE) as Spinlock
}

export function pmd_lockptr(mm: Mm, _pmdp: PmdP): Spinlock {
  return (mm + mm$page_table_lock) as Spinlock
}

/** Fork passes the child's table first, so which of the two locks is the first depends on where the tables lie. */
export function lock_pair(first: Spinlock, second: Spinlock): void {
  spin_lock(first)
  if (first !== second) spin_lock(second)
}

export function unlock_pair(first: Spinlock, second: Spinlock): void {
  if (first !== second) spin_unlock(second)
  spin_unlock(first)
}
