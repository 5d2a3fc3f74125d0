/**
 * A page-table-lock design: STRIPES locks for the whole machine, handed to PTE tables in turn by page frame number. The
 * tables above keep the mm's lock. Run it with --config PTLOCK=examples/ptlock/striped.ts
 */
import {
  LOCK_CLASS_user,
  mm$page_table_lock,
  type Mm,
  type Page,
  page_to_pfn,
  type Pmd,
  type PmdP,
  pmd_page,
  PTLOCK_AREA,
  load,
  SINGLE_DEPTH_NESTING,
  spin_lock,
  spin_lock_init,
  spin_lock_nested,
  type Spinlock,
  spin_unlock,
  store,
} from 'mmtorture/kernel'

const STRIPES = 32
/** Words from one lock to the next: a line each. */
const LINE = 16
/** Words that the design wants for itself: the locks, and a line with the mark of ptlock_init. */
export const PTLOCK_WORDS = (STRIPES + 1) * LINE
const INITIALISED = PTLOCK_AREA + PTLOCK_WORDS - 1

/** Called for every new table. The first is made at boot by one CPU alone: then the locks get their class. */
export function ptlock_init(_page: Page): void {
  if (load(INITIALISED)) return
  for (let i = 0; i < STRIPES; i++) spin_lock_init((PTLOCK_AREA + i * LINE) as Spinlock, LOCK_CLASS_user)
  store(INITIALISED, 1)
}

export function ptlock_free(_page: Page): void {}

export function pte_lockptr(_mm: Mm, pmd: Pmd): Spinlock {
  return (PTLOCK_AREA + (page_to_pfn(pmd_page(pmd)) % STRIPES) * LINE) as Spinlock
}

export function pmd_lockptr(mm: Mm, _pmdp: PmdP): Spinlock {
  return (mm + mm$page_table_lock) as Spinlock
}

/** Two tables may have one lock, and two CPUs may want the same two locks: equal ones once, others in address order. */
export function lock_pair(first: Spinlock, second: Spinlock): void {
  spin_lock(Math.min(first, second) as Spinlock)
  if (first !== second) spin_lock_nested(Math.max(first, second) as Spinlock, SINGLE_DEPTH_NESTING)
}

export function unlock_pair(first: Spinlock, second: Spinlock): void {
  if (first !== second) spin_unlock(second)
  spin_unlock(first)
}
