// What the check of the buddy allocator says about a machine of several memory nodes.
import { beforeAll, describe, expect, test } from 'vitest'
import { runChecks } from '../../src/checks/index.ts'
import { nodeOf } from '../../src/checks/free_lists.ts'
import { RestingMachine } from '../../src/checks/resting_machine.ts'
import { bootFixture, buildFixture, type TestMachine } from './machine.ts'

let machine: TestMachine
let view: RestingMachine

beforeAll(async () => {
  machine = await bootFixture(await buildFixture('resting', { NODES: 2 }))
  view = new RestingMachine(machine, 'running')
})

const buddyCheck = (): string | undefined =>
  runChecks(machine, 'running').find(({ name }) => name === 'Q6 buddy')?.detail

/** Writes words, runs the check, and puts the words back. */
function corrupted(...words: [address: number, value: number][]): string | undefined {
  const old = words.map(([address]) => machine.memory[address])
  for (const [address, value] of words) machine.memory[address] = value
  try {
    return buddyCheck()
  } finally {
    words.forEach(([address], i) => (machine.memory[address] = old[i]))
  }
}

const zone = (nid: number): number => machine.s.ZONES + nid * machine.s.ZONE_WORDS
/** The first block of a node on the list of the greatest order that has one. */
function head(nid: number): { list: number; page: number } {
  for (let order = machine.s.MAX_ORDER - 1; ; order--) {
    const list = zone(nid) + machine.s.zone$free_list + order
    if (machine.memory[list] !== 0) return { list, page: machine.memory[list] }
  }
}

describe('Q6 buddy on two nodes', () => {
  test('holds for a resting machine, which has free pages of both', () => {
    expect(runChecks(machine, 'running').filter((one) => one.ok === false)).toEqual([])
    expect(view.free.nodeBuddyPages.map((pages) => pages > 0)).toEqual([true, true])
    expect(view.free.buddyPages).toBe(view.free.nodeBuddyPages[0] + view.free.nodeBuddyPages[1])
  })

  test('names the zone whose count is wrong', () => {
    const nr_free = zone(1) + machine.s.zone$nr_free
    expect(corrupted([nr_free, machine.memory[nr_free] + 1])).toMatch(/^zone 1: nr_free/)
    const managed = zone(0) + machine.s.zone$managed_pages
    expect(corrupted([managed, 7])).toMatch(/zone 0: managed_pages 7/)
  })

  test('finds a block on the list of another node', () => {
    expect(corrupted([head(0).list, head(1).page])).toMatch(
      /free_area\[\d+\] of node 0: the block of page 0x\w+ is of another node/,
    )
  })

  test("finds a page on the list of another node's CPU", () => {
    const list = machine.s.PERCPU + machine.s.pcp$list
    expect(nodeOf(view, view.pfn(machine.memory[list]))).toBe(0)
    const far = head(1)
    const next = machine.memory[far.page + machine.s.page$lru_next]
    const taken: [number, number][] = [
      [far.list, next],
      [far.list + machine.s.MAX_ORDER, machine.memory[far.list + machine.s.MAX_ORDER] - 1],
      [next + machine.s.page$lru_prev, 0],
      [far.page + machine.s.page$lru_next, 0],
    ]
    expect(corrupted([list, far.page], ...taken)).toMatch(/page 0x\w+ of node 1 is on the list of cpu 0/)
  })
})
