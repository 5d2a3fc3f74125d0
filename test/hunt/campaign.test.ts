import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { campaign, type CampaignOptions } from '../../src/hunt/campaign.ts'
import { pairOf, placesOfPair } from '../../src/explore/coverage.ts'
import type { HuntResult } from '../../src/explore/rounds.ts'
import type { ProgramName } from '../explore/subject.ts'

function optionsOf(program: ProgramName, more: Partial<CampaignOptions> = {}): CampaignOptions {
  return {
    subject: {
      module: fileURLToPath(new URL('../explore/fixtures/subject.mjs', import.meta.url)),
      image: { file: '', symbols: {}, sites: [], functions: [program], declared: [] },
      options: { cpus: 2, seed: 1, turns: 0, pages: 0, stepLimit: 10_000 },
      off: [],
    },
    scheduler: 'portfolio',
    seed: 1,
    sites: 8,
    workers: 1,
    executions: 5000,
    ...more,
  }
}

/** What must not depend on the number of workers. */
function essence({
  executions,
  steps,
  distinctSchedules,
  conflictPairs,
  shares,
  violations,
}: HuntResult): unknown {
  return {
    ...{ executions, steps, distinctSchedules, conflictPairs, shares },
    violations: violations.map(({ key, execution, count, schedule }) => ({
      key,
      execution,
      count,
      schedule,
    })),
  }
}

test('three workers find the violation that one finds', async () => {
  const options = optionsOf('needle20x4')
  const one = await campaign({ ...options, workers: 1 })
  const three = await campaign({ ...options, workers: 3 })
  expect(one.verdict).toBe('violated')
  const found = (result: HuntResult): unknown =>
    result.violations.map(({ key, execution, schedule }) => ({ key, execution, schedule }))
  expect(found(three)).toEqual(found(one))
})

test('three workers draw what one draws', async () => {
  const options = optionsOf('drawnUpdate', { keepGoing: true, executions: 4000 })
  const one = await campaign({ ...options, workers: 1 })
  const three = await campaign({ ...options, workers: 3 })
  expect(one.violations).toHaveLength(1)
  expect(three.violations[0].draws).toEqual(one.violations[0].draws)
  expect(essence(three)).toEqual(essence(one))
})

test.each([1, 2])('a verdict of %i workers stands on one execution at least', async (workers) => {
  const result = await campaign(optionsOf('lockedUpdate', { workers, seconds: 0 }))
  expect(result).toMatchObject({ verdict: 'held', interrupted: false })
  expect(result.executions).toBeGreaterThan(0)
})

test('learns from as few executions as asked for, with any number of workers', async () => {
  const options = optionsOf('needle20x4', { learning: 3, executions: 200, keepGoing: true })
  const one = await campaign({ ...options, workers: 1 })
  const two = await campaign({ ...options, workers: 2 })
  expect([one.profileExecutions, two.profileExecutions]).toEqual([3, 3])
  expect(essence(two)).toEqual(essence(one))
})

test('says at which places two CPUs met', async () => {
  const { conflictPairs, pairs } = await campaign(optionsOf('needle20x4', { executions: 50 }))
  expect(pairs).toHaveLength(conflictPairs)
  for (const pair of pairs) expect(pairOf(...placesOfPair(pair))).toBe(pair)
})

test('with keepGoing the whole result is the same for any number of workers', async () => {
  const options = optionsOf('needle20x4', { keepGoing: true })
  const one = await campaign({ ...options, workers: 1 })
  const two = await campaign({ ...options, workers: 2 })
  expect(one.executions).toBe(5000)
  expect(one.violations[0]!.count).toBeGreaterThan(10)
  expect(essence(two)).toEqual(essence(one))
})

test('what checks at rest do does not show, though each worker runs them for other executions', async () => {
  const options = optionsOf('teardown', { executions: 4000 })
  const one = await campaign({ ...options, workers: 1 })
  const three = await campaign({ ...options, workers: 3 })
  expect(one.distinctStates).toBeGreaterThan(20)
  expect({ ...(essence(three) as object), sites: three.sites }).toEqual({
    ...(essence(one) as object),
    sites: [0, 1],
  })
})

test('an aborted hunt reports what it has done', async () => {
  const controller = new AbortController()
  const result = await campaign({
    ...optionsOf('lockedUpdate'),
    executions: Infinity,
    signal: controller.signal,
    progress: () => controller.abort(),
  })
  expect(result).toMatchObject({ verdict: 'held', interrupted: true })
  expect(result.executions).toBeGreaterThanOrEqual(1024)
})

test('seconds end a hunt that nothing else would end', async () => {
  const result = await campaign({ ...optionsOf('lockedUpdate'), executions: Infinity, seconds: 0.3 })
  expect(result).toMatchObject({ verdict: 'held', interrupted: false, exhausted: false })
  expect(result.executions).toBeGreaterThan(0)
})

test('an exhaustive search runs on one worker and ends', async () => {
  const result = await campaign(optionsOf('lockedUpdate', { scheduler: 'dfs', workers: 2, preemptions: 2 }))
  expect(result).toMatchObject({ exhausted: true, verdict: 'held', executions: 2 })
})

test('an exhaustive search draws the same all along', async () => {
  const result = await campaign(optionsOf('drawnUpdate', { scheduler: 'dfs', preemptions: 2 }))
  expect(result).toMatchObject({ exhausted: true, verdict: 'held', executions: 1 })
})

test('executions that never end and take no step end the hunt with a sentence', async () => {
  await expect(campaign(optionsOf('stepless', { patience: 2 }))).rejects.toMatchObject({
    name: 'UsageError',
    message: expect.stringMatching(
      /^an execution does not end: none has for 2 s, .*no access to shared memory/,
    ) as string,
  })
})

test("what a user's scheduler does wrong comes back as a UsageError with its place", async () => {
  const scheduler = fileURLToPath(new URL('../explore/fixtures/throwing_scheduler.ts', import.meta.url))
  await expect(campaign(optionsOf('lockedUpdate', { scheduler }))).rejects.toMatchObject({
    name: 'UsageError',
    message: 'test/explore/fixtures/throwing_scheduler.ts:18: the scheduler threw in next(): out of ideas',
  })
})
