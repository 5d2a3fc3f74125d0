// Q10: PageAnonExclusive.
import { type Check, Findings } from './check.ts'
import { hex } from '../inspect/names.ts'
import type { RestingMachine } from './resting_machine.ts'

/** COW_REUSE=exclusive. */
const COW_REUSE_EXCLUSIVE = 0

export const anonExclusive: Check = {
  id: 'Q10',
  name: 'PageAnonExclusive',
  description:
    'An exclusive anonymous page is mapped once at most, and an anonymous page that may be written ' +
    'is exclusive (COW_REUSE=exclusive).',
  run(view) {
    const { memory, symbols: s } = view
    if (s.COW_REUSE !== COW_REUSE_EXCLUSIVE) return 'not applicable'
    const { ptes } = view.mappings
    const found = new Findings()
    const flags = (pfn: number): number => memory[view.page(pfn) + s.page$flags]
    const anon = (pfn: number): boolean =>
      (memory[view.page(pfn) + s.page$mapping] & s.PAGE_MAPPING_ANON) !== 0
    for (let pfn = 0; pfn < s.NR_PAGES; pfn++)
      if (ptes[pfn] > 1 && (flags(pfn) & s.PG_anon_exclusive) !== 0)
        found.add(
          () =>
            `page ${hex(pfn)} is PageAnonExclusive and mapped ${ptes[pfn]} times ` +
            `(${view.mappings.describe(pfn)}), expected once`,
        )
    const writable = s._PAGE_PRESENT | s._PAGE_RW
    view.mappings.forEachPte((pte, addr, mm) => {
      const pfn = pte >>> s.PFN_SHIFT
      if ((pte & writable) !== writable || (pte & s._PAGE_SPECIAL) !== 0 || pfn >= s.NR_PAGES) return
      if (anon(pfn) && (flags(pfn) & s.PG_anon_exclusive) === 0)
        found.add(
          () =>
            `mm ${mm.id}, ${hex(addr)}: anonymous page ${hex(pfn)} may be written and is not PageAnonExclusive`,
        )
    })
    if (s.SWAP !== 0) swapEntries(view, found)
    return found.result()
  },
}

/** A swap entry that is exclusive is the slot's only use, and its page is mapped nowhere. */
function swapEntries(view: RestingMachine, found: Findings): void {
  const { memory, symbols: s } = view
  for (let slot = 0; slot < view.swap.entries.length; slot++) {
    if (view.swap.exclusive[slot] === 0) continue
    const uses = view.swap.entries[slot]
    const pfn = view.pfn(memory[s.SWAP_CACHE + slot])
    const mapped = pfn < 0 ? 0 : view.mappings.ptes[pfn]
    if (uses > 1 || mapped > 0)
      found.add(
        () =>
          `swp ${Math.floor(slot / s.SWAPFILE_SLOTS)}:${slot % s.SWAPFILE_SLOTS}: an entry is ` +
          `exclusive, and ${uses} name the slot, ${mapped} map its page`,
      )
  }
}
