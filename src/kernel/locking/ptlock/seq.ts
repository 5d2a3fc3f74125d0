/**
 * PTLOCK=seq: a spinlock and a sequence count for each PTE table, in its struct page; its spinlock for each PMD table;
 * the mm's for the tables above. Who changes entries takes the lock and counts; who looks at one reads it and asks the
 * count afterwards, without the lock: a read fault on a present entry, and the first attempt of get_user_pages. Not
 * Linux's; the idea is that of the speculative page faults of 2018 (LWN 754739), applied to the table, not to the VMA.
 *
 * That the count has moved does not say which entry has changed: then the entry itself is compared, as pte_same does,
 * so that neighbours in a busy table cannot keep a fault from ever ending.
 */
import { PGTABLE_LEVELS } from '#config'
import { WRITE_ONCE } from '../../arch/access.ts'
import { pgtable_page, pmd_page, pte_same, ptep_get } from '../../arch/pgtable.ts'
import type { Mm, Page, Pmd, PmdP, Pte, PteP, Spinlock } from '../../arch/structs.ts'
import { LOCK_WORDS, mm$page_table_lock, page$ptl } from '../../arch/structs.ts'
import {
  raw_seqcount_begin,
  read_seqcount_retry,
  write_seqcount_begin,
  write_seqcount_end,
} from '../../lib/seqlock.ts'
import { LOCK_CLASS_ptlock, SINGLE_DEPTH_NESTING } from '../lock_class.ts'
import { PTL_WRITE } from '../ptl_mode.ts'
import { spin_lock, spin_lock_init, spin_lock_nested, spin_needbreak, spin_unlock } from '../spinlock.ts'

export const PTLOCK_WORDS = 0
export const PTL_RANGE = 0
export const PTL_OPTIMISTIC = 1

function table_lock(pmd: Pmd): Spinlock {
  return (pmd_page(pmd) + page$ptl) as Spinlock
}

function table_seqcount(pmd: Pmd): number {
  return pmd_page(pmd) + page$ptl + LOCK_WORDS
}

export function ptlock_init(page: Page): void {
  spin_lock_init((page + page$ptl) as Spinlock, LOCK_CLASS_ptlock)
  WRITE_ONCE(page + page$ptl + LOCK_WORDS, 0)
}

export function ptlock_free(_page: Page): void {}

export function ptl_lock(_mm: Mm, pmd: Pmd, _addr: number, _end: number, mode: number): number {
  spin_lock(table_lock(pmd))
  if (mode === PTL_WRITE) write_seqcount_begin(table_seqcount(pmd))
  return table_lock(pmd)
}

export function ptl_unlock(pmd: Pmd, _addr: number, _end: number, mode: number, _ptl: number): void {
  if (mode === PTL_WRITE) write_seqcount_end(table_seqcount(pmd))
  spin_unlock(table_lock(pmd))
}

export function ptl_is_contended(_mm: Mm, pmd: Pmd, _addr: number, _end: number): boolean {
  return spin_needbreak(table_lock(pmd))
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
  return read_seqcount_retry(table_seqcount(pmd), seq) && !pte_same(ptep_get(ptep), orig)
}

export function pmd_lockptr(mm: Mm, pmdp: PmdP): Spinlock {
  if (PGTABLE_LEVELS === 2) return (mm + mm$page_table_lock) as Spinlock
  return (pgtable_page(pmdp) + page$ptl) as Spinlock
}
