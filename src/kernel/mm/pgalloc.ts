/**
 * Allocating, installing and freeing page tables (mm/memory.c and include/asm-generic/pgalloc.h, 6.1): __pte_alloc,
 * __pmd_alloc and their like race for an empty entry; the loser's table goes back and the race is counted.
 * A table is a page of the allocator: its entries lie where its frame number says (pfn_entries).
 */
import { PGTABLE_LEVELS, PTRS_PER_TABLE } from '#config'
import { ptlock_free, ptlock_init } from '#ptlock'
import { atomic_fetch_add } from '#atomic'
import { clear_words, load, READ_ONCE, store, WRITE_ONCE } from '../arch/access.ts'
import { smp_wmb } from '../arch/barrier.ts'
import { BUG_ON, VM_BUG_ON_PAGE } from '../arch/bug.ts'
import {
  mk_pmd,
  p4d_none_or_bad,
  p4d_offset,
  page_to_pfn,
  pfn_entries,
  pgd_none_or_bad,
  pgd_offset,
  pmd_none,
  pmd_offset,
  pud_none_or_bad,
  pud_offset,
} from '../arch/pgtable.ts'
import type { Mm, P4dP, Page, PgdP, Pmd, PmdP, PudP } from '../arch/structs.ts'
import { mm$pgtables_bytes, page$flags, page$pt_mm, PG_table } from '../arch/structs.ts'
import { GFP_PGTABLE_USER } from './gfp.ts'
import { put_page } from './mm.ts'
import { alloc_page } from './page_alloc.ts'
import { pmd_lock, pmd_unlock, pud_lock, pud_unlock, upper_table_lock, upper_table_unlock } from './ptl.ts'
import {
  count_vm_event,
  PAGE_TABLES_ALLOCATED,
  PAGE_TABLES_FREED,
  RETRY___p4d_alloc,
  RETRY___pmd_alloc,
  RETRY___pte_alloc,
  RETRY___pud_alloc,
} from './vmstat.ts'

/** A new table of zero entries with its lock initialised, known to nobody yet; 0 if there is no memory. */
export function pgtable_alloc(mm: Mm): Page {
  const page = alloc_page(GFP_PGTABLE_USER)
  if (page === 0) return page
  clear_words(pfn_entries(page_to_pfn(page)), PTRS_PER_TABLE)
  store(page + page$pt_mm, mm)
  store(page + page$flags, load(page + page$flags) | PG_table)
  ptlock_init(page)
  count_vm_event(PAGE_TABLES_ALLOCATED)
  return page
}

/** Frees a table that nobody can reach any more. Its entries must be none. */
export function pgtable_free(page: Page): void {
  VM_BUG_ON_PAGE((load(page + page$flags) & PG_table) === 0, page)
  ptlock_free(page)
  store(page + page$flags, load(page + page$flags) & ~PG_table)
  store(page + page$pt_mm, 0)
  count_vm_event(PAGE_TABLES_FREED)
  put_page(page)
}

/** Entries of the top table for a new mm; 0 if there is no memory. */
export function pgd_alloc(mm: Mm): number {
  const page = pgtable_alloc(mm)
  return page === 0 ? 0 : pfn_entries(page_to_pfn(page))
}

/** Accounts one table, of any level but the top, to `mm` (mm_inc_nr_ptes and the others). */
export function mm_inc_nr_tables(mm: Mm): void {
  atomic_fetch_add(mm + mm$pgtables_bytes, 1)
}

export function mm_dec_nr_tables(mm: Mm): void {
  BUG_ON(atomic_fetch_add(mm + mm$pgtables_bytes, -1) <= 0)
}

/**
 * Puts a new table under an entry that is still none, under the lock of its level. False: another CPU was first. The
 * barrier orders the table's zeroes and its lock before the entry: whoever walks without a lock must find both.
 */
function table_install(mm: Mm, entry: number, table: Page): boolean {
  const won = pmd_none(load(entry) as Pmd)
  if (won) {
    mm_inc_nr_tables(mm)
    smp_wmb()
    WRITE_ONCE(entry, mk_pmd(table))
  }
  return won
}

/** Installs a PTE table; false if the PMD is no longer none (pmd_install). */
export function pmd_install(mm: Mm, pmd: PmdP, table: Page): boolean {
  const ptl = pmd_lock(mm, pmd)
  const won = table_install(mm, pmd, table)
  pmd_unlock(pmd, ptl)
  return won
}

/** Fills an empty PMD. Returns whether there was no memory. */
function __pte_alloc(mm: Mm, pmd: PmdP): boolean {
  const table = pgtable_alloc(mm)
  if (table === 0) return true
  if (!pmd_install(mm, pmd, table)) {
    count_vm_event(RETRY___pte_alloc)
    pgtable_free(table)
  }
  return false
}

function __pmd_alloc(mm: Mm, pud: PudP): boolean {
  const table = pgtable_alloc(mm)
  if (table === 0) return true
  const ptl = pud_lock(mm, pud)
  const won = table_install(mm, pud, table)
  pud_unlock(pud, ptl)
  if (!won) {
    count_vm_event(RETRY___pmd_alloc)
    pgtable_free(table)
  }
  return false
}

function __pud_alloc(mm: Mm, p4d: P4dP): boolean {
  const table = pgtable_alloc(mm)
  if (table === 0) return true
  const ptl = upper_table_lock(mm, p4d)
  const won = table_install(mm, p4d, table)
  upper_table_unlock(p4d, ptl)
  if (!won) {
    count_vm_event(RETRY___pud_alloc)
    pgtable_free(table)
  }
  return false
}

function __p4d_alloc(mm: Mm, pgd: PgdP): boolean {
  const table = pgtable_alloc(mm)
  if (table === 0) return true
  const ptl = upper_table_lock(mm, pgd)
  const won = table_install(mm, pgd, table)
  upper_table_unlock(pgd, ptl)
  if (!won) {
    count_vm_event(RETRY___p4d_alloc)
    pgtable_free(table)
  }
  return false
}

/** Makes sure that the PMD leads to a PTE table. Returns whether there was no memory. */
export function pte_alloc(mm: Mm, pmd: PmdP): boolean {
  return pmd_none(READ_ONCE(pmd) as Pmd) && __pte_alloc(mm, pmd)
}

/** The PMD entry of `addr`, with the tables above it; 0 if there was no memory. */
export function pmd_alloc(mm: Mm, pud: PudP, addr: number): PmdP {
  if (PGTABLE_LEVELS >= 3 && pud_none_or_bad(pud) && __pmd_alloc(mm, pud)) return 0 as PmdP
  return pmd_offset(pud, addr)
}

export function pud_alloc(mm: Mm, p4d: P4dP, addr: number): PudP {
  if (PGTABLE_LEVELS >= 4 && p4d_none_or_bad(p4d) && __pud_alloc(mm, p4d)) return 0 as PudP
  return pud_offset(p4d, addr)
}

export function p4d_alloc(mm: Mm, pgd: PgdP, addr: number): P4dP {
  if (PGTABLE_LEVELS === 5 && pgd_none_or_bad(pgd) && __p4d_alloc(mm, pgd)) return 0 as P4dP
  return p4d_offset(pgd, addr)
}

/** All levels down to the PMD entry of `addr`, allocated where they are missing; 0 if there was no memory. */
export function walk_alloc_pmd(mm: Mm, addr: number): PmdP {
  const p4d = p4d_alloc(mm, pgd_offset(mm, addr), addr)
  if (p4d === 0) return 0 as PmdP
  const pud = pud_alloc(mm, p4d, addr)
  if (pud === 0) return 0 as PmdP
  return pmd_alloc(mm, pud, addr)
}
