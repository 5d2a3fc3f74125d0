// Q9: a machine at rest is at rest: nothing locked, nothing pending, no translation left that the page tables lack.
import { type Check, Findings } from './check.ts'
import { FRAME_ALLOCATED } from './free_lists.ts'
import { readSwapEntry } from '../inspect/swap_entries.ts'
import { hex } from '../inspect/names.ts'
import type { RestingMachine } from './resting_machine.ts'

export const quiescence: Check = {
  id: 'Q9',
  name: 'quiescence',
  description:
    'No page is locked or waited for, no CPU holds a lock or defers a flush, no PTE is in migration, ' +
    'and every TLB entry is part of its PTE.',
  run(view) {
    const found = new Findings()
    pages(view, found)
    for (const mm of view.mms) {
      const pending = view.memory[mm.address + view.symbols.mm$tlb_flush_pending]
      if (pending !== 0) found.add(() => `mm ${mm.id}: tlb_flush_pending ${pending}, expected 0`)
    }
    entries(view, found)
    for (let cpu = 0; cpu < view.symbols.NR_CPUS; cpu++) {
      cpuState(view, cpu, found)
      tlb(view, cpu, found)
    }
    cpumasks(view, found)
    return found.result()
  },
}

function pages(view: RestingMachine, found: Findings): void {
  const { memory, symbols: s } = view
  const flags: [string, number][] = [
    ['PG_locked', s.PG_locked],
    ['PG_waiters', s.PG_waiters],
    ['PG_writeback', s.PG_writeback],
  ]
  const any = s.PG_locked | s.PG_waiters | s.PG_writeback
  for (let pfn = 0; pfn < s.NR_PAGES; pfn++) {
    const word = memory[view.page(pfn) + s.page$flags]
    // Flags of free pages are for Q6.
    if ((word & any) === 0 || view.free.state[pfn] !== FRAME_ALLOCATED) continue
    for (const [name, flag] of flags)
      if ((word & flag) !== 0) found.add(() => `page ${hex(pfn)} has ${name} at rest`)
  }
}

/** An entry is present or none, or with SWAP of swap or the mark of a page that could not be read. */
function entries(view: RestingMachine, found: Findings): void {
  const { symbols: s } = view
  const present = s._PAGE_PRESENT | s._PAGE_PROTNONE
  view.mappings.forEachPte((pte, addr, mm) => {
    if ((pte & present) !== 0) return
    const { kind, offset } = readSwapEntry(s, pte)
    if (kind === 'migration')
      found.add(() => `mm ${mm.id}, ${hex(addr)}: page ${hex(offset)} is in migration at rest`)
    else if (s.SWAP === 0)
      found.add(() => `mm ${mm.id}, ${hex(addr)}: PTE ${hex(pte)} is neither present nor none`)
  })
}

function cpuState(view: RestingMachine, cpu: number, found: Findings): void {
  const { memory, symbols: s } = view
  const area = s.PERCPU + cpu * s.PERCPU_WORDS
  const held = memory[area + s.percpu$held_count]
  if (held !== 0)
    found.add(
      () =>
        `cpu ${cpu} holds ${held} locks, the last at ${hex(memory[area + s.percpu$held_locks + held - 1])}`,
    )
  if (memory[area + s.percpu$irqs_off] !== 0) found.add(() => `cpu ${cpu} has interrupts off`)
  if (memory[area + s.tlb_ubc$flush_required] !== 0)
    found.add(() => `cpu ${cpu} defers a flush of what reclaim has unmapped`)
  if (memory[area + s.tlb$mm] !== 0)
    found.add(() => `cpu ${cpu} has an unfinished mmu_gather of ${hex(memory[area + s.tlb$mm])}`)
}

function tlb(view: RestingMachine, cpu: number, found: Findings): void {
  const { memory, symbols: s } = view
  const area = s.PERCPU + cpu * s.PERCPU_WORDS
  const loaded = memory[area + s.percpu$loaded_mm]
  const mm = view.mms.find((one) => one.address === loaded)
  if (loaded !== 0 && !mm) found.add(() => `cpu ${cpu}: loaded_mm ${hex(loaded)} is no mm in use`)
  const rights = s._PAGE_RW | s._PAGE_DIRTY
  for (let i = 0; i < s.TLB_ENTRIES; i++) {
    const tag = memory[area + s.percpu$tlb + 2 * i]
    if (tag === 0) continue
    const addr = tag - 1
    const cached = memory[area + s.percpu$tlb + 2 * i + 1]
    const pte = mm ? view.mappings.lookup(mm.address, addr) : 0
    const lacks = cached & rights & ~pte
    if ((pte & s._PAGE_PRESENT) === 0 || cached >>> s.PFN_SHIFT !== pte >>> s.PFN_SHIFT || lacks !== 0)
      found.add(
        () =>
          `cpu ${cpu}: its TLB translates ${hex(addr)} by ${hex(cached)}, expected ` +
          `${mm ? `no more than mm ${mm.id}'s PTE ${hex(pte)}` : 'an empty TLB, since it has no mm'}`,
      )
  }
}

/** mm_cpumask names the CPUs that have the mm loaded. */
function cpumasks(view: RestingMachine, found: Findings): void {
  const { memory, symbols: s } = view
  for (const mm of view.mms)
    for (let cpu = 0; cpu < s.NR_CPUS; cpu++) {
      const bit = (memory[mm.address + s.mm$cpu_bitmap + (cpu >> 5)] >>> (cpu & 31)) & 1
      const loaded = memory[s.PERCPU + cpu * s.PERCPU_WORDS + s.percpu$loaded_mm] === mm.address ? 1 : 0
      if (bit !== loaded)
        found.add(
          () =>
            `mm ${mm.id}: mm_cpumask ${bit ? 'has' : 'lacks'} cpu ${cpu}, expected ${loaded ? 'it' : 'not'}`,
        )
    }
}
