import { beforeEach, expect, test } from 'vitest'
import type { Site } from '../../src/step/site.ts'
import { CACHE, HERE, HIT, INTERRUPT, MEMORY } from '../../src/machine/clock/observer.ts'
import { Kind } from '../../src/step/kinds.ts'
import { type Place, Profile } from '../../src/scale/profile.ts'

const at = (fn: string, line: number): Site => ({ file: 'mm.ts', line, column: 1, fn }) as unknown as Site
/** get_page stands in the place of its call in copy_one_pte. */
const SITES = [
  { ...at('get_page', 40), callers: [at('copy_one_pte', 158)] } as unknown as Site,
  at('copy_pte_range', 200),
]

const RANGE: readonly Place[] = [at('copy_pte_range', 200)]
const MM: readonly Place[] = [at('copy_mm', 300)]

/** What the host's stack is, and whether its innermost frame was asked for. */
let stack: readonly Place[]
let withInner: boolean
let profile: Profile
beforeEach(() => {
  stack = RANGE
  profile = new Profile(SITES, (_, inner) => {
    withInner = inner
    return stack
  })
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

test("accesses to the CPU's own area are in no line, and count where they are made", () => {
  access(0, HIT, 2)
  access(~0, HIT, 3)
  expect(withInner).toBe(true)
  expect(profile.sites.get(0)?.time).toBe(2)
  expect([profile.total, profile.accesses]).toEqual([5, 2])
  const stacks = profile.stacks.map((one) => [one.stack[0], one.time])
  expect(stacks).toEqual([
    ['get_page', 2],
    ['copy_pte_range', 3],
  ])
  expect(profile.elsewhere).toEqual([{ place: RANGE[0], time: 3 }])
})

test('time of no access counts where it passes: at its site, where the stack is, or in do_IRQ', () => {
  access(0, HIT, 2)
  profile.passed(0, 0, 0, 10)
  profile.performing(0)
  profile.passed(0, HERE, 0, 100)
  profile.passed(0, INTERRUPT, 0, 1000)
  expect([profile.total, profile.accesses]).toEqual([1112, 1])
  expect(profile.stacks).toEqual([
    { stack: ['get_page', 'copy_one_pte', 'copy_pte_range'], time: 12 },
    { stack: ['copy_pte_range'], time: 100 },
    { stack: ['do_IRQ'], time: 1000 },
  ])
})

test('a stack that was looked at is where the time of its site goes', () => {
  access(0, HIT, 2)
  profile.performing(0)
  expect(withInner).toBe(false)
  expect(profile.stacks).toEqual([{ stack: ['get_page', 'copy_one_pte', 'copy_pte_range'], time: 2 }])
})

test('stacks share the time of their site by what their accesses took, not by how many they are', () => {
  for (const [frames, cost] of [
    [RANGE, 2],
    [RANGE, 2],
    [RANGE, 2],
    [MM, 94],
  ] as const) {
    stack = frames
    access(1, HIT, cost)
    profile.performing(0)
  }
  expect(profile.stacks).toEqual([
    { stack: ['copy_pte_range', 'copy_pte_range'], time: 6 },
    { stack: ['copy_pte_range', 'copy_mm'], time: 94 },
  ])
})

test('after the first accesses of a site a look answers for the time since the one before', () => {
  for (let n = 1; n <= 1024; n++) {
    stack = n <= 512 ? RANGE : MM
    access(1, HIT, 1)
    profile.performing(0)
  }
  expect(profile.stacks.map(({ time }) => time)).toEqual([512, 512])
})

test('an access that takes long is looked at, however seldom it is', () => {
  for (let n = 0; n < 6000; n++) {
    stack = n % 1000 === 999 ? MM : RANGE
    access(1, HIT, n % 1000 === 999 ? 9001 : 1)
    profile.performing(0)
  }
  const times = Object.fromEntries(profile.stacks.map((one) => [one.stack[1], one.time]))
  expect(times['copy_mm'] / profile.total).toBeGreaterThan(0.85)
  expect(times['copy_mm'] / profile.total).toBeLessThan(0.95)
})

test('an access that an interrupt comes before keeps no time from its site', () => {
  access(1, HIT, 5)
  access(0, HIT, 2)
  profile.performing(0)
  access(1, HIT, 5)
  profile.performing(0)
  expect(profile.stacks.map(({ time }) => time)).toEqual([10, 2])
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
