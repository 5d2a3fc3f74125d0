// Every built-in scenario on few CPUs and on many: a short piece of each on the clock, where 64 CPUs need no cores, and
// on real threads with all checks at rest. What a scenario itself checks: the other files of this folder.
import { describe, expect, test } from 'vitest'
import { namedScenarios, scenarioSettings } from '../../src/catalog/scenarios.ts'
import { scale } from '../../src/index.ts'
import { parseConfig, withDefaults } from '../../src/kbuild/config.ts'
import { runScenario } from '../../src/run/scenario.ts'

const scenarios = namedScenarios()

/** A little memory is there sooner, many CPUs need more of it; a scenario that asks for some gets that. */
const config = (scenario: (typeof scenarios)[number], cpus: readonly number[]): string[] =>
  withDefaults(scenarioSettings(scenario), [Math.max(...cpus) > 64 ? 'MEMORY=64M' : 'MEMORY=16M'])

/** How each point of scale ended on so many CPUs. */
async function ended(scenario: (typeof scenarios)[number], ...cpus: number[]): Promise<string[]> {
  const topology = 'milanx2'
  const settings = config(scenario, cpus)
  const { points } = await scale({ scenario: scenario.name, cpus, operations: 4, config: settings, topology })
  return points.map((point) => `${point.cpus} CPUs: ${point.failure ?? 'held'}`)
}

const held = (...cpus: number[]): string[] => cpus.map((count) => `${count} CPUs: held`)

test.each(scenarios)('$name holds on 1, 17 and 64 CPUs of the clock', async (scenario) => {
  expect(await ended(scenario, 1, 17, 64)).toEqual(held(1, 17, 64))
})

describe('on 256 CPUs of the clock', () => {
  const many = scenarios.filter(({ name }) => ['fork-storm', 'first-touch', 'mremap-churn'].includes(name))

  test.each(many)('$name holds', async (scenario) => {
    expect(await ended(scenario, 256)).toEqual(held(256))
  })
})

test.each(scenarios)('$name holds on 2 CPUs of real threads', async (scenario) => {
  const { failure, checks } = await runScenario({
    ...{ scenario: scenario.file, config: parseConfig(scenarioSettings(scenario)), patches: [] },
    ...{ cpus: 2, seed: 1, seconds: 0.3, warmup: 0 },
  })
  expect({ failure, failed: checks.filter(({ ok }) => ok === false) }).toEqual({ failed: [] })
})
