// Q7-lru: the LRU lists, by a walk of each.
import { type Check, Findings } from './check.ts'
import { FRAME_ALLOCATED } from './free_lists.ts'
import { hex } from '../inspect/names.ts'
import type { RestingMachine } from './resting_machine.ts'

const LISTS = ['inactive_anon', 'active_anon', 'inactive_file', 'active_file']

export const lru: Check = {
  id: 'Q7-lru',
  name: 'LRU lists',
  description:
    'A page is on one LRU list at most, the one that its flags say, exactly if it has PG_lru; each ' +
    'list counts its pages.',
  run(view) {
    const { memory, symbols: s } = view
    if (s.NR_LRUVECS === 0) return 'not applicable'
    const found = new Findings()
    const on = new Uint8Array(s.NR_PAGES)
    for (let i = 0; i < s.NR_LRUVECS; i++)
      for (let list = 0; list < s.NR_LRU_LISTS; list++) walk(view, i, list, on, found)
    for (let pfn = 0; pfn < s.NR_PAGES; pfn++) {
      // Flags of free pages are for Q6.
      if (view.free.state[pfn] !== FRAME_ALLOCATED || on[pfn] !== 0) continue
      if ((memory[view.page(pfn) + s.page$flags] & s.PG_lru) !== 0)
        found.add(() => `page ${hex(pfn)} has PG_lru and is on no list`)
    }
    return found.result()
  },
}

/** Follows one list and marks its pages in `on`. */
function walk(view: RestingMachine, index: number, list: number, on: Uint8Array, found: Findings): void {
  const { memory, symbols: s } = view
  const lruvec = s.LRUVECS + index * s.LRUVEC_WORDS
  const head = lruvec + s.lruvec$lists + 2 * list
  const name = `${index === 0 ? '' : `lruvec ${index}, `}${LISTS[list]}`
  let length = 0
  let previous = head
  for (let link = memory[head]; link !== head; link = memory[link]) {
    const pfn = view.pfn(link - s.page$lru_next)
    if (pfn < 0) {
      found.add(() => `${name} leads to ${hex(link)}, which is no page`)
      return
    }
    if (on[pfn] !== 0) {
      found.add(() => `page ${hex(pfn)} is on ${name}, and on a list before it`)
      return
    }
    on[pfn] = 1
    if (memory[link + 1] !== previous)
      found.add(
        () => `${name}: page ${hex(pfn)} links back to ${hex(memory[link + 1])}, expected ${hex(previous)}`,
      )
    page(view, pfn, list, name, found)
    previous = link
    length++
  }
  const counted = memory[lruvec + s.lruvec$lru_size + list]
  if (counted !== length) found.add(() => `${name} counts ${counted} pages, expected ${length}`)
}

/** The flags of a page that is on a list. */
function page(view: RestingMachine, pfn: number, list: number, name: string, found: Findings): void {
  const { memory, symbols: s } = view
  const flags = memory[view.page(pfn) + s.page$flags]
  if ((flags & s.PG_lru) === 0) found.add(() => `page ${hex(pfn)} is on ${name} without PG_lru`)
  const expected =
    ((flags & s.PG_swapbacked) !== 0 ? 0 : s.LRU_FILE) + ((flags & s.PG_active) !== 0 ? s.LRU_ACTIVE : 0)
  if (expected !== list)
    found.add(() => `page ${hex(pfn)} is on ${name}, expected ${LISTS[expected]} by its flags ${hex(flags)}`)
}
