// What Q11 says of charges to groups: each test corrupts one word of a resting machine.
import { beforeAll, expect, test } from 'vitest'
import { runChecks } from '../../src/checks/index.ts'
import { bootFixture, buildFixture, type TestMachine } from './machine.ts'

let machine: TestMachine

beforeAll(async () => {
  machine = await bootFixture(await buildFixture('resting_charged', { SWAP: 'y', MEMCG: 'y' }))
})

/** Writes one word, and returns what fails: `Q1 refcounts: …`. */
function corrupt(address: number, value: (old: number) => number): string[] {
  const old = machine.memory[address]
  machine.memory[address] = value(old)
  const failed = runChecks(machine, 'running').filter((one) => one.ok === false)
  machine.memory[address] = old
  return failed.map((one) => `${one.name}: ${one.detail}`)
}

const group = (i: number): number => machine.s.MEM_CGROUPS + i * machine.s.MEM_CGROUP_WORDS
const usage = (i: number): number => group(i) + machine.s.mem_cgroup$usage

/** Where the first page that is charged to a group says so. */
function charge(i: number): number {
  const { s, memory } = machine
  for (let pfn = 0; pfn < s.NR_PAGES; pfn++) {
    const word = s.MEMMAP + pfn * s.PAGE_WORDS + s.page$memcg_data
    if (memory[word] === group(i)) return word
  }
  throw new Error(`no page is charged to group ${i}`)
}

test('a resting machine with groups holds, and they have charges', () => {
  expect(runChecks(machine, 'running').filter((one) => one.ok === false)).toEqual([])
  expect([machine.memory[usage(0)], machine.memory[usage(1)]]).toEqual([4, 4])
})

test('Q11 finds a group that counts one page more than is charged to it', () => {
  expect(corrupt(usage(1), (old) => old + 1)).toEqual([
    'Q11 leaks: mem_cgroup 1: usage 5, expected 4, as many pages as are charged to it',
  ])
})

test('Q11 finds a page whose charge was lost', () => {
  expect(corrupt(charge(0), () => 0)).toEqual([
    'Q11 leaks: mem_cgroup 0: usage 4, expected 3, as many pages as are charged to it',
  ])
})

test('Q11 finds a page that is charged to another group than was counted', () => {
  expect(corrupt(charge(0), () => group(1))).toEqual([
    'Q11 leaks: mem_cgroup 0: usage 4, expected 3, as many pages as are charged to it; mem_cgroup 1: ' +
      'usage 4, expected 5, as many pages as are charged to it',
  ])
})
