// Q3: resident set sizes and the number of page tables.
import { type Check, Findings } from './check.ts'
import { readSwapEntry } from '../inspect/swap_entries.ts'
import { count, type RestingMachine } from './resting_machine.ts'

export const rss: Check = {
  id: 'Q3',
  name: 'rss',
  description:
    "An mm's counters and what its tasks have not added yet equal its PTEs, kind by kind, and its " +
    'page tables; all are 0 when the mm is freed.',
  run(view) {
    const { memory, symbols: s } = view
    const names = memberNames(view)
    const expected = walkCounters(view)
    const found = new Findings()
    for (const mm of view.mms) {
      const want = expected.get(mm.address)!
      for (let member = 0; member < s.NR_MM_COUNTERS; member++) {
        const counter = memory[mm.address + s.mm$rss_stat + member]
        const deltas = taskDeltas(view, mm.address, member)
        if (counter + deltas !== want.pages[member])
          found.add(
            () =>
              `mm ${mm.id}: ${names[member]} ` +
              `${counter}${deltas === 0 ? '' : ` and ${deltas} in its tasks`}, expected ` +
              `${want.pages[member]}: as many PTEs`,
          )
      }
      const tables = memory[mm.address + s.mm$pgtables_bytes]
      if (tables !== want.tables)
        found.add(
          () =>
            `mm ${mm.id}: pgtables_bytes ${count(tables, 'table')}, expected ${want.tables}, as in its tree`,
        )
    }
    freedMms(view, names, found)
    return found.result()
  },
}

function memberNames(view: RestingMachine): string[] {
  const { symbols: s } = view
  const names: string[] = []
  names[s.MM_FILEPAGES] = 'MM_FILEPAGES'
  names[s.MM_ANONPAGES] = 'MM_ANONPAGES'
  names[s.MM_SWAPENTS] = 'MM_SWAPENTS'
  names[s.MM_SHMEMPAGES] = 'MM_SHMEMPAGES'
  return names
}

/** What the page tables of each mm say. */
function walkCounters(view: RestingMachine): Map<number, { pages: number[]; tables: number }> {
  const { memory, symbols: s } = view
  const counters = new Map(
    view.mms.map((mm) => [mm.address, { pages: Array<number>(s.NR_MM_COUNTERS).fill(0), tables: 0 }]),
  )
  // The top table is the mm's own and not counted.
  for (const { mm, level } of view.mappings.tables)
    if (level < s.PGTABLE_LEVELS - 1) counters.get(mm.address)!.tables++
  const present = s._PAGE_PRESENT | s._PAGE_PROTNONE
  view.mappings.forEachPte((pte, _addr, mm) => {
    const pfn = pte >>> s.PFN_SHIFT
    if (s.SWAP !== 0 && (pte & present) === 0 && readSwapEntry(s, pte).kind === 'swap')
      counters.get(mm.address)!.pages[s.MM_SWAPENTS]++
    if ((pte & present) === 0 || (pte & s._PAGE_SPECIAL) !== 0 || pfn >= s.NR_PAGES) return
    const page = view.page(pfn)
    const anon = (memory[page + s.page$mapping] & s.PAGE_MAPPING_ANON) !== 0
    const file = (memory[page + s.page$flags] & s.PG_swapbacked) !== 0 ? s.MM_SHMEMPAGES : s.MM_FILEPAGES
    counters.get(mm.address)!.pages[anon ? s.MM_ANONPAGES : file]++
  })
  return counters
}

/** What the tasks of an mm have counted and not added yet. */
function taskDeltas(view: RestingMachine, mm: number, member: number): number {
  const { memory, symbols: s } = view
  let sum = 0
  for (const task of view.caches.task_struct.inUse())
    if (memory[task + s.task$mm] === mm) sum += memory[task + s.task$rss_stat + member]
  return sum
}

/** The counters stay in a freed mm_struct as they were: check_mm's "Bad rss-counter state". */
function freedMms(view: RestingMachine, names: readonly string[], found: Findings): void {
  const { memory, symbols: s } = view
  const { base, words, free } = view.caches.mm_struct
  for (let i = 0; i < free.length; i++) {
    if (free[i] === 0) continue
    const mm = base + i * words
    for (let member = 0; member < s.NR_MM_COUNTERS; member++) {
      const counter = memory[mm + s.mm$rss_stat + member]
      if (counter !== 0)
        found.add(() => `mm_struct ${i} was freed with ${names[member]} ${counter}, expected 0`)
    }
    const tables = memory[mm + s.mm$pgtables_bytes]
    if (tables !== 0) found.add(() => `mm_struct ${i} was freed with pgtables_bytes ${tables}, expected 0`)
  }
}
