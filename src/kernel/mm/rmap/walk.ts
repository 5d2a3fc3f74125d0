/**
 * Walks over the reverse map of an anonymous page (mm/rmap.c, mm/page_vma_mapped.c, mm/interval_tree.c, 6.1): from its
 * anon_vma to the VMAs that may map it, in the order of vm_pgoff and then of insertion, and in each to the entry. A
 * page has one place in a VMA at most.
 *
 *   const anon_vma = folio_lock_anon_vma_read(page)
 *   for (let avc = anon_vma_first(anon_vma, pgoff); avc !== 0; avc = anon_vma_next(avc, pgoff)) page_vma_mapped_walk(…)
 *   anon_vma_unlock_read(anon_vma)
 *
 * An anon_vma that is freed may be another family's at once, but stays an anon_vma for a grace period (anon_vma.ts).
 * Left out: file pages, huge pages, KSM.
 */
import { atomic_fetch_add, atomic_load, cmpxchg } from '#atomic'
import { load, READ_ONCE, this_cpu_read, this_cpu_write } from '../../arch/access.ts'
import { pvmw$address, pvmw$pmd_value, pvmw$ptl } from '../../arch/percpu.ts'
import {
  p4d_none_or_bad,
  p4d_offset,
  page_to_pfn,
  pgd_none_or_bad,
  pgd_offset,
  pmd_bad,
  pmd_offset,
  pte_offset,
  pte_pfn,
  pte_present,
  ptep_get,
  pud_none_or_bad,
  pud_offset,
} from '../../arch/pgtable.ts'
import type {
  AnonVma,
  AnonVmaChain,
  Mm,
  Page,
  Pmd,
  PmdP,
  Pte,
  PteP,
  Rwsem,
  Spinlock,
  Vma,
} from '../../arch/structs.ts'
import {
  anon_vma$rb_root,
  anon_vma$refcount,
  anon_vma$root,
  anon_vma$rwsem,
  anon_vma_chain$rb_next,
  anon_vma_chain$vma,
  page$index,
  vma$vm_end,
  vma$vm_mm,
  vma$vm_pgoff,
  vma$vm_start,
} from '../../arch/structs.ts'
import { is_migration_entry, is_swap_pte, pte_to_swp_entry, swp_offset } from '../../arch/swapops.ts'
import { down_read, down_read_trylock, up_read } from '../../locking/rwsem.ts'
import { rcu_read_lock, rcu_read_unlock } from '../../rcu.ts'
import { page_anon_vma, page_mapped } from '../mm.ts'
import { pte_table_lock, pte_table_unlock } from '../ptl.ts'
import { __put_anon_vma, put_anon_vma } from './anon_vma.ts'

/** Looks under the lock in any case: an entry that seems none may be about to change (PVMW_SYNC). */
export const PVMW_SYNC = 1 << 0
/** Looks for a migration entry of the page. */
export const PVMW_MIGRATION = 1 << 1

function anon_vma_rwsem(anon_vma: AnonVma): Rwsem {
  return (READ_ONCE(anon_vma + anon_vma$root) + anon_vma$rwsem) as Rwsem
}

export function anon_vma_lock_read(anon_vma: AnonVma): void {
  down_read(anon_vma_rwsem(anon_vma))
}

/**
 * up_read looks at the root once more where others wait, and they may free it meanwhile. Linux has preemption off in it
 * (6.1.176), which makes it a read-side section: here only where the semaphore can go, as a VMA's in vma_end_read.
 */
export function anon_vma_unlock_read(anon_vma: AnonVma): void {
  const rwsem = anon_vma_rwsem(anon_vma)
  rcu_read_lock()
  up_read(rwsem)
  rcu_read_unlock()
}

/** Takes a reference unless there is none left. */
function get_anon_vma_unless_zero(anon_vma: AnonVma): boolean {
  for (let count = atomic_load(anon_vma + anon_vma$refcount); count !== 0;) {
    const seen = cmpxchg(anon_vma + anon_vma$refcount, count, count + 1)
    if (seen === count) return true
    count = seen
  }
  return false
}

/** The anon_vma of a page that is mapped, with a reference; 0: it is not mapped (folio_get_anon_vma). */
export function folio_get_anon_vma(page: Page): AnonVma {
  rcu_read_lock()
  let anon_vma = page_mapped(page) ? page_anon_vma(page) : (0 as AnonVma)
  if (anon_vma !== 0 && !get_anon_vma_unless_zero(anon_vma)) anon_vma = 0 as AnonVma
  // Mapped still: then its anon_vma was there when the reference was taken.
  if (anon_vma === 0 || page_mapped(page)) {
    rcu_read_unlock()
    return anon_vma
  }
  rcu_read_unlock()
  put_anon_vma(anon_vma)
  return 0 as AnonVma
}

/** In place of an anon_vma: its lock was only tried, and is held by somebody who writes (rwc->contended). */
export const ANON_VMA_CONTENDED = -1 as AnonVma

/**
 * The anon_vma of a page that is mapped, its root locked for reading; 0: the page is not mapped. Nothing else keeps the
 * anon_vma: its lock is tried while RCU does, and that the page is mapped afterwards says that it was the right one.
 * With `try_lock` it does not wait.
 */
export function folio_lock_anon_vma_read(page: Page, try_lock: boolean): AnonVma {
  rcu_read_lock()
  const anon_vma = page_mapped(page) ? page_anon_vma(page) : (0 as AnonVma)
  if (anon_vma === 0) {
    rcu_read_unlock()
    return anon_vma
  }
  const rwsem = anon_vma_rwsem(anon_vma)
  if (down_read_trylock(rwsem)) {
    const mapped = page_mapped(page)
    if (!mapped) up_read(rwsem)
    rcu_read_unlock()
    return mapped ? anon_vma : (0 as AnonVma)
  }
  if (try_lock) {
    rcu_read_unlock()
    return ANON_VMA_CONTENDED
  }
  if (!get_anon_vma_unless_zero(anon_vma)) {
    rcu_read_unlock()
    return 0 as AnonVma
  }
  const mapped = page_mapped(page)
  rcu_read_unlock()
  if (!mapped) {
    put_anon_vma(anon_vma)
    return 0 as AnonVma
  }
  // The reference keeps it while we sleep.
  anon_vma_lock_read(anon_vma)
  if (atomic_fetch_add(anon_vma + anon_vma$refcount, -1) !== 1) return anon_vma
  // It was the last: what frees it takes the lock.
  anon_vma_unlock_read(anon_vma)
  __put_anon_vma(anon_vma)
  return 0 as AnonVma
}

/** The first chain from `avc` on whose VMA spans `pgoff`; 0: none. The list is sorted by vm_pgoff. */
function next_chain(avc: AnonVmaChain, pgoff: number): AnonVmaChain {
  while (avc !== 0) {
    const vma = load(avc + anon_vma_chain$vma)
    const first = load(vma + vma$vm_pgoff)
    if (first > pgoff) return 0 as AnonVmaChain
    if (pgoff < first + load(vma + vma$vm_end) - load(vma + vma$vm_start)) return avc
    avc = load(avc + anon_vma_chain$rb_next) as AnonVmaChain
  }
  return avc
}

/** The first chain of the locked `anon_vma` whose VMA spans `pgoff`; 0: none (anon_vma_interval_tree_foreach). */
export function anon_vma_first(anon_vma: AnonVma, pgoff: number): AnonVmaChain {
  return next_chain(load(anon_vma + anon_vma$rb_root) as AnonVmaChain, pgoff)
}

/** The one after `avc`. */
export function anon_vma_next(avc: AnonVmaChain, pgoff: number): AnonVmaChain {
  return next_chain(load(avc + anon_vma_chain$rb_next) as AnonVmaChain, pgoff)
}

export function avc_vma(avc: AnonVmaChain): Vma {
  return load(avc + anon_vma_chain$vma) as Vma
}

/** Where the page would be mapped in a VMA that spans its index (vma_address). */
export function vma_address(page: Page, vma: Vma): number {
  return load(vma + vma$vm_start) + load(page + page$index) - load(vma + vma$vm_pgoff)
}

/**
 * The PMD entry of `addr` if it leads to a table, else 0. Without mmap_lock: the reverse map's lock keeps the tables.
 */
export function mm_find_pmd(mm: Mm, addr: number): PmdP {
  const pgd = pgd_offset(mm, addr)
  if (pgd_none_or_bad(pgd)) return 0 as PmdP
  const p4d = p4d_offset(pgd, addr)
  if (p4d_none_or_bad(p4d)) return 0 as PmdP
  const pud = pud_offset(p4d, addr)
  if (pud_none_or_bad(pud)) return 0 as PmdP
  const pmd = pmd_offset(pud, addr)
  return pmd_bad(READ_ONCE(pmd) as Pmd) ? (0 as PmdP) : pmd
}

/** Whether the entry is the page's: it maps it, or stands for it while it migrates (check_pte). */
function check_pte(pte: Pte, page: Page, flags: number): boolean {
  if ((flags & PVMW_MIGRATION) === 0) return pte_present(pte) && pte_pfn(pte) === page_to_pfn(page)
  if (!is_swap_pte(pte)) return false
  const entry = pte_to_swp_entry(pte)
  return is_migration_entry(entry) && swp_offset(entry) === page_to_pfn(page)
}

/** Whether an entry, read without its lock, is of the kind that is looked for, whatever it maps (map_pte). */
function worth_locking(pte: Pte, flags: number): boolean {
  return (flags & PVMW_MIGRATION) !== 0 ? is_swap_pte(pte) : pte_present(pte)
}

/**
 * The entry at `addr` of the VMA if it is the page's, its table locked; 0 if it is not. page_vma_mapped_walk_done
 * unlocks.
 */
export function page_vma_mapped_walk(page: Page, vma: Vma, addr: number, flags: number): PteP {
  const mm = load(vma + vma$vm_mm) as Mm
  const pmd = mm_find_pmd(mm, addr)
  if (pmd === 0) return 0 as PteP
  const value = READ_ONCE(pmd) as Pmd
  const ptep = pte_offset(value, addr)
  if ((flags & PVMW_SYNC) === 0 && !worth_locking(ptep_get(ptep), flags)) return 0 as PteP
  const ptl = pte_table_lock(mm, value, addr, addr + 1)
  if (!check_pte(ptep_get(ptep), page, flags)) {
    pte_table_unlock(value, addr, addr + 1, ptl)
    return 0 as PteP
  }
  this_cpu_write(pvmw$pmd_value, value)
  this_cpu_write(pvmw$ptl, ptl)
  this_cpu_write(pvmw$address, addr)
  return ptep
}

/** Unlocks the table that page_vma_mapped_walk locked. */
export function page_vma_mapped_walk_done(): void {
  const addr = this_cpu_read(pvmw$address)
  const ptl = this_cpu_read(pvmw$ptl) as Spinlock
  pte_table_unlock(this_cpu_read(pvmw$pmd_value) as Pmd, addr, addr + 1, ptl)
}
