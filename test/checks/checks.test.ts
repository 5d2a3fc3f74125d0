import { beforeAll, describe, expect, test } from 'vitest'
import { runChecks, type Stage } from '../../src/checks/index.ts'
import { FRAME_BUDDY } from '../../src/checks/free_lists.ts'
import { hex } from '../../src/inspect/names.ts'
import { RestingMachine, type MmView, type VmaView } from '../../src/checks/resting_machine.ts'
import { bootFixture, buildFixture, type TestMachine } from './machine.ts'

let machine: TestMachine
let view: RestingMachine

beforeAll(async () => {
  machine = await bootFixture(await buildFixture('resting'))
  view = new RestingMachine(machine, 'running')
})

/** Checks that do not hold: `Q1 refcounts` and what they say. */
function failing(stage: Stage = 'running'): [string, string][] {
  return runChecks(machine, stage)
    .filter((one) => one.ok === false)
    .map((one) => [one.name, one.detail ?? ''])
}

/** Writes one word, runs all checks, and puts the word back. */
function corrupt(address: number, value: (old: number) => number): [string, string][] {
  const old = machine.memory[address]
  machine.memory[address] = value(old)
  try {
    return failing()
  } finally {
    machine.memory[address] = old
  }
}

/** Expects that the corrupted word fails this check and no other, and that it says so. */
function onlyFails(name: string, detail: RegExp, address: number, value: (old: number) => number): void {
  const found = corrupt(address, value)
  expect(found.map((one) => one[0])).toEqual([name])
  expect(found[0][1]).toMatch(detail)
}

const plusOne = (old: number): number => old + 1

const parent = (): MmView => view.mms[0]
const child = (): MmView => view.mms[1]
const anonVma = (mm: MmView): VmaView => mm.vmas.find((vma) => vma.mapping === 0)!
const sharedVma = (mm: MmView): VmaView => mm.vmas.find((vma) => (vma.flags & machine.s.VM_SHARED) !== 0)!
const fileVma = (mm: MmView): VmaView =>
  mm.vmas.find((vma) => vma.mapping !== 0 && (vma.flags & machine.s.VM_SHARED) === 0)!

/** Word address of the PTE of page `i` of a VMA. */
function ptep(mm: MmView, vma: VmaView, i: number): number {
  const addr = vma.start + i
  const span = machine.s.PTRS_PER_PTE
  const table = view.mappings.tables.find(
    (one) => one.level === 0 && one.mm === mm && addr >= one.start && addr < one.start + span,
  )!
  return table.entries + addr - table.start
}

/** Struct page that page `i` of a VMA is mapped to. */
function pageOf(mm: MmView, vma: VmaView, i: number): number {
  return view.page(machine.memory[ptep(mm, vma, i)] >>> machine.s.PFN_SHIFT)
}

const name = (page: number): string => hex(view.pfn(page))
const aFreePfn = (): number => view.free.state.lastIndexOf(FRAME_BUDDY)

test('a resting machine holds every check that applies', () => {
  expect(failing()).toEqual([])
  const missing = runChecks(machine, 'running').filter((one) => one.ok === 'not applicable')
  expect(missing.map((one) => one.name.split(' ')[0])).toEqual(['Q4', 'Q5', 'Q7-lru', 'Q12', 'Q13'])
})

test('the resting machine has what the tests corrupt', () => {
  const { s, memory } = machine
  expect(view.mms.length).toBe(2)
  expect(view.mms.map((mm) => mm.vmas.length)).toEqual([3, 3])
  expect(memory[pageOf(parent(), anonVma(parent()), 0) + s.page$_refcount]).toBe(2)
  expect(memory[pageOf(parent(), anonVma(parent()), 4) + s.page$_refcount]).toBe(1)
  expect(memory[ptep(parent(), anonVma(parent()), 6)] & s._PAGE_SPECIAL).not.toBe(0)
  expect(memory[pageOf(parent(), sharedVma(parent()), 0) + s.page$_refcount]).toBeGreaterThan(1)
})

describe('Q1 refcounts', () => {
  test('finds a reference too many of a page that fork shared', () => {
    const page = pageOf(parent(), anonVma(parent()), 0)
    const at = `mm ${parent().id}, ${hex(anonVma(parent()).start)}; mm ${child().id}, ${hex(anonVma(child()).start)}`
    const sentence = `page ${name(page)}: _refcount 3, expected 2: 2 PTEs (${at})`
    const found = corrupt(page + machine.s.page$_refcount, plusOne)
    expect(found).toEqual([['Q1 refcounts', sentence]])
  })
  test('finds a reference missing of a page of the page cache', () => {
    const page = pageOf(parent(), sharedVma(parent()), 0)
    onlyFails(
      'Q1 refcounts',
      /expected \d+: .*1 page cache/,
      page + machine.s.page$_refcount,
      (old) => old - 1,
    )
  })
  test('finds a reference too many of a page table', () => {
    const page = view.page(view.mappings.tables.find((one) => one.level === 0)!.pfn)
    onlyFails(
      'Q1 refcounts',
      /_refcount 2, expected 1: 1 page table/,
      page + machine.s.page$_refcount,
      plusOne,
    )
  })
})

describe('Q2 mapcounts', () => {
  test('finds a map count that is too low', () => {
    const page = pageOf(parent(), anonVma(parent()), 0)
    onlyFails(
      'Q2 mapcounts',
      /_mapcount 0, expected 1: 2 PTEs \(mm/,
      page + machine.s.page$_mapcount,
      () => 0,
    )
  })
  test('finds a page table that counts as mapped', () => {
    const page = view.page(view.mappings.tables[0].pfn)
    onlyFails('Q2 mapcounts', /_mapcount 0, expected -1: 0 PTEs/, page + machine.s.page$_mapcount, () => 0)
  })
})

describe('Q3 rss', () => {
  test('finds a counter that differs from the PTEs, deltas of tasks included', () => {
    const { s } = machine
    const word = parent().address + s.mm$rss_stat + s.MM_ANONPAGES
    onlyFails(
      'Q3 rss',
      /mm \d+: MM_ANONPAGES -?\d+( and -?\d+ in its tasks)?, expected 10: as many PTEs/,
      word,
      plusOne,
    )
  })
  test('finds a task that has counted too much', () => {
    const { s, memory } = machine
    const task = view.caches.task_struct.inUse().find((one) => memory[one + s.task$mm] === child().address)!
    onlyFails('Q3 rss', /MM_SHMEMPAGES/, task + s.task$rss_stat + s.MM_SHMEMPAGES, (old) => old - 1)
  })
  test('finds a wrong number of page tables', () => {
    onlyFails(
      'Q3 rss',
      /pgtables_bytes \d+ tables, expected \d+/,
      parent().address + machine.s.mm$pgtables_bytes,
      plusOne,
    )
  })
  test('finds an mm that was freed with pages counted', () => {
    const { base, words, count } = view.caches.mm_struct
    const mm = base + (count - 1) * words
    onlyFails('Q3 rss', /was freed with MM_FILEPAGES 1, expected 0/, mm + machine.s.mm$rss_stat, plusOne)
  })
})

describe('Q6 buddy', () => {
  test('finds a wrong number of free pages', () => {
    onlyFails('Q6 buddy', /zone: nr_free/, machine.s.ZONES + machine.s.zone$nr_free, plusOne)
  })
  test('finds a free block with another order noted', () => {
    const head = view.free.order.findIndex((order) => order >= 0)
    onlyFails(
      'Q6 buddy',
      /head of a free block .* private/,
      view.page(head) + machine.s.page$private,
      plusOne,
    )
  })
  test('finds a free page with a reference', () => {
    onlyFails(
      'Q6 buddy',
      /in a free block: _refcount 1, expected 0/,
      view.page(aFreePfn()) + machine.s.page$_refcount,
      () => 1,
    )
  })
  test('finds a free page with a mapping', () => {
    onlyFails(
      'Q6 buddy',
      /mapping 0x40, expected 0/,
      view.page(aFreePfn()) + machine.s.page$mapping,
      () => 0x40,
    )
  })
  test('finds a broken link back', () => {
    const head = view.free.order.findIndex((order) => order >= 0)
    onlyFails('Q6 buddy', /links back/, view.page(head) + machine.s.page$lru_prev, plusOne)
  })
  test("finds a wrong count of a CPU's list", () => {
    onlyFails('Q6 buddy', /cpu 0: pcp count/, machine.s.PERCPU + machine.s.pcp$count, plusOne)
  })
})

describe('Q7 free pages', () => {
  test('finds a free page that is mapped', () => {
    const pte = ptep(parent(), anonVma(parent()), 6)
    const { PFN_SHIFT } = machine.s
    const flags = (1 << PFN_SHIFT) - 1
    onlyFails(
      'Q7 free pages',
      /is free and mapped: mm/,
      pte,
      (old) => (aFreePfn() << PFN_SHIFT) | (old & flags),
    )
  })
  test('finds a free object that was written to', () => {
    const { base, words, count } = view.caches.vm_area_struct
    onlyFails(
      'Q7 free pages',
      /vm_area_struct \d+ is free and word 5/,
      base + (count - 1) * words + 5,
      () => 7,
    )
  })
})

describe('Q8 rmap', () => {
  test('finds a page with a wrong index', () => {
    const page = pageOf(parent(), anonVma(parent()), 4)
    onlyFails('Q8 rmap', /index 0x[0-9a-f]+, expected 0x/, page + machine.s.page$index, plusOne)
  })
  test('finds a page whose anon_vma no chain ties to its VMA', () => {
    const { s, memory } = machine
    const page = pageOf(parent(), anonVma(parent()), 4)
    const other = memory[anonVma(child()).address + s.vma$anon_vma]
    onlyFails(
      'Q8 rmap',
      /no chain ties its anon_vma/,
      page + s.page$mapping,
      () => other + s.PAGE_MAPPING_ANON,
    )
  })
  test('finds a page whose anon_vma is free', () => {
    const { s } = machine
    const page = pageOf(parent(), anonVma(parent()), 4)
    const { base, words, count } = view.caches.anon_vma
    const free = base + (count - 1) * words
    onlyFails('Q8 rmap', /its anon_vma \d+ is free/, page + s.page$mapping, () => free + s.PAGE_MAPPING_ANON)
  })
  test('finds a page that belongs to another object than its VMA', () => {
    const { s } = machine
    const page = pageOf(parent(), fileVma(parent()), 0)
    onlyFails('Q8 rmap', /the VMA's object/, page + s.page$mapping, () => sharedVma(parent()).mapping)
  })
  test('finds an anon_vma that has lost its chains', () => {
    const { s, memory } = machine
    const own = memory[anonVma(parent()).address + s.vma$anon_vma]
    onlyFails('Q8 rmap', /does not list the chain of the VMA/, own + s.anon_vma$rb_root, () => 0)
  })
})

describe('Q9 quiescence', () => {
  test('finds a locked page', () => {
    const { s } = machine
    const page = pageOf(parent(), sharedVma(parent()), 0)
    onlyFails('Q9 quiescence', /has PG_locked at rest/, page + s.page$flags, (old) => old | s.PG_locked)
  })
  test('finds a page that is waited for', () => {
    const { s } = machine
    const page = pageOf(parent(), anonVma(parent()), 4)
    onlyFails('Q9 quiescence', /has PG_waiters at rest/, page + s.page$flags, (old) => old | s.PG_waiters)
  })
  test('finds a flush that is pending', () => {
    onlyFails(
      'Q9 quiescence',
      /tlb_flush_pending 1/,
      parent().address + machine.s.mm$tlb_flush_pending,
      plusOne,
    )
  })
  test('finds a translation of a CPU without an mm', () => {
    const { s } = machine
    onlyFails(
      'Q9 quiescence',
      /cpu 2: its TLB translates 0x7 /,
      s.PERCPU + 2 * s.PERCPU_WORDS + s.percpu$tlb,
      () => 8,
    )
  })
  test('finds an entry that is neither present nor none', () => {
    const pte = ptep(parent(), anonVma(parent()), 10)
    onlyFails('Q9 quiescence', /neither present nor none/, pte, () => 0x1002)
  })
  test('finds a lock that a CPU still holds', () => {
    const { s } = machine
    onlyFails(
      'Q9 quiescence',
      /cpu 1 holds 1 locks/,
      s.PERCPU + s.PERCPU_WORDS + s.percpu$held_count,
      plusOne,
    )
  })
  test('finds a CPU in mm_cpumask that does not have the mm', () => {
    onlyFails('Q9 quiescence', /mm_cpumask has cpu 3/, parent().address + machine.s.mm$cpu_bitmap, () => 8)
  })
})

describe('Q10 PageAnonExclusive', () => {
  test('finds a writable anonymous page that is not exclusive', () => {
    const { s } = machine
    const page = pageOf(parent(), anonVma(parent()), 4)
    onlyFails(
      'Q10 PageAnonExclusive',
      /may be written/,
      page + s.page$flags,
      (old) => old & ~s.PG_anon_exclusive,
    )
  })
  test('finds an exclusive page that is mapped twice', () => {
    const { s } = machine
    const page = pageOf(parent(), anonVma(parent()), 0)
    onlyFails(
      'Q10 PageAnonExclusive',
      /mapped 2 times/,
      page + s.page$flags,
      (old) => old | s.PG_anon_exclusive,
    )
  })
  test('does not apply where COW reuses by the reference count', async () => {
    const other = await bootFixture(await buildFixture('resting', { COW_REUSE: 'refcount' }))
    const result = runChecks(other, 'running').find((one) => one.name.startsWith('Q10'))!
    expect(result.ok).toBe('not applicable')
  })
})

describe('Q11 leaks', () => {
  test('finds a slab that counts wrongly', () => {
    const { s } = machine
    const counters = s.TASK_SLABS + s.slab$counters
    onlyFails(
      'Q11 leaks',
      /task_struct: slab 0: in use 4, expected 3/,
      counters,
      (word) => word + s.SLAB_INUSE_ONE,
    )
  })
  test('finds a slab of a CPU that is not frozen', () => {
    const { s } = machine
    const counters = s.TASK_SLABS + s.slab$counters
    onlyFails('Q11 leaks', /slab 0 of cpu 0 is not frozen/, counters, (word) => word & ~s.SLAB_FROZEN)
  })
  test('finds a page table that is reached from two entries', () => {
    const { memory, s } = machine
    const upper = (mm: MmView): Int32Array => {
      const { entries } = view.mappings.tables.find((one) => one.level === 1 && one.mm === mm)!
      return memory.subarray(entries, entries + s.PTRS_PER_PMD)
    }
    const used = upper(parent()).find((entry) => entry !== 0)!
    const empty = upper(child()).indexOf(0)
    const address = upper(child()).byteOffset / 4 + empty
    onlyFails('Q11 leaks', /is reached from 2 entries, expected 1/, address, () => used)
  })
  test('finds a VMA that belongs to another mm', () => {
    onlyFails('Q11 leaks', /vm_mm 0x/, anonVma(parent()).address + machine.s.vma$vm_mm, () => child().address)
  })
  test('finds an mm with a user too many', () => {
    onlyFails('Q11 leaks', /mm_users 2, expected 1/, parent().address + machine.s.mm$mm_users, plusOne)
  })
  test('finds a page that its object counts no more', () => {
    const mapping = sharedVma(parent()).mapping
    onlyFails(
      'Q11 leaks',
      /nrpages 3, expected 4/,
      mapping + machine.s.address_space$nrpages,
      (old) => old - 1,
    )
  })
  test('finds an object with fewer references than mappings', () => {
    const mapping = sharedVma(parent()).mapping
    onlyFails(
      'Q11 leaks',
      /i_count 1, expected at least 2/,
      mapping + machine.s.address_space$i_count,
      () => 1,
    )
  })
  test('finds a task that no queue has', () => {
    const { s } = machine
    onlyFails('Q11 leaks', /can run and is on no queue|nr_running/, s.RQ + s.rq$head, () => 0)
  })
  test('finds a free list of objects that leads nowhere', () => {
    const { s } = machine
    const cpu = s.PERCPU + s.percpu$kmem_cache_cpu + 2 * s.KMEM_CACHE_CPU_WORDS
    const found = corrupt(cpu + s.kmem_cache_cpu$freelist, () => 12345)
    expect(found.map((one) => one[0])).toContain('Q11 leaks')
  })
  test('finds what is left after teardown', () => {
    expect(failing('torn-down')).toEqual([
      ['Q11 leaks', expect.stringMatching(/left after teardown/) as string],
    ])
  })
})

test('a machine whose tasks have all exited holds every check and has all its pages back', async () => {
  const other = await bootFixture(await buildFixture('resting'))
  other.kernel.exit_all_tasks()
  const bad = runChecks(other, 'torn-down').filter((one) => one.ok === false)
  expect(bad).toEqual([])
})

test('a parent that sleeps until its child ends is on no queue when both have exited, whoever is first', async () => {
  const other = await bootFixture(await buildFixture('resting'))
  const { kernel, memory, s } = other
  const [first, second] = [s.TASKS, s.TASKS + s.TASK_WORDS]
  expect([memory[second + s.task$parent], memory[first + s.task$children]]).toEqual([first, second])
  // The child has the lower place, as in a machine that has used places again.
  for (const [task, parent, children] of [
    [first, second, 0],
    [second, 0, first],
  ]) {
    memory[task + s.task$parent] = parent
    memory[task + s.task$children] = children
    memory[task + s.task$sibling] = 0
  }
  memory[second + s.task$__state] = s.TASK_INTERRUPTIBLE
  kernel.exit_all_tasks()
  expect(runChecks(other, 'torn-down').filter((one) => one.ok === false)).toEqual([])
})

test('looks at 65,536 pages in a moment', async () => {
  const large = await bootFixture(await buildFixture('resting', { MEMORY: '256M', NR_CPUS: 64 }))
  const before = process.cpuUsage()
  expect(runChecks(large, 'running').filter((one) => one.ok === false)).toEqual([])
  // 100 ms is the aim; the bound leaves room for a test runner and a busy machine.
  expect(process.cpuUsage(before).user / 1000).toBeLessThan(1500)
})
