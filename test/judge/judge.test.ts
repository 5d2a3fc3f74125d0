// Judgements from end to end, with small budgets: what is found, and what the document has. Times and figures of
// throughput are not asserted.
import { describe, expect, test, vi } from 'vitest'
import { judge } from '../../src/index.ts'
import { Deadline } from '../../src/judge/deadline.ts'
import { huntJudged } from '../../src/judge/hunting.ts'
import { planJudge } from '../../src/judge/plan.ts'

vi.setConfig({ testTimeout: 120_000 })

describe('a wrong design', () => {
  test.each([
    ['examples/ptlock/per-cpu-lock.ts', 'table-owner'],
    ['examples/ptlock/unordered-pair.ts', 'lockdep'],
  ])('%s is violated by %s, and neither run nor measured', async (file, check) => {
    const { verdict, judged } = await judge([file], { seed: 1, scenario: ['fork-storm'] })
    expect(verdict).toBe('violated')
    expect(judged).toMatchObject([
      {
        name: file,
        kind: 'design',
        failed: 'hunt',
        runs: [],
        scale: [],
        violation: { violation: { check } },
      },
    ])
    expect(judged[0].violation!.violation!.shrunk).toBeDefined()
  })

  test('is found with the same figures for the same seed', async () => {
    const options = { seed: 3, scenario: ['same-page'] }
    const file = 'examples/ptlock/per-cpu-lock.ts'
    const [one, other] = [await judge([file], options), await judge([file], options)]
    expect(other.judged[0].violation!.violation).toEqual({
      ...one.judged[0].violation!.violation,
      seconds: other.judged[0].violation!.violation!.seconds,
    })
    expect(other.judged[0].hunt.conflictPairs).toBe(one.judged[0].hunt.conflictPairs)
  })
})

describe('a design that holds', () => {
  test('is hunted again only where the first hunt has reached it', async () => {
    const options = { seed: 1, scenario: ['same-page', 'lock-torture'], executions: 80 }
    const plan = planJudge(['examples/ptlock/striped.ts'], options)
    const [tally] = await huntJudged(plan, new Deadline(100), new Deadline(100), {})
    const { scenarios, places, conflictPairs, fresh, left, refused } = tally.summary()
    expect(scenarios).toMatchObject([
      { scenario: 'same-page', reaches: true, executions: 80, rounds: 2 },
      { scenario: 'lock-torture', reaches: false, executions: 64, rounds: 1 },
    ])
    expect([left, refused]).toEqual([[], []])
    expect(places.reached.some((place) => place.startsWith('examples/ptlock/striped.ts:'))).toBe(true)
    expect(conflictPairs).toBeGreaterThan(fresh.pairs)
  })

  test('is hunted, run and measured beside what was named', async () => {
    const options = { seed: 1, scenario: ['same-page'], executions: 8, budget: 40, cpus: [1] }
    const report = await judge(['examples/ptlock/striped.ts', 'hashed'], options)
    expect(report).toMatchObject({ schema: 'mmtorture/judge@1', verdict: 'held', cpus: [1] })
    const [judged, ...others] = report.judged
    expect(others).toEqual([])
    expect(judged.runs).toMatchObject([{ scenario: 'same-page', verdict: 'held' }])
    expect(judged.memory).toEqual({ machine: 528, table: 0, spinlock: 1 })
    const faults = judged.scale.find(({ load }) => load === 'faults')!
    expect(faults.curves.map(({ name }) => name)).toEqual(['examples/ptlock/striped.ts', 'hashed'])
    expect(judged.binds).toMatchObject([{ load: 'faults', cpus: 1 }])
  })
})

test('a patch that takes a fix out is violated in a scenario that reaches it', async () => {
  const { judged } = await judge(['reverts/no-recheck-do-anonymous-page-write/revert.patch'], {
    ...{ seed: 1, scenario: ['lock-torture', 'same-page'] },
  })
  expect(judged).toMatchObject([{ kind: 'patch', verdict: 'violated', failed: 'hunt' }])
})

test('a scenario is hunted with the built-in designs', async () => {
  const { judged } = await judge(['examples/scenarios/my-race.ts'], { seed: 1 })
  expect(judged).toMatchObject([{ kind: 'scenario', violation: { violation: { check: 'BUG' } } }])
})

test("a spinlock is hunted with the machine's waiting and with its own", async () => {
  const options = { seed: 1, scenario: ['lock-torture'], executions: 8 }
  const plan = planJudge(['examples/spinlock/plain.ts', 'mcs'], options)
  const [tally] = await huntJudged(plan, new Deadline(100), new Deadline(100), {})
  expect(tally.violation).toBeUndefined()
  expect(tally.rows.map(({ settings }) => settings)).toEqual([[], ['PARAVIRT_SPINLOCKS=y']])
})

test('an interrupted judgement reports what was done so far', async () => {
  const report = await judge(['examples/ptlock/striped.ts'], { signal: AbortSignal.timeout(4000) })
  expect(report.interrupted).toBe(true)
  expect(report.judged).toHaveLength(1)
  expect(report.judged[0].verdict).not.toBe('violated')
})

describe('what is wrong is refused', () => {
  test.each([
    [[], {}, /judge takes a FILE/],
    [['pmd'], { config: ['MEMORY=1M,2M'] }, /one value for each key/],
    [['pmd'], { cpus: [256] }, /milan has 192 CPUs/],
    [['pmd'], { topology: 'nowhere' }, /nowhere/],
    [['pmd'], { budget: 0 }, /judge\(\): budget/],
  ])('%s %o', async (files, options, message) => {
    await expect(judge(files as string[], options)).rejects.toThrow(message as RegExp)
  })
})
