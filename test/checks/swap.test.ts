// Q4, Q5 and what the other checks at rest say about swap: each test corrupts one word of a resting machine.
import { beforeAll, describe, expect, test } from 'vitest'
import { runChecks } from '../../src/checks/index.ts'
import { readSwapEntry } from '../../src/inspect/swap_entries.ts'
import { RestingMachine } from '../../src/checks/resting_machine.ts'
import { bootFixture, buildFixture, type TestMachine } from './machine.ts'

let machine: TestMachine
let view: RestingMachine

beforeAll(async () => {
  machine = await bootFixture(await buildFixture('resting_swapped', { SWAP: 'y', SWAP_MAP_MAX: 1 }))
  view = new RestingMachine(machine, 'running')
})

function failing(): [string, string][] {
  return runChecks(machine, 'running')
    .filter((one) => one.ok === false)
    .map((one) => [one.name, one.detail ?? ''])
}

/** Expects that the corrupted word fails this check and no other, and that it says so. */
function onlyFails(name: string, detail: RegExp, address: number, value: (old: number) => number): void {
  const old = machine.memory[address]
  machine.memory[address] = value(old)
  const found = failing()
  machine.memory[address] = old
  expect(found.map((one) => one[0])).toEqual([name])
  expect(found[0][1]).toMatch(detail)
}

/** Address of the first PTE that is a swap entry for which `wanted` holds, and its slot. */
function swapPte(wanted: (slot: number, exclusive: boolean) => boolean): { address: number; slot: number } {
  const { symbols: s, memory } = view
  for (const { entries } of view.mappings.tables.filter((table) => table.level === 0))
    for (let i = 0; i < s.PTRS_PER_PTE; i++) {
      const pte = memory[entries + i]
      if (pte === 0 || (pte & s._PAGE_PRESENT) !== 0) continue
      const { offset, exclusive } = readSwapEntry(s, pte)
      if (wanted(offset, exclusive)) return { address: entries + i, slot: offset }
    }
  throw new Error('no such entry')
}

const cached = (slot: number): boolean => machine.memory[machine.s.SWAP_CACHE + slot] !== 0

test('a resting machine with swap holds every check', () => {
  expect(failing()).toEqual([])
  const { SWAP_MAP } = machine.s
  expect(view.swap.entries[1]).toBeGreaterThan(0)
  expect([...view.swap.exclusive].some((n) => n > 0)).toBe(true)
  const shared = swapPte((slot, exclusive) => !exclusive && !cached(slot))
  expect(machine.memory[SWAP_MAP + shared.slot] & machine.s.COUNT_CONTINUED).not.toBe(0)
})

describe('Q4 swap counts', () => {
  test('finds a use too few', () => {
    const { slot } = swapPte((_, exclusive) => exclusive)
    onlyFails(
      'Q4 swap counts',
      /swp 0:\d+: the swap map .* counts 0, expected 1/,
      machine.s.SWAP_MAP + slot,
      (old) => old - 1,
    )
  })
  test('finds a continuation that counts wrong', () => {
    const { s, memory } = machine
    const { slot } = swapPte((each, exclusive) => !exclusive && !cached(each))
    const page = memory[s.SWAP_CONT + Math.floor(slot / s.CONTENT_WORDS)]
    const word = s.CONTENT + view.pfn(page) * s.CONTENT_WORDS + (slot % s.CONTENT_WORDS)
    onlyFails('Q4 swap counts', /counts \d+, expected \d+/, word, (old) => old + 1)
  })
  test('finds SWAP_HAS_CACHE without a page', () => {
    const { slot } = swapPte((_, exclusive) => exclusive)
    onlyFails(
      'Q4 swap counts',
      /not in the swap cache with SWAP_HAS_CACHE/,
      machine.s.SWAP_MAP + slot,
      (old) => old | machine.s.SWAP_HAS_CACHE,
    )
  })
  test('finds a page whose private is another slot', () => {
    const { slot } = swapPte((each) => cached(each))
    const page = machine.memory[machine.s.SWAP_CACHE + slot]
    onlyFails(
      'Q4 swap counts',
      /its page 0x\w+ has private/,
      page + machine.s.page$private,
      (old) => old + 0x1000,
    )
  })
  test('finds a device that miscounts', () => {
    onlyFails(
      'Q4 swap counts',
      /inuse_pages \d+, expected/,
      machine.s.SWAP_INFO + machine.s.swap_info$inuse_pages,
      (old) => old + 1,
    )
    onlyFails(
      'Q4 swap counts',
      /nr_swap_pages \d+, expected/,
      machine.s.SWAP_AREA + machine.s.swap$nr_swap_pages,
      (old) => old - 1,
    )
  })
  test('finds a device that is still held', () => {
    onlyFails('Q4 swap counts', /users 0x1 at rest/, machine.s.SWAP_INFO + machine.s.swap_info$users, () => 1)
  })
})

describe('Q5 mmlist', () => {
  test('finds an mm that is not on it', () => {
    const { s, memory } = machine
    const first = memory[s.machine$mmlist]
    onlyFails('Q5 mmlist', /is not on mmlist/, s.machine$mmlist, () => memory[first])
  })
  test('finds a broken link back', () => {
    onlyFails('Q5 mmlist', /links back to/, machine.memory[machine.s.machine$mmlist] + 1, (old) => old + 16)
  })
})

describe('the other checks', () => {
  test('Q3 finds a swap entry that is not counted', () => {
    const mm = view.mms.find((each) => view.swap.entriesOf.has(each.address))!.address
    onlyFails('Q3 rss', /MM_SWAPENTS/, mm + machine.s.mm$rss_stat + machine.s.MM_SWAPENTS, (old) => old + 1)
  })
  test('Q1 counts the reference of the swap cache', () => {
    const { slot } = swapPte((each) => cached(each))
    const page = machine.memory[machine.s.SWAP_CACHE + slot]
    onlyFails('Q1 refcounts', /1 swap cache/, page + machine.s.page$_refcount, (old) => old + 1)
  })
  test('Q10 finds a shared entry that is exclusive', () => {
    const { address } = swapPte((each, exclusive) => !exclusive && !cached(each))
    onlyFails('Q10 PageAnonExclusive', /an entry is exclusive/, address, (old) => old | (1 << 6))
  })
  test('Q9 finds a flush that reclaim has deferred', () => {
    onlyFails('Q9 quiescence', /defers a flush/, machine.s.PERCPU + machine.s.tlb_ubc$flush_required, () => 1)
  })
})
