// The gate: every built-in scenario in a form that was drawn once (bench/soak/draw.ts), larger or odder than those it
// declares. `npm run soak` draws anew.
import { expect, test } from 'vitest'
import { drawForm } from '../../bench/soak/draw.ts'
import { huntForm } from '../../bench/soak/hunt_form.ts'
import { namedScenarios } from '../../src/catalog/scenarios.ts'

const SEED = 1
/** Steps of a scenario: at least one execution, the learning ones of a hunt first. */
const STEPS = 20_000

const scenarios = namedScenarios().map((scenario, index) => ({
  scenario,
  name: scenario.name,
  form: drawForm(scenario, SEED, index),
}))

test.each(scenarios)('$name holds in $form', { timeout: 120_000 }, async ({ scenario, form }) => {
  const { command, found } = await huntForm(scenario, form, { steps: STEPS })
  expect({ command, found }).toEqual({ command })
})
