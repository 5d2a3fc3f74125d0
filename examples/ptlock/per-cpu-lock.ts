/**
 * A wrong page-table-lock design: each CPU has a lock of its own, never contended, and takes it for every PTE table. It
 * keeps interrupts of this CPU apart and nobody else. A hunt finds two owners of a table:
 *
 *   mmtorture hunt same-page --config PTLOCK=examples/ptlock/per-cpu-lock.ts
 */
import {
  mm$page_table_lock,
  type Mm,
  NR_CPUS,
  type Page,
  type Pmd,
  type PmdP,
  PTLOCK_AREA,
  smp_processor_id,
  spin_lock,
  type Spinlock,
  spin_unlock,
} from 'mmtorture/kernel'

/** Words from one lock to the next: a line each. */
const LINE = 16
export const PTLOCK_WORDS = NR_CPUS * LINE

export function ptlock_init(_page: Page): void {}

export function ptlock_free(_page: Page): void {}

export function pte_lockptr(_mm: Mm, _pmd: Pmd): Spinlock {
  return (PTLOCK_AREA + smp_processor_id() * LINE) as Spinlock
}

export function pmd_lockptr(mm: Mm, _pmdp: PmdP): Spinlock {
  return (mm + mm$page_table_lock) as Spinlock
}

/** Two tables, one CPU: one lock. */
export function lock_pair(first: Spinlock, _second: Spinlock): void {
  spin_lock(first)
}

export function unlock_pair(first: Spinlock, _second: Spinlock): void {
  spin_unlock(first)
}
