import { beforeEach, expect, test } from 'vitest'
import type { Site } from '../../../src/kbuild/announce.ts'
import { CACHE, HIT, MEMORY } from '../../../src/machine/clock/observer.ts'
import { Kind } from '../../../src/machine/stepped/kinds.ts'
import { Profile } from '../../../src/measure/scale/profile.ts'

const at = (fn: string, line: number): Site => ({ file: 'mm.ts', line, column: 1, fn }) as unknown as Site
/** get_page stands in the place of its call in copy_one_pte. */
const SITES = [
  { ...at('get_page', 40), callers: [at('copy_one_pte', 158)] } as unknown as Site,
  at('copy_pte_range', 200),
]

let profile: Profile
beforeEach(() => {
  profile = new Profile(SITES, () => ['copy_pte_range'])
})

function access(site: number, source: number, cost: number, addr = 64): void {
  profile.access(0, site, addr, Kind.PLAIN_READ, source, 0, cost)
}

test('time is counted by site, with where the lines were found', () => {
  access(0, MEMORY, 100)
  access(0, HIT, 2)
  expect(profile.sites.get(0)).toMatchObject({
    accesses: 2,
    time: 102,
    misses: 1,
    missTime: 100,
    memory: 1,
  })
})

test("accesses to the CPU's own area are in no line, and count in the function that was running", () => {
  access(0, HIT, 2)
  access(~0, HIT, 3)
  expect(profile.sites.get(0)?.time).toBe(2)
  expect([profile.total, profile.accesses]).toEqual([5, 2])
  const stacks = profile.stacks.map(({ stack, time }) => [stack[0], time])
  expect(stacks).toEqual([
    ['get_page', 2],
    ['copy_one_pte', 3],
  ])
})

test('a stack that was looked at is where the time of its site goes', () => {
  access(0, HIT, 2)
  profile.performing(0)
  expect(profile.stacks).toEqual([{ stack: ['get_page', 'copy_one_pte', 'copy_pte_range'], time: 2 }])
})

test('a line that moves is known by the word at which CPUs met', () => {
  access(1, CACHE, 50, 77)
  expect(profile.words.get(77)).toMatchObject({ loads: 1, stores: 0, time: 50 })
})

test('what was seen before the window begins does not count', () => {
  access(0, HIT, 2)
  access(~0, HIT, 2)
  profile.begin()
  expect([profile.total, profile.stacks.length]).toEqual([0, 0])
})
