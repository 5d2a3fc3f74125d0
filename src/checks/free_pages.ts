// Q7: nothing that is free is in use.
import { type Check, Findings } from './check.ts'
import { FRAME_ALLOCATED } from './free_lists.ts'
import type { ObjectCache } from './objects.ts'
import { hex } from '../inspect/names.ts'
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
    for (const cache of Object.values(view.caches)) poison(view, cache, found)
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

/**
 * The first words of a freed object hold POISON_FREE, but for the first, which links the list; never used ones are 0.
 */
function poison(view: RestingMachine, cache: ObjectCache, found: Findings): void {
  const { memory, symbols: s } = view
  const { base, count, free, words } = cache
  const poisoned = s.POISON_FREE
  for (let i = 0, object = base; i < count; i++, object += words) {
    if (free[i] === 0) continue
    const expected = memory[object + 1] === 0 && memory[object + 2] === 0 ? 0 : poisoned
    for (let at = object + 1, end = object + Math.min(words, 16); at < end; at++)
      if (memory[at] !== expected) found.add(written(view, cache, at, expected))
  }
}

/** Tells of the word at `at` of a free object. Apart from the walk: variables that a closure shares are slow. */
function written(view: RestingMachine, cache: ObjectCache, at: number, expected: number): () => string {
  const i = Math.floor((at - cache.base) / cache.words)
  const word = at - cache.base - i * cache.words
  return () =>
    `${cache.name} ${i} is free and word ${word} of it is ${hex(view.memory[at])}, expected ${hex(expected)}`
}
