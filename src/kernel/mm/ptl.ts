/**
 * Taking the lock of a page table: the one way from the fault paths to the page-table-lock design (pte_offset_map_lock
 * and pmd_lock of include/linux/mm.h, 6.1). Says which entries are meant and for what, so that a design whose locks
 * exclude nobody is noticed. Which locks are taken, and of which kind, is the design's affair (locking/ptlock).
 */
import { PTRS_PER_TABLE } from '#config'
import { ptl_lock_pmd, ptl_unlock_pmd } from '#ptlock_pmd'
import {
  PTL_RANGE,
  ptl_is_contended,
  ptl_lock,
  ptl_lock_pair,
  ptl_unlock,
  ptl_unlock_pair,
} from '#ptlock_pte'
import { ptl_lock_pud, ptl_unlock_pud } from '#ptlock_pud'
import { ptl_read_begin, ptl_read_retry } from '#ptlock_read'
import { observe_table_locked, observe_table_read_done, observe_table_unlocked } from '../arch/observe.ts'
import { pgtable_page, pmd_page } from '../arch/pgtable.ts'
import type { Mm, Pmd, PmdP, Pte, PteP, PudP, Spinlock } from '../arch/structs.ts'
import { mm$page_table_lock } from '../arch/structs.ts'
import { count_ptl_taken } from '../locking/ptlock_area.ts'
import {
  check_ptlock,
  PTLOCK_BY_ptl_lock,
  PTLOCK_BY_ptl_lock_pmd,
  PTLOCK_BY_ptl_lock_pud,
} from '../locking/ptlock_bounds.ts'
import { PTL_READ, PTL_WRITE } from '../locking/ptl_mode.ts'
import { spin_lock, spin_unlock } from '../locking/spinlock.ts'

/** Index in its table of the entry of page `addr`: what a design is held to begins there. */
function first_held(addr: number): number {
  return PTL_RANGE ? addr & (PTRS_PER_TABLE - 1) : 0
}

/** Index behind the last entry held of `npages` from page `addr` on: of all where a lock serves a whole table. */
function end_held(addr: number, npages: number): number {
  return PTL_RANGE ? (addr & (PTRS_PER_TABLE - 1)) + npages : PTRS_PER_TABLE
}

/**
 * Takes the entries of pages [addr, end) of the PTE table that the PMD value `pmd` points to, to change them. Returns
 * what pte_table_unlock wants back (pte_offset_map_lock).
 */
export function pte_table_lock(mm: Mm, pmd: Pmd, addr: number, end: number): number {
  const ptl = ptl_lock(mm, pmd, addr, end, PTL_WRITE)
  check_ptlock(ptl, PTLOCK_BY_ptl_lock)
  count_ptl_taken(ptl)
  observe_table_locked(pmd_page(pmd), first_held(addr), end_held(addr, end - addr), PTL_WRITE)
  return ptl
}

export function pte_table_unlock(pmd: Pmd, addr: number, end: number, ptl: number): void {
  observe_table_unlocked(pmd_page(pmd), first_held(addr), end_held(addr, end - addr), PTL_WRITE)
  ptl_unlock(pmd, addr, end, PTL_WRITE, ptl)
}

/**
 * The same for who only looks at the entry of page `addr`: no entry changes, and what it maps stays mapped. A spinlock
 * makes no difference.
 */
export function pte_table_lock_read(mm: Mm, pmd: Pmd, addr: number): number {
  const ptl = ptl_lock(mm, pmd, addr, addr + 1, PTL_READ)
  check_ptlock(ptl, PTLOCK_BY_ptl_lock)
  count_ptl_taken(ptl)
  observe_table_locked(pmd_page(pmd), first_held(addr), end_held(addr, 1), PTL_READ)
  return ptl
}

export function pte_table_unlock_read(pmd: Pmd, addr: number, ptl: number): void {
  observe_table_unlocked(pmd_page(pmd), first_held(addr), end_held(addr, 1), PTL_READ)
  ptl_unlock(pmd, addr, addr + 1, PTL_READ, ptl)
}

/** Whether whoever holds the entries of pages [addr, end) should let go for a while (spin_needbreak). */
export function pte_table_needbreak(mm: Mm, pmd: Pmd, addr: number, end: number): boolean {
  return ptl_is_contended(mm, pmd, addr, end)
}

/**
 * Takes the entries of `npages` pages from `first_addr` and from `second_addr` on, each within a PTE table, to change
 * both: in the order or once, as the design wants it.
 */
export function pte_table_lock_pair(
  first_mm: Mm,
  first: Pmd,
  first_addr: number,
  second_mm: Mm,
  second: Pmd,
  second_addr: number,
  npages: number,
): void {
  ptl_lock_pair(first_mm, first, first_addr, second_mm, second, second_addr, npages)
  observe_table_locked(pmd_page(first), first_held(first_addr), end_held(first_addr, npages), PTL_WRITE)
  if (second !== first || PTL_RANGE)
    observe_table_locked(pmd_page(second), first_held(second_addr), end_held(second_addr, npages), PTL_WRITE)
}

export function pte_table_unlock_pair(
  first_mm: Mm,
  first: Pmd,
  first_addr: number,
  second_mm: Mm,
  second: Pmd,
  second_addr: number,
  npages: number,
): void {
  if (second !== first || PTL_RANGE)
    observe_table_unlocked(
      pmd_page(second),
      first_held(second_addr),
      end_held(second_addr, npages),
      PTL_WRITE,
    )
  observe_table_unlocked(pmd_page(first), first_held(first_addr), end_held(first_addr, npages), PTL_WRITE)
  ptl_unlock_pair(first_mm, first, first_addr, second_mm, second, second_addr, npages)
}

/**
 * An optimistic look at the entry of page `addr` begins: nothing is taken. Returns what pte_read_retry wants back; 0
 * where the design has no such looks.
 */
export function pte_read_begin(pmd: Pmd, addr: number): number {
  return ptl_read_begin(pmd, addr)
}

/**
 * Whether the entry at `ptep`, which was `orig` when pte_read_begin had returned `seq`, may be another one now. With or
 * without the lock; true where the design has no optimistic looks.
 */
export function pte_read_retry(pmd: Pmd, addr: number, seq: number, ptep: PteP, orig: Pte): boolean {
  if (ptl_read_retry(pmd, addr, seq, ptep, orig)) return true
  observe_table_read_done(ptep, orig)
  return false
}

/** Takes the PMD entry at `pmdp`, to put a table under it; returns what pmd_unlock wants back. */
export function pmd_lock(mm: Mm, pmdp: PmdP): number {
  const ptl = ptl_lock_pmd(mm, pmdp)
  check_ptlock(ptl, PTLOCK_BY_ptl_lock_pmd)
  count_ptl_taken(ptl)
  observe_table_locked(pgtable_page(pmdp), 0, PTRS_PER_TABLE, PTL_WRITE)
  return ptl
}

export function pmd_unlock(pmdp: PmdP, ptl: number): void {
  observe_table_unlocked(pgtable_page(pmdp), 0, PTRS_PER_TABLE, PTL_WRITE)
  ptl_unlock_pmd(pmdp, ptl)
}

/** The same for the PUD entry at `pudp`. */
export function pud_lock(mm: Mm, pudp: PudP): number {
  const ptl = ptl_lock_pud(mm, pudp)
  check_ptlock(ptl, PTLOCK_BY_ptl_lock_pud)
  observe_table_locked(pgtable_page(pudp), 0, PTRS_PER_TABLE, PTL_WRITE)
  return ptl
}

export function pud_unlock(pudp: PudP, ptl: number): void {
  observe_table_unlocked(pgtable_page(pudp), 0, PTRS_PER_TABLE, PTL_WRITE)
  ptl_unlock_pud(pudp, ptl)
}

/** Takes the lock of the tables above, of the entry at `entry`: in every design the mm's. */
export function upper_table_lock(mm: Mm, entry: number): Spinlock {
  const ptl = (mm + mm$page_table_lock) as Spinlock
  spin_lock(ptl)
  observe_table_locked(pgtable_page(entry), 0, PTRS_PER_TABLE, PTL_WRITE)
  return ptl
}

export function upper_table_unlock(entry: number, ptl: Spinlock): void {
  observe_table_unlocked(pgtable_page(entry), 0, PTRS_PER_TABLE, PTL_WRITE)
  spin_unlock(ptl)
}
