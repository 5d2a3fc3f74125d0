// Q7: nothing that is free is in use.
import { type Check, Findings } from './check.ts'
import { FRAME_ALLOCATED } from './free_lists.ts'
import { hex } from '../inspect/names.ts'
import { checkPoison } from './poison.ts'
import type { RestingMachine } from './resting_machine.ts'

export const freePages: Check = {
  id: 'Q7',
  name: 'free pages',
  description:
    'No free page is mapped, a page table or in the page or swap cache, and no free object was written to.',
  run(view) {
    const { symbols: s } = view
    const { state } = view.free
    const found = new Findings()
    for (let pfn = 0; pfn < s.NR_PAGES; pfn++) if (state[pfn] !== FRAME_ALLOCATED) page(view, pfn, found)
    const present = s._PAGE_PRESENT | s._PAGE_PROTNONE
    view.mappings.forEachPte((pte, addr, mm) => {
      const pfn = pte >>> s.PFN_SHIFT
      if ((pte & present) !== 0 && pfn < s.NR_PAGES && state[pfn] !== FRAME_ALLOCATED)
        found.add(() => `page ${hex(pfn)} is free and mapped: mm ${mm.id}, ${hex(addr)}`)
    })
    checkPoison(view, found)
    return found.result()
  },
}

function page(view: RestingMachine, pfn: number, found: Findings): void {
  const { mappings, pageCache, swap } = view
  if (mappings.parents[pfn] > 0) found.add(() => `page ${hex(pfn)} is free and a page table`)
  if (pageCache.refs[pfn] > 0)
    found.add(() => `page ${hex(pfn)} is free and in the page cache, index ${pageCache.index[pfn]}`)
  if (swap.refs[pfn] > 0) found.add(() => `page ${hex(pfn)} is free and in the swap cache`)
}
