import { expect, test } from 'vitest'
import { Explorer, type Slice } from '../../src/explore/explorer.ts'
import { hunt, type HuntOptions } from '../../src/explore/hunt.ts'
import type { HuntResult } from '../../src/explore/rounds.ts'
import { SCHEDULERS } from '../../src/explore/schedulers/index.ts'
import { type ProgramName, type Sizes, subjectOf } from './subject.ts'

function huntFor(
  program: ProgramName,
  scheduler: string,
  more: Partial<HuntOptions> = {},
  sizes: Sizes = {},
): HuntResult {
  const entry = SCHEDULERS.find(({ name }) => name === scheduler)!
  return hunt(subjectOf(program, sizes), { seed: 1, scheduler: entry, executions: 20_000, sites: 8, ...more })
}

const RANDOM = ['portfolio', 'random', 'surw', 'pos', 'pct', 'round-robin', 'dfs']

test.each(RANDOM)(
  '%s finds the lost update and the deadlock, and holds the correct programs',
  (scheduler) => {
    expect(huntFor('lostUpdate', scheduler).violations[0]).toMatchObject({ check: 'counter' })
    expect(huntFor('abba', scheduler).violations[0]).toMatchObject({ check: 'deadlock' })
    expect(huntFor('lockedUpdate', scheduler, { executions: 2000 }).verdict).toBe('held')
    expect(huntFor('waiting', scheduler, { executions: 2000 }, { cpus: 3 }).verdict).toBe('held')
  },
)

test('a verdict stands on one execution at least, however short the time', () => {
  expect(huntFor('lockedUpdate', 'random', { seconds: 0 }).executions).toBeGreaterThan(0)
  expect(huntFor('lostUpdate', 'random', { seconds: 0 }).verdict).toBe('violated')
})

test.each([1, 5, 64, 70, 72])('learning that is enough after %i executions ends there', (most) => {
  const options = { seed: 1, scheduler: SCHEDULERS[0], sites: 8 }
  const learned = (): Slice => new Explorer(subjectOf('lockedUpdate', {}), options).learn((n) => n >= most)
  expect(learned().schedules).toHaveLength(most)
  expect(learned()).toEqual(learned())
})

test('golden: which execution of which seed fails, and its schedule', () => {
  const found = ['random', 'surw', 'pos', 'pct', 'portfolio'].flatMap((scheduler) =>
    (['lostUpdate', 'abba', 'needle20x2'] as const).map((program) => {
      const result = huntFor(program, scheduler, { seed: 7, executions: 4096 }, { operations: 2 })
      const [violation] = result.violations
      return violation === undefined
        ? `${scheduler} ${program}: held`
        : `${scheduler} ${program}: ${violation.key} in ${violation.execution}: ${violation.schedule.join(' ')}`
    }),
  )
  expect(found).toMatchInlineSnapshot(`
    [
      "random lostUpdate: counter the counter is # in 3: 0 0 1 1 2 0 4 1 5 0 7 1",
      "random abba: deadlock 1 1 in 7: 0 1 1 0 2 1 3 0",
      "random needle20x2: BUG 1 2 in 30: 0 0 21 1 42 0 43 1 44 0 65 1",
      "surw lostUpdate: counter the counter is # in 0: 0 1 4 0 7 1 8 0",
      "surw abba: deadlock 1 1 in 1: 0 0 2 1",
      "surw needle20x2: BUG 1 2 in 1: 0 0 22 1 44 0 65 1",
      "pos lostUpdate: counter the counter is # in 0: 0 0 3 1 7 0 9 1",
      "pos abba: deadlock 1 1 in 3: 0 1 2 0",
      "pos needle20x2: BUG 1 2 in 30: 0 1 21 0 43 1 44 0 65 1",
      "pct lostUpdate: counter the counter is # in 0: 0 1 1 0 5 1 9 0",
      "pct abba: deadlock 1 1 in 0: 0 1 1 0 3 1",
      "pct needle20x2: BUG 1 2 in -3: 0 0 21 1 42 0 43 1 44 0 65 1",
      "portfolio lostUpdate: counter the counter is # in 0: 0 1 4 0 7 1 8 0",
      "portfolio abba: deadlock 1 1 in 7: 0 0 1 1 3 0",
      "portfolio needle20x2: BUG 1 2 in 30: 0 1 21 0 43 1 44 0 65 1",
    ]
  `)
})

test('golden: distinct schedules, states and pairs after 3,000 executions', () => {
  const {
    executions,
    steps,
    distinctSchedules,
    distinctStates,
    conflictPairs,
    sharedWords,
    watched,
    shares,
  } = huntFor('lockedUpdate', 'portfolio', { seed: 3, executions: 3000 }, { cpus: 3, operations: 2 })
  expect({
    ...{ executions, steps, distinctSchedules, distinctStates },
    ...{ conflictPairs, sharedWords, watched, shares },
  }).toMatchInlineSnapshot(`
    {
      "conflictPairs": 2,
      "distinctSchedules": 1543,
      "distinctStates": 1,
      "executions": 3000,
      "sharedWords": 2,
      "shares": {
        "pct": 16,
        "pos": 16,
        "random": 16,
        "surw": 16,
      },
      "steps": 81000,
      "watched": 1147,
    }
  `)
})

test('dfs runs every schedule of locked updates once: T! orders of T CPUs', () => {
  const without = huntFor('lockedUpdate', 'dfs', { preemptions: 0 })
  expect(without).toMatchObject({ verdict: 'held', exhausted: true, executions: 2, distinctSchedules: 2 })
  expect(huntFor('lockedUpdate', 'dfs', { preemptions: 2 })).toMatchObject({
    executions: 2,
    distinctSchedules: 2,
  })
  expect(huntFor('lockedUpdate', 'dfs', { preemptions: 9 }, { cpus: 4 })).toMatchObject({
    exhausted: true,
    executions: 24,
  })
})

test('dfs without a bound that binds runs all orders: C(2D, D) for the needle', () => {
  const all = huntFor('needle20x2', 'dfs', { preemptions: 9, keepGoing: true })
  expect(all).toMatchObject({ exhausted: true, executions: 6 })
  expect(all.violations[0]!.count).toBe(1)
})

test('a program that does not end is a livelock, not a hang', () => {
  const result = huntFor('endless', 'random', { executions: 64 })
  expect(result.violations[0]).toMatchObject({ check: 'livelock', message: 'no turn ends for 10000 steps' })
})

test('a program that gets its turns done is none, however many steps they take', () => {
  const result = huntFor('turning', 'random', { executions: 8 }, { operations: 40 })
  expect(result).toMatchObject({ verdict: 'held', cutOff: 0 })
  expect(result.steps).toBeGreaterThan(8 * 2 * 40_000)
})

test('one that takes turns for ever is cut off, which is no verdict', () => {
  const result = huntFor('turning', 'random', { executions: 2 })
  expect(result).toMatchObject({ verdict: 'inconclusive', cutOff: 2, violations: [] })
  expect(result.warnings).toContainEqual(
    expect.stringMatching(/^2 of 2 executions were cut off: .*last_turn\(\)$/),
  )
})

test('executions that only repeat are warned of', () => {
  const { warnings, distinctSchedules } = huntFor('lockedUpdate', 'random', { executions: 4096 })
  expect(distinctSchedules).toBe(12)
  expect(warnings).toEqual([expect.stringContaining('repeated a schedule that had run before')])
  expect(huntFor('needle20x4', 'dfs', { executions: 40, keepGoing: true, preemptions: 9 }).warnings).toEqual(
    [],
  )
})

test('keepGoing counts each distinct violation', () => {
  const { violations, executions } = huntFor('abba', 'random', { keepGoing: true, executions: 2000 })
  expect(executions).toBe(2000)
  expect(violations).toHaveLength(1)
  expect(violations[0]!.count).toBeGreaterThan(500)
})

test('the determinism check passes programs that are deterministic', () => {
  const result = huntFor('needle20x2', 'random', { checkDeterminism: true, executions: 300, keepGoing: true })
  expect(result.violations.map(({ check }) => check)).toEqual(['BUG'])
})

test('the determinism check names a program that is not', () => {
  const subject = subjectOf('lockedUpdate', { operations: 3 })
  let calls = 0
  const loose = {
    begin() {},
    step() {
      if (++calls % 11 === 0) subject.machine.memory[4] = 1 + (calls % 3)
    },
  }
  const entry = SCHEDULERS.find(({ name }) => name === 'random')!
  const result = hunt(
    { machine: subject.machine, observers: [loose] },
    { seed: 1, scheduler: entry, executions: 500, sites: 8, checkDeterminism: true },
  )
  expect(result.violations[0]).toMatchObject({ check: 'determinism', reproduced: false })
})
