// Kernels in which nothing is wrong but that something never happens: hunts of the scenarios that expect it are
// violated. That the kernel as it is meets all expectations: reach.test.ts.
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { packageRoot } from '../../src/base/root.ts'
import { hunt } from '../../src/index.ts'

/** Executions of a hunt as declared: too few for larger forms. */
const EXECUTIONS = 20

/** The verdict of a hunt with `patch` in the kernel, and the events that did not come. */
async function found(scenario: string, patch: string): Promise<[verdict: string, events?: string[]]> {
  const { verdict, unmet } = await hunt({
    ...{ scenario, seed: 1, executions: EXECUTIONS, workers: 1 },
    patch: [join(packageRoot(), 'test/scenarios/patches', patch)],
  })
  return [verdict, unmet?.map(({ event }) => event)]
}

test('a migration that never migrates is found', { timeout: 300_000 }, async () => {
  expect(await found('migrate-fault', 'migration-never.patch')).toEqual(['violated', ['pgmigrate_success']])
})

test('a kswapd that is never woken is found', { timeout: 300_000 }, async () => {
  const [verdict, events] = await found('reclaim', 'kswapd-never-woken.patch')
  expect(verdict).toBe('violated')
  expect(events).toContain('kswapd_wake')
})
