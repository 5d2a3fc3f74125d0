/**
 * Entries of page tables that are not present (include/linux/swapops.h, arch/x86/include/asm/pgtable_64.h, 6.1): of
 * swap, of migration and of other kinds. A swp_entry_t is such an entry without its bits: the type and the offset,
 * which for migration is the pfn. No type is 0, so no entry is none. Left out: the accessed and dirty bits of migration
 * entries.
 */
import { _PAGE_PRESENT, _PAGE_PROTNONE, _PAGE_SOFT_DIRTY, _PAGE_UFFD_WP, PFN_SHIFT } from './pgtable.ts'
import type { Pte, SwpEntry } from './structs.ts'

/** Types 1 to 8 are swap devices 0 to 7. */
export const SWP_TYPE_SHIFT = 1
export const SWP_TYPE_MASK = 15
export const SWP_MIGRATION_READ = 9
/** A page that only this entry has, though it may not be written through it. */
export const SWP_MIGRATION_READ_EXCLUSIVE = 10
export const SWP_MIGRATION_WRITE = 11
export const SWP_DEVICE_PRIVATE = 12
export const SWP_DEVICE_EXCLUSIVE = 13
export const SWP_HWPOISON = 14
export const SWP_PTE_MARKER = 15
/** Bits beside the entry: exclusive; soft-dirty and uffd-wp lie where they lie in a present one. */
export const _PAGE_SWP_EXCLUSIVE = 1 << 6
const SWP_ENTRY_MASK = (-1 << PFN_SHIFT) | (SWP_TYPE_MASK << SWP_TYPE_SHIFT)

/** Whether the entry is neither none nor present (is_swap_pte). */
export function is_swap_pte(pte: Pte): boolean {
  return pte !== 0 && (pte & (_PAGE_PRESENT | _PAGE_PROTNONE)) === 0
}

export function pte_to_swp_entry(pte: Pte): SwpEntry {
  return (pte & SWP_ENTRY_MASK) as SwpEntry
}

export function swp_entry_to_pte(entry: SwpEntry): Pte {
  return entry as number as Pte
}

/** The entry of slot `offset` of swap device `device` (swp_entry). */
export function swp_entry(device: number, offset: number): SwpEntry {
  return ((offset << PFN_SHIFT) | ((device + 1) << SWP_TYPE_SHIFT)) as SwpEntry
}

/** The swap device of a genuine swap entry. */
export function swp_type(entry: SwpEntry): number {
  return ((entry >>> SWP_TYPE_SHIFT) & SWP_TYPE_MASK) - 1
}

/** The slot of a swap entry, the pfn of a migration entry. */
export function swp_offset(entry: SwpEntry): number {
  return entry >>> PFN_SHIFT
}

/** The kind of an entry: a swap device's number + 1 or an SWP_ constant. */
export function swp_kind(entry: SwpEntry): number {
  return (entry >>> SWP_TYPE_SHIFT) & SWP_TYPE_MASK
}

/** Whether the entry is of something else than swap. */
export function non_swap_entry(entry: SwpEntry): boolean {
  return swp_kind(entry) >= SWP_MIGRATION_READ
}

export function is_migration_entry(entry: SwpEntry): boolean {
  const kind = swp_kind(entry)
  return kind >= SWP_MIGRATION_READ && kind <= SWP_MIGRATION_WRITE
}

/** The migration entry of kind `kind` for the page of frame `pfn` (make_readable_migration_entry and the others). */
export function make_migration_entry(kind: number, pfn: number): SwpEntry {
  return ((pfn << PFN_SHIFT) | (kind << SWP_TYPE_SHIFT)) as SwpEntry
}

/**
 * The entry of a page that could not be read from swap: every use of it is SIGBUS (6.1: a type of its own, since 6.2 a
 * marker).
 */
export function make_swapin_error_entry(): SwpEntry {
  return (SWP_PTE_MARKER << SWP_TYPE_SHIFT) as SwpEntry
}

export function pte_swp_exclusive(pte: Pte): boolean {
  return (pte & _PAGE_SWP_EXCLUSIVE) !== 0
}

export function pte_swp_mkexclusive(pte: Pte): Pte {
  return (pte | _PAGE_SWP_EXCLUSIVE) as Pte
}

export function pte_swp_clear_exclusive(pte: Pte): Pte {
  return (pte & ~_PAGE_SWP_EXCLUSIVE) as Pte
}

/** Soft-dirty and uffd-wp of an entry, present or not, to be carried over to another. */
export function pte_swp_keep(pte: Pte): Pte {
  return (pte & (_PAGE_SOFT_DIRTY | _PAGE_UFFD_WP)) as Pte
}

/** Whether two entries name the same slot, whatever their bits (pte_same_as_swp). */
export function pte_same_as_swp(pte: Pte, entry: SwpEntry): boolean {
  return is_swap_pte(pte) && pte_to_swp_entry(pte) === entry
}
