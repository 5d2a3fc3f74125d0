// Every built-in scenario in the forms that it declares (head comments, src/catalog/forms.ts): it holds, and a hunt of
// its first form reaches what it says, and counts the events that it expects. What each of them finds: test/reverts.
import { describe, expect, test } from 'vitest'
import { scenarioDeclaration, type ScenarioForm } from '../../src/catalog/forms.ts'
import { namedScenarios, type ScenarioFile } from '../../src/catalog/scenarios.ts'
import { hunt } from '../../src/explore/hunt.ts'
import type { HuntResult } from '../../src/explore/rounds.ts'
import { SCHEDULERS } from '../../src/explore/schedulers/index.ts'
import { buildPlan } from '../../src/hunt/build.ts'
import { type DeclaredImage, notReached, unmet } from '../../src/hunt/expectations.ts'
import { planHunt } from '../../src/hunt/plan.ts'

/** Executions of the regular hunt, and of each further form. */
const EXECUTIONS = 100
const FURTHER = 20

const scenarios = namedScenarios().map((scenario) => ({
  scenario,
  name: scenario.name,
  ...scenarioDeclaration(scenario),
}))

interface Hunted {
  readonly image: DeclaredImage
  readonly result: HuntResult
}

async function hunted(scenario: ScenarioFile, executions: number, form?: ScenarioForm): Promise<Hunted> {
  const plan = planHunt(scenario.name, form ?? {})
  const { cpus, operations, pages, seed } = plan
  const { image, make } = await buildPlan(plan, plan.configs[0])
  const options = { seed, scheduler: SCHEDULERS[0], sites: image.sites.length, executions }
  return { image, result: hunt(make({ cpus, operations, pages }), options) }
}

const violations = ({ violations: found }: HuntResult): string[] =>
  found.map(({ check, message }) => `${check}: ${message}`)

describe.each(scenarios)('$name', ({ scenario, forms, reaches, expects }) => {
  test('holds, and reaches what it declares', { timeout: 300_000 }, async () => {
    const { image, result } = await hunted(scenario, EXECUTIONS)
    expect({
      violations: violations(result),
      notReached: notReached(image, reaches, result),
      unmet: unmet(image, expects, result),
    }).toEqual({ violations: [], notReached: [], unmet: [] })
  })

  const further = forms.slice(1).map((form) => ({ form, label: JSON.stringify(form) }))
  if (further.length > 0)
    test.each(further)('holds in $label', { timeout: 300_000 }, async ({ form }) => {
      const { result } = await hunted(scenario, FURTHER, form)
      expect(violations(result)).toEqual([])
    })
})

test('every scenario of memory declares what it reaches', () => {
  const silent = scenarios.filter(({ reaches }) => reaches.length === 0).map(({ name }) => name)
  expect(silent).toEqual(['lock-torture', 'refcount-torture', 'rwsem-torture'])
})
