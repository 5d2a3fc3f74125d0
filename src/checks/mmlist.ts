// Q5: mmlist.
import { type Check, Findings } from './check.ts'
import { hex } from '../inspect/names.ts'
import { count, type RestingMachine } from './resting_machine.ts'

export const mmlist: Check = {
  id: 'Q5',
  name: 'mmlist',
  description:
    'An mm with swap entries is on init_mm.mmlist, which leads to mms in use only, forwards as backwards.',
  run(view) {
    const { memory, symbols: s } = view
    if (s.SWAP === 0) return 'not applicable'
    const found = new Findings()
    const listed = walkList(view, found)
    for (const mm of view.mms) {
      const entries = view.swap.entriesOf.get(mm.address) ?? 0
      if (entries > 0 && !listed.has(mm.address))
        found.add(() => `mm ${mm.id} names ${count(entries, 'swap slot')} and is not on mmlist`)
      const node = mm.address + s.mm$mmlist_next
      if (!listed.has(mm.address) && memory[node] !== node)
        found.add(() => `mm ${mm.id} is not on mmlist, and its mmlist leads to ${hex(memory[node])}`)
    }
    return found.result()
  },
}

function walkList(view: RestingMachine, found: Findings): Set<number> {
  const { memory, symbols: s } = view
  const head = s.machine$mmlist
  const listed = new Set<number>()
  let before = head
  for (let node = memory[head]; node !== head; node = memory[node]) {
    const mm = node - s.mm$mmlist_next
    if (!view.caches.mm_struct.isInUse(mm) || listed.has(mm)) {
      found.add(
        () =>
          `mmlist leads to ${hex(node)}, ${listed.has(mm) ? 'which is on it before' : 'which is in no mm in use'}`,
      )
      return listed
    }
    if (memory[node + 1] !== before)
      found.add(
        () =>
          `mmlist: mm ${memory[mm + s.mm$id]} links back to ${hex(memory[node + 1])}, expected ${hex(before)}`,
      )
    listed.add(mm)
    before = node
  }
  if (memory[head + 1] !== before)
    found.add(() => `mmlist: the head links back to ${hex(memory[head + 1])}, expected ${hex(before)}`)
  return listed
}
