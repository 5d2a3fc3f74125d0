// Q2: map counts of pages.
import { type Check, Findings } from './check.ts'
import { FRAME_ALLOCATED } from './free_lists.ts'
import { hex } from '../inspect/names.ts'
import { count } from './resting_machine.ts'

export const mapcounts: Check = {
  id: 'Q2',
  name: 'mapcounts',
  description: '_mapcount + 1 is the number of PTEs that map the page; special ones are not counted.',
  run(view) {
    const { memory } = view
    const { NR_PAGES, page$_mapcount } = view.symbols
    const { ptes } = view.mappings
    const { state } = view.free
    const found = new Findings()
    for (let pfn = 0; pfn < NR_PAGES; pfn++) {
      if (state[pfn] !== FRAME_ALLOCATED) continue
      const mapcount = memory[view.page(pfn) + page$_mapcount]
      if (mapcount + 1 !== ptes[pfn])
        found.add(() => {
          const where = ptes[pfn] === 0 ? '' : ` (${view.mappings.describe(pfn)})`
          return (
            `page ${hex(pfn)}: _mapcount ${mapcount}, expected ${ptes[pfn] - 1}: ` +
            `${count(ptes[pfn], 'PTE')}${where}`
          )
        })
    }
    return found.result()
  },
}
