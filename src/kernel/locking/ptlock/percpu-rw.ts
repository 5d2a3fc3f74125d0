/**
 * PTLOCK=percpu-rw: one local/global lock for all PTE tables of the machine; the mm's lock for the tables above. Who
 * only looks at an entry takes this CPU's part, a line that no other CPU wants; who changes one takes the parts of all
 * CPUs. Not Linux's: the extreme of what is good for readers, as the brlock of vfsmount_lock was.
 */
import { PTLOCK_AREA } from '../../arch/memory_map.ts'
import { load, store } from '../../arch/access.ts'
import type { Mm, Page, Pmd, PmdP, Spinlock } from '../../arch/structs.ts'
import { mm$page_table_lock } from '../../arch/structs.ts'
import {
  LG_LOCK_WORDS,
  lg_global_lock,
  lg_global_unlock,
  lg_local_lock,
  lg_local_unlock,
  lg_lock_init,
} from '../lglock.ts'
import { LOCK_CLASS_ptlock } from '../lock_class.ts'
import { PTL_READ } from '../ptl_mode.ts'

/** The lock, and a line with the mark of ptlock_init. */
export const PTLOCK_WORDS = LG_LOCK_WORDS + 16
const INITIALISED = PTLOCK_AREA + LG_LOCK_WORDS
export const PTL_RANGE = 0

/** Called for every new table. The first is made at boot by one CPU alone: then the lock is made, too. */
export function ptlock_init(_page: Page): void {
  if (load(INITIALISED)) return
  lg_lock_init(PTLOCK_AREA, LOCK_CLASS_ptlock)
  store(INITIALISED, 1)
}

export function ptlock_free(_page: Page): void {}

export function ptl_lock(_mm: Mm, _pmd: Pmd, _addr: number, _end: number, mode: number): number {
  if (mode === PTL_READ) lg_local_lock(PTLOCK_AREA)
  else lg_global_lock(PTLOCK_AREA)
  return PTLOCK_AREA
}

export function ptl_unlock(_pmd: Pmd, _addr: number, _end: number, mode: number, _ptl: number): void {
  if (mode === PTL_READ) lg_local_unlock(PTLOCK_AREA)
  else lg_global_unlock(PTLOCK_AREA)
}

export function ptl_is_contended(_mm: Mm, _pmd: Pmd, _addr: number, _end: number): boolean {
  return false
}

export function ptl_lock_pair(
  _first_mm: Mm,
  _first: Pmd,
  _first_addr: number,
  _second_mm: Mm,
  _second: Pmd,
  _second_addr: number,
  _npages: number,
): void {
  lg_global_lock(PTLOCK_AREA)
}

export function ptl_unlock_pair(
  _first_mm: Mm,
  _first: Pmd,
  _first_addr: number,
  _second_mm: Mm,
  _second: Pmd,
  _second_addr: number,
  _npages: number,
): void {
  lg_global_unlock(PTLOCK_AREA)
}

export function pmd_lockptr(mm: Mm, _pmdp: PmdP): Spinlock {
  return (mm + mm$page_table_lock) as Spinlock
}
