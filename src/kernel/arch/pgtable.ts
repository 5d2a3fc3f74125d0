/**
 * Page tables: the formats of their entries and the walk (arch/x86/include/asm/pgtable.h, include/linux/pgtable.h,
 * 6.1).
 *
 * PTE, one word:     31                12 11..9  8      7     6    5        4       3     2        1     0
 *   present          │ pfn              │      │uffd_wp│soft │huge│protnone│special│dirty│accessed│write│1│
 *   not present      │ offset           │      │uffd_wp│soft │excl│       0│  type of entry (1..15)   │0│ swapops.ts
 *
 * PMD, PUD, P4D, PGD entries are alike: the pfn of a table's struct page, or a leaf with _PAGE_PSE. An entry of a table
 * is reached by the entry above, whose frame number says where the table's entries lie (phys_to_virt).
 *
 * An address is a page number of VA_BITS bits at most 31. Levels that PGTABLE_LEVELS leaves out are folded: their one
 * entry is the entry above, as in include/asm-generic/pgtable-nop4d.h.
 */
import { NR_PAGES, PGTABLE_LEVELS, PTRS_PER_TABLE } from '#config'
import { atomic_fetch_and, cmpxchg, xchg } from '#atomic'
import { load, READ_ONCE, WRITE_ONCE } from './access.ts'
import { MEMMAP, PGTABLES } from './memory_map.ts'
import type { Mm, P4dP, Page, PgdP, Pmd, PmdP, Pte, PteP, PudP } from './structs.ts'
import { mm$pgd, PAGE_WORDS_SHIFT } from './structs.ts'

export const PAGE_SHIFT = 12
/** Above the flags lies the pfn or the swap offset. */
export const PFN_SHIFT = 12

export const _PAGE_PRESENT = 1 << 0
export const _PAGE_RW = 1 << 1
export const _PAGE_ACCESSED = 1 << 2
export const _PAGE_DIRTY = 1 << 3
export const _PAGE_SPECIAL = 1 << 4
export const _PAGE_PROTNONE = 1 << 5
export const _PAGE_PSE = 1 << 6
export const _PAGE_SOFT_DIRTY = 1 << 7
export const _PAGE_UFFD_WP = 1 << 8
const _PAGE_FLAGS = (1 << PFN_SHIFT) - 1

const TABLE_BITS = Math.log2(PTRS_PER_TABLE)
/** Bits of a page number; the upper levels are narrower where PGTABLE_LEVELS full ones would not fit in 31. */
export const VA_BITS = Math.min(31, PGTABLE_LEVELS * TABLE_BITS)
const PTE_BITS = TABLE_BITS
const PMD_BITS = Math.min(TABLE_BITS, VA_BITS - PTE_BITS - Math.max(0, PGTABLE_LEVELS - 2))
const PUD_BITS =
  PGTABLE_LEVELS < 3 ? 0 : Math.min(TABLE_BITS, VA_BITS - PTE_BITS - PMD_BITS - (PGTABLE_LEVELS - 3))
const P4D_BITS =
  PGTABLE_LEVELS < 4
    ? 0
    : Math.min(TABLE_BITS, VA_BITS - PTE_BITS - PMD_BITS - PUD_BITS - (PGTABLE_LEVELS - 4))
const PGD_BITS = PGTABLE_LEVELS < 5 ? 0 : VA_BITS - PTE_BITS - PMD_BITS - PUD_BITS - P4D_BITS

/** Pages that an entry of each level spans, as a shift of page numbers. */
export const PMD_SHIFT = PTE_BITS
export const PUD_SHIFT = PMD_SHIFT + PMD_BITS
export const P4D_SHIFT = PUD_SHIFT + PUD_BITS
export const PGDIR_SHIFT = P4D_SHIFT + P4D_BITS
export const PTRS_PER_PTE = 1 << PTE_BITS
export const PTRS_PER_PMD = 1 << PMD_BITS
export const PTRS_PER_PUD = 1 << PUD_BITS
export const PTRS_PER_P4D = 1 << P4D_BITS
export const PTRS_PER_PGD = 1 << PGD_BITS
/**
 * One page number past the last of user space: of 31 bits only the lower half, as on x86, so that ends stay positive
 * and no pgoff of an anonymous mapping that grows overflows.
 */
export const TASK_SIZE = 1 << Math.min(30, VA_BITS)

// Pages and page frame numbers.

export function pfn_to_page(pfn: number): Page {
  return (MEMMAP + (pfn << PAGE_WORDS_SHIFT)) as Page
}

export function page_to_pfn(page: Page): number {
  return (page - MEMMAP) >> PAGE_WORDS_SHIFT
}

export function pfn_valid(pfn: number): boolean {
  return pfn >= 0 && pfn < NR_PAGES
}

/** The struct page of the table that holds the entry at word address `entry` (virt_to_page). */
export function pgtable_page(entry: number): Page {
  return pfn_to_page((entry - PGTABLES) >> TABLE_BITS)
}

/** Word address of the first entry of the table in frame `pfn` (pfn_to_virt). */
export function pfn_entries(pfn: number): number {
  return PGTABLES + (pfn << TABLE_BITS)
}

// Entries of upper levels: none, leaf or table.

export function pmd_none(pmd: Pmd): boolean {
  return pmd === 0
}

export function pmd_leaf(pmd: Pmd): boolean {
  return (pmd & (_PAGE_PRESENT | _PAGE_PSE)) === (_PAGE_PRESENT | _PAGE_PSE)
}

/** An entry that is neither none nor a present table (pmd_bad). */
export function pmd_bad(pmd: Pmd): boolean {
  return (pmd & (_PAGE_PRESENT | _PAGE_PSE)) !== _PAGE_PRESENT
}

/** The struct page of the table that an entry of an upper level points to. */
export function pmd_page(pmd: Pmd): Page {
  return (MEMMAP + ((pmd >>> PFN_SHIFT) << PAGE_WORDS_SHIFT)) as Page
}

/** The entry that points to the table of `page` (_pmd, _pud, …: alike on every level). */
export function mk_pmd(page: Page): Pmd {
  return ((page_to_pfn(page) << PFN_SHIFT) | _PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED) as Pmd
}

/** Word address of the first entry of the table that an entry of an upper level points to (pmd_page_vaddr). */
function table_entries(entry: Pmd): number {
  return pfn_entries(entry >>> PFN_SHIFT)
}

// The walk. READ_ONCE of an upper entry, then a step down; folded levels return the entry above.

export function pgd_offset(mm: Mm, addr: number): PgdP {
  return (load(mm + mm$pgd) + (PGTABLE_LEVELS === 5 ? addr >>> PGDIR_SHIFT : 0)) as PgdP
}

export function p4d_offset(pgd: PgdP, addr: number): P4dP {
  if (PGTABLE_LEVELS === 5)
    return (table_entries(READ_ONCE(pgd) as Pmd) + ((addr >>> P4D_SHIFT) & (PTRS_PER_P4D - 1))) as P4dP
  return (PGTABLE_LEVELS === 4 ? pgd + (addr >>> P4D_SHIFT) : pgd) as number as P4dP
}

export function pud_offset(p4d: P4dP, addr: number): PudP {
  if (PGTABLE_LEVELS >= 4)
    return (table_entries(READ_ONCE(p4d) as Pmd) + ((addr >>> PUD_SHIFT) & (PTRS_PER_PUD - 1))) as PudP
  return (PGTABLE_LEVELS === 3 ? p4d + (addr >>> PUD_SHIFT) : p4d) as number as PudP
}

export function pmd_offset(pud: PudP, addr: number): PmdP {
  if (PGTABLE_LEVELS >= 3)
    return (table_entries(READ_ONCE(pud) as Pmd) + ((addr >>> PMD_SHIFT) & (PTRS_PER_PMD - 1))) as PmdP
  return (pud + (addr >>> PMD_SHIFT)) as number as PmdP
}

// The same for who holds nothing that keeps the tables (p4d_offset_lockless, …; include/linux/pgtable.h, 6.1): an entry
// is read once, so that the table that it led to is the one looked into. 0: none or bad.

export function p4d_offset_lockless(pgd: PgdP, addr: number): P4dP {
  if (PGTABLE_LEVELS < 5) return p4d_offset(pgd, addr)
  const entry = READ_ONCE(pgd) as Pmd
  return (pmd_bad(entry) ? 0 : table_entries(entry) + ((addr >>> P4D_SHIFT) & (PTRS_PER_P4D - 1))) as P4dP
}

export function pud_offset_lockless(p4d: P4dP, addr: number): PudP {
  if (PGTABLE_LEVELS < 4) return pud_offset(p4d, addr)
  const entry = READ_ONCE(p4d) as Pmd
  return (pmd_bad(entry) ? 0 : table_entries(entry) + ((addr >>> PUD_SHIFT) & (PTRS_PER_PUD - 1))) as PudP
}

export function pmd_offset_lockless(pud: PudP, addr: number): PmdP {
  if (PGTABLE_LEVELS < 3) return pmd_offset(pud, addr)
  const entry = READ_ONCE(pud) as Pmd
  return (pmd_bad(entry) ? 0 : table_entries(entry) + ((addr >>> PMD_SHIFT) & (PTRS_PER_PMD - 1))) as PmdP
}

/** The PTE of `addr` in the table that the PMD value `pmd` points to (pte_offset_map). */
export function pte_offset(pmd: Pmd, addr: number): PteP {
  return (table_entries(pmd) + (addr & (PTRS_PER_PTE - 1))) as PteP
}

export function pmd_addr_end(addr: number, end: number): number {
  const next = ((addr >>> PMD_SHIFT) + 1) * (1 << PMD_SHIFT)
  return next < end ? next : end
}

export function pud_addr_end(addr: number, end: number): number {
  if (PGTABLE_LEVELS < 3) return end
  const next = ((addr >>> PUD_SHIFT) + 1) * (1 << PUD_SHIFT)
  return next < end ? next : end
}

export function p4d_addr_end(addr: number, end: number): number {
  if (PGTABLE_LEVELS < 4) return end
  const next = ((addr >>> P4D_SHIFT) + 1) * (1 << P4D_SHIFT)
  return next < end ? next : end
}

export function pgd_addr_end(addr: number, end: number): number {
  if (PGTABLE_LEVELS < 5) return end
  const next = ((addr >>> PGDIR_SHIFT) + 1) * (1 << PGDIR_SHIFT)
  return next < end ? next : end
}

// Whether an upper entry leads nowhere (pgd_none_or_clear_bad and the others); a folded level's always leads on.

export function pgd_none_or_bad(pgd: PgdP): boolean {
  return PGTABLE_LEVELS === 5 && pmd_bad(READ_ONCE(pgd) as Pmd)
}

export function p4d_none_or_bad(p4d: P4dP): boolean {
  return PGTABLE_LEVELS >= 4 && pmd_bad(READ_ONCE(p4d) as Pmd)
}

export function pud_none_or_bad(pud: PudP): boolean {
  return PGTABLE_LEVELS >= 3 && pmd_bad(READ_ONCE(pud) as Pmd)
}

// PTE values.

/** Reads a PTE once, without its lock or under it. */
export function ptep_get(ptep: PteP): Pte {
  return READ_ONCE(ptep) as Pte
}

export function pte_none(pte: Pte): boolean {
  return pte === 0
}

export function pte_present(pte: Pte): boolean {
  return (pte & (_PAGE_PRESENT | _PAGE_PROTNONE)) !== 0
}

export function pte_protnone(pte: Pte): boolean {
  return (pte & (_PAGE_PRESENT | _PAGE_PROTNONE)) === _PAGE_PROTNONE
}

export function pte_same(a: Pte, b: Pte): boolean {
  return a === b
}

export function pte_pfn(pte: Pte): number {
  return pte >>> PFN_SHIFT
}

export function pte_write(pte: Pte): boolean {
  return (pte & _PAGE_RW) !== 0
}

export function pte_dirty(pte: Pte): boolean {
  return (pte & _PAGE_DIRTY) !== 0
}

export function pte_young(pte: Pte): boolean {
  return (pte & _PAGE_ACCESSED) !== 0
}

export function pte_special(pte: Pte): boolean {
  return (pte & _PAGE_SPECIAL) !== 0
}

export function pte_mkwrite(pte: Pte): Pte {
  return (pte | _PAGE_RW) as Pte
}

export function pte_wrprotect(pte: Pte): Pte {
  return (pte & ~_PAGE_RW) as Pte
}

export function pte_mkdirty(pte: Pte): Pte {
  return (pte | _PAGE_DIRTY | _PAGE_SOFT_DIRTY) as Pte
}

export function pte_mkclean(pte: Pte): Pte {
  return (pte & ~_PAGE_DIRTY) as Pte
}

export function pte_mkyoung(pte: Pte): Pte {
  return (pte | _PAGE_ACCESSED) as Pte
}

export function pte_mkold(pte: Pte): Pte {
  return (pte & ~_PAGE_ACCESSED) as Pte
}

export function pte_mkspecial(pte: Pte): Pte {
  return (pte | _PAGE_SPECIAL) as Pte
}

/** A PTE that maps `pfn` with the rights `prot` (_PAGE_ flags). */
export function pfn_pte(pfn: number, prot: number): Pte {
  return ((pfn << PFN_SHIFT) | prot) as Pte
}

export function mk_pte(page: Page, prot: number): Pte {
  return pfn_pte(page_to_pfn(page), prot)
}

/** The same page with the rights `prot`; accessed, dirty and the like stay (pte_modify). */
export function pte_modify(pte: Pte, prot: number): Pte {
  const keep = ~_PAGE_FLAGS | _PAGE_ACCESSED | _PAGE_DIRTY | _PAGE_SPECIAL | _PAGE_SOFT_DIRTY | _PAGE_UFFD_WP
  return ((pte & keep) | prot) as Pte
}

// PTEs in tables. Under the table's lock; accessed and dirty may change beside it by the hardware walk, so taking away
// rights or bits of a present entry is one atomic operation, never a load and a store.

/** The one funnel through which a PTE is written (set_pte_at). */
export function set_pte_at(mm: Mm, addr: number, ptep: PteP, pte: Pte): void {
  WRITE_ONCE(ptep, pte)
}

export function pte_clear(mm: Mm, addr: number, ptep: PteP): void {
  set_pte_at(mm, addr, ptep, 0 as Pte)
}

/** Clears the entry and returns what it held (ptep_get_and_clear): atomic against accessed and dirty. */
export function ptep_get_and_clear(mm: Mm, addr: number, ptep: PteP): Pte {
  return xchg(ptep, 0) as Pte
}

export function ptep_set_wrprotect(mm: Mm, addr: number, ptep: PteP): void {
  atomic_fetch_and(ptep, ~_PAGE_RW)
}

/**
 * Adds rights and bits to a present entry (ptep_set_access_flags). Returns whether anything changed.
 */
export function ptep_set_access_flags(mm: Mm, addr: number, ptep: PteP, entry: Pte, dirty: boolean): boolean {
  const old = ptep_get(ptep)
  if (old === entry) return false
  if (dirty) set_pte_at(mm, addr, ptep, entry)
  return true
}

/** The hardware walk's update of accessed and dirty bits: only if the entry still is `old`. */
export function hardware_set_bits(ptep: PteP, old: Pte, bits: number): boolean {
  return cmpxchg(ptep, old, old | bits) === old
}
