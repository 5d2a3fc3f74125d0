// Wrong: for an entry that is present and read-only, that of do_wp_page, it never says that something has changed.
import {
  LOCK_CLASS_ptlock,
  LOCK_WORDS,
  type Mm,
  type Page,
  page$ptl,
  type Pmd,
  pmd_page,
  type Pte,
  pte_present,
  pte_same,
  pte_write,
  type PteP,
  ptep_get,
  PTL_WRITE,
  raw_seqcount_begin,
  read_seqcount_retry,
  SINGLE_DEPTH_NESTING,
  type Spinlock,
  spin_lock,
  spin_lock_init,
  spin_lock_nested,
  spin_unlock,
  WRITE_ONCE,
  write_seqcount_begin,
  write_seqcount_end,
} from 'mmtorture/kernel'
import { table_lock } from './parts/table_lock.ts'

export { pmd_lockptr, ptlock_free } from './parts/base.ts'
export { ptl_is_contended } from './parts/contended.ts'

export const PTLOCK_WORDS = 0

export const PTL_RANGE = 0
export const PTL_OPTIMISTIC = 1

function table_seqcount(pmd: Pmd): number {
  return pmd_page(pmd) + page$ptl + LOCK_WORDS
}

export function ptlock_init(page: Page): void {
  spin_lock_init((page + page$ptl) as Spinlock, LOCK_CLASS_ptlock)
  WRITE_ONCE(page + page$ptl + LOCK_WORDS, 0)
}

export function ptl_lock(_mm: Mm, pmd: Pmd, _addr: number, _end: number, mode: number): number {
  spin_lock(table_lock(pmd))
  if (mode === PTL_WRITE) write_seqcount_begin(table_seqcount(pmd))
  return table_lock(pmd)
}

export function ptl_unlock(pmd: Pmd, _addr: number, _end: number, mode: number, _ptl: number): void {
  if (mode === PTL_WRITE) write_seqcount_end(table_seqcount(pmd))
  spin_unlock(table_lock(pmd))
}

export function ptl_lock_pair(
  _first_mm: Mm,
  first: Pmd,
  _first_addr: number,
  _second_mm: Mm,
  second: Pmd,
  _second_addr: number,
  _npages: number,
): void {
  spin_lock(table_lock(first))
  write_seqcount_begin(table_seqcount(first))
  if (second === first) return
  spin_lock_nested(table_lock(second), SINGLE_DEPTH_NESTING)
  write_seqcount_begin(table_seqcount(second))
}

export function ptl_unlock_pair(
  _first_mm: Mm,
  first: Pmd,
  _first_addr: number,
  _second_mm: Mm,
  second: Pmd,
  _second_addr: number,
  _npages: number,
): void {
  if (second !== first) {
    write_seqcount_end(table_seqcount(second))
    spin_unlock(table_lock(second))
  }
  write_seqcount_end(table_seqcount(first))
  spin_unlock(table_lock(first))
}

export function ptl_read_begin(pmd: Pmd, _addr: number): number {
  return raw_seqcount_begin(table_seqcount(pmd))
}

export function ptl_read_retry(pmd: Pmd, _addr: number, seq: number, ptep: PteP, orig: Pte): boolean {
  if (pte_present(orig) && !pte_write(orig)) return false
  return read_seqcount_retry(table_seqcount(pmd), seq) && !pte_same(ptep_get(ptep), orig)
}
