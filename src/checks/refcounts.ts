// Q1: references of pages.
import { type Check, Findings } from './check.ts'
import { FRAME_ALLOCATED } from './free_lists.ts'
import { hex } from '../inspect/names.ts'
import { count, type RestingMachine } from './resting_machine.ts'

export const refcounts: Check = {
  id: 'Q1',
  name: 'refcounts',
  description:
    'A page has one reference for each PTE that maps it and one for the page cache or the swap ' +
    'cache; a page table has one.',
  run(view) {
    const { memory } = view
    const { NR_PAGES, page$_refcount } = view.symbols
    const { ptes, parents } = view.mappings
    const { refs } = view.pageCache
    const { state } = view.free
    const found = new Findings()
    for (let pfn = 0; pfn < NR_PAGES; pfn++) {
      // A free page that is mapped is for Q7, an allocated one that nobody has for Q11.
      const expected =
        ptes[pfn] + refs[pfn] + Math.min(parents[pfn], 1) + view.swap.refs[pfn] + view.swap.continuation[pfn]
      if (expected === 0 || state[pfn] !== FRAME_ALLOCATED) continue
      const refcount = memory[view.page(pfn) + page$_refcount]
      if (refcount !== expected)
        found.add(
          () => `page ${hex(pfn)}: _refcount ${refcount}, expected ${expected}: ${holders(view, pfn)}`,
        )
    }
    return found.result()
  },
}

/** `1 PTE (mm 1, 0x7000), 1 page cache`. */
function holders(view: RestingMachine, pfn: number): string {
  const { ptes, parents } = view.mappings
  const parts: string[] = []
  if (ptes[pfn] > 0) parts.push(`${count(ptes[pfn], 'PTE')} (${view.mappings.describe(pfn)})`)
  if (view.pageCache.refs[pfn] > 0) parts.push(`${view.pageCache.refs[pfn]} page cache`)
  if (view.swap.refs[pfn] > 0) parts.push(`${view.swap.refs[pfn]} swap cache`)
  if (view.swap.continuation[pfn] > 0) parts.push('1 continuation of a swap map')
  if (parents[pfn] > 0) parts.push('1 page table')
  return parts.join(', ')
}
