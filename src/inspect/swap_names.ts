// Entries of page tables that are not present, in words: `swp 0:5`, `migration write of page 0x1a3`. Leaves out where they lie: names.ts.

const TYPE_SHIFT = 1
const TYPE_MASK = 15
/** Bits of an entry that name nothing: exclusive, soft-dirty, uffd-wp. */
const BITS = [
  [1 << 6, ' exclusive'],
  [1 << 7, ' soft-dirty'],
  [1 << 8, ' uffd-wp'],
] as const
const FIRST_KIND = 9
const KINDS = [
  'migration read of page',
  'migration read-exclusive of page',
  'migration write of page',
  'device-private',
  'device-exclusive',
  'hwpoison page',
  'marker',
]

/** `swp 0:5`: slot 5 of swap device 0. */
export function swapEntryName(entry: number, pfnShift: number): string {
  const type = (entry >>> TYPE_SHIFT) & TYPE_MASK
  const offset = entry >>> pfnShift
  const bits = BITS.map(([bit, name]) => ((entry & bit) === 0 ? '' : name)).join('')
  if (type === 0) return `entry 0x${(entry >>> 0).toString(16)}`
  if (type < FIRST_KIND) return `swp ${type - 1}:${offset}${bits}`
  return `${KINDS[type - FIRST_KIND]} 0x${offset.toString(16)}${bits}`
}
