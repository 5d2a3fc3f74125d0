// Entries of page tables that are neither none nor present (src/kernel/arch/swapops.ts): what they name, and their
// words: `swp 0:5`, `migration write of page 0x1a3`. Leaves out where they lie.
import type { SymbolTable } from './symbols.ts'

/** What such an entry names; `error`: nothing, for the page could not be read when its swap device went. */
export interface SwapEntry {
  readonly kind: 'swap' | 'migration' | 'error' | 'other'
  /** Swap: the device. */
  readonly device: number
  /** The slot, or the page frame. */
  readonly offset: number
  readonly exclusive: boolean
}

/** Types of entries beside those of swap devices, by their constants. */
const TYPES = {
  SWP_MIGRATION_READ: 'migration read of page',
  SWP_MIGRATION_READ_EXCLUSIVE: 'migration read-exclusive of page',
  SWP_MIGRATION_WRITE: 'migration write of page',
  SWP_DEVICE_PRIVATE: 'device-private',
  SWP_DEVICE_EXCLUSIVE: 'device-exclusive',
  SWP_HWPOISON: 'hwpoison page',
  SWP_PTE_MARKER: 'marker',
} as const

/** Bits beside the type and the offset. */
const BITS = {
  _PAGE_SWP_EXCLUSIVE: 'exclusive',
  _PAGE_SOFT_DIRTY: 'soft-dirty',
  _PAGE_UFFD_WP: 'uffd-wp',
} as const

/** The numbers that entries are read by. */
type SwapSymbols = Readonly<
  Record<keyof typeof TYPES | keyof typeof BITS | 'SWP_TYPE_SHIFT' | 'SWP_TYPE_MASK' | 'PFN_SHIFT', number>
>

/** Type of an entry: a swap device's number + 1, or an SWP_ constant. */
function typeOf(s: SwapSymbols, entry: number): number {
  return (entry >>> s.SWP_TYPE_SHIFT) & s.SWP_TYPE_MASK
}

/** What an entry names that is neither none nor present. */
export function readSwapEntry(s: SwapSymbols, entry: number): SwapEntry {
  const type = typeOf(s, entry)
  return {
    kind: kindOf(s, type),
    device: type - 1,
    offset: entry >>> s.PFN_SHIFT,
    exclusive: (entry & s._PAGE_SWP_EXCLUSIVE) !== 0,
  }
}

function kindOf(s: SwapSymbols, type: number): SwapEntry['kind'] {
  if (type > 0 && type < s.SWP_MIGRATION_READ) return 'swap'
  if (type >= s.SWP_MIGRATION_READ && type <= s.SWP_MIGRATION_WRITE) return 'migration'
  return type === s.SWP_PTE_MARKER ? 'error' : 'other'
}

/** The entry of a slot of a swap device, without bits (swp_entry). */
export function swapEntry(s: SwapSymbols, device: number, slot: number): number {
  return (slot << s.PFN_SHIFT) | ((device + 1) << s.SWP_TYPE_SHIFT)
}

/** `swp 0:5`: slot 5 of swap device 0; `migration write of page 0x1a3`; with the bits that are set. */
export function swapEntryText(symbols: SymbolTable, entry: number): string {
  const s = symbols as SwapSymbols
  const type = typeOf(s, entry)
  if (type === 0) return `entry 0x${(entry >>> 0).toString(16)}`
  const { kind, device, offset } = readSwapEntry(s, entry)
  const other = Object.entries(TYPES).find(([name]) => symbols[name] === type)?.[1] ?? `type ${type}`
  const name = kind === 'swap' ? `swp ${device}:${offset}` : `${other} 0x${offset.toString(16)}`
  const bits = Object.entries(BITS).filter(([bit]) => (entry & symbols[bit]) !== 0)
  return [name, ...bits.map(([, text]) => text)].join(' ')
}

/** A word of a swap map: `2 cache`: how many entries name the slot, and the bits beside that. */
export function swapMapText(symbols: SymbolTable, word: number): string {
  const flags = [symbols['SWAP_HAS_CACHE'], symbols['COUNT_CONTINUED']]
  const names = ['cache', 'continued'].filter((_, i) => (word & flags[i]) !== 0)
  return [String(word & ~(flags[0] | flags[1])), ...names].join(' ')
}
