// Q6: the buddy allocator's structure and the CPUs' lists of free pages.
import { type Check, Findings } from './check.ts'
import { FRAME_ALLOCATED, FRAME_BUDDY, nodeOf } from './free_lists.ts'
import { hex } from '../inspect/names.ts'
import type { RestingMachine } from './resting_machine.ts'

export const buddy: Check = {
  id: 'Q6',
  name: 'buddy',
  description:
    'Free blocks are aligned, disjoint, on one list, merged as far as possible and made of clean ' +
    'pages; the counts agree.',
  run(view) {
    const { symbols: s } = view
    const found = new Findings()
    for (const problem of view.free.problems) found.add(() => problem)
    counts(view, found)
    for (let pfn = 0; pfn < s.NR_PAGES; pfn++) page(view, pfn, found)
    return found.result()
  },
}

function counts(view: RestingMachine, found: Findings): void {
  const { memory, symbols: s } = view
  const managed = view.free.nodeBuddyPages.map(() => 0)
  for (let pfn = 0; pfn < s.NR_PAGES; pfn++)
    if ((memory[view.page(pfn) + s.page$flags] & s.PG_reserved) === 0) managed[nodeOf(view, pfn)]++
  view.free.nodeBuddyPages.forEach((pages, nid) => {
    const zone = view.zone(nid)
    const name = s.NODES === 1 ? 'zone' : `zone ${nid}`
    const free = memory[zone + s.zone$nr_free]
    if (free !== pages)
      found.add(() => `${name}: nr_free ${free}, expected ${pages}, as many as the free areas have`)
    const counted = memory[zone + s.zone$managed_pages]
    if (counted !== managed[nid])
      found.add(() => `${name}: managed_pages ${counted}, expected ${managed[nid]}: all but the reserved`)
  })
}

function page(view: RestingMachine, pfn: number, found: Findings): void {
  const { memory, symbols: s } = view
  const { state, order } = view.free
  const at = view.page(pfn)
  const flags = memory[at + s.page$flags]
  const buddyFlag = (flags & s.PG_buddy) !== 0
  if (buddyFlag !== order[pfn] >= 0)
    found.add(() =>
      buddyFlag
        ? `page ${hex(pfn)} has PG_buddy and is the head of no block on a free list`
        : `page ${hex(pfn)}, head of a free block of order ${order[pfn]}, lacks PG_buddy`,
    )
  if (state[pfn] === FRAME_ALLOCATED) return
  const where = state[pfn] === FRAME_BUDDY ? 'in a free block' : "on a CPU's list"
  const say = (what: string): void => found.add(() => `page ${hex(pfn)}, ${where}: ${what}`)
  if (memory[at + s.page$_refcount] !== 0) say(`_refcount ${memory[at + s.page$_refcount]}, expected 0`)
  if (memory[at + s.page$_mapcount] !== -1) say(`_mapcount ${memory[at + s.page$_mapcount]}, expected -1`)
  if (memory[at + s.page$mapping] !== 0) say(`mapping ${hex(memory[at + s.page$mapping])}, expected 0`)
  const bad = flags & s.PAGE_FLAGS_CHECK_AT_FREE & ~s.PG_buddy
  if (bad !== 0) say(`flags ${hex(flags)}, expected none of ${hex(bad)}`)
  if (order[pfn] >= 0) block(view, pfn, found)
}

/** The head of a free block. */
function block(view: RestingMachine, pfn: number, found: Findings): void {
  const { memory, symbols: s } = view
  const order = view.free.order[pfn]
  const stored = memory[view.page(pfn) + s.page$private]
  if (stored !== order)
    found.add(
      () => `page ${hex(pfn)}, head of a free block of order ${order}: private ${stored}, expected ${order}`,
    )
  const other = pfn ^ (1 << order)
  const mergeable = order < s.MAX_ORDER - 1 && nodeOf(view, pfn) === nodeOf(view, other)
  if (mergeable && pfn < other && view.free.order[other] === order)
    found.add(
      () => `pages ${hex(pfn)} and ${hex(other)} are free buddies of order ${order} that were not merged`,
    )
}
