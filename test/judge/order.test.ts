// The order in which scenarios are hunted.
import { expect, test } from 'vitest'
import { scenarioDeclaration } from '../../src/catalog/forms.ts'
import { findScenario, namedScenarios } from '../../src/catalog/scenarios.ts'
import { huntOrder } from '../../src/judge/order.ts'

const names = (order: ReturnType<typeof huntOrder>): string[] => order.map(({ name }) => name)

test('every scenario comes once', () => {
  const order = names(huntOrder([], new Set()))
  expect(order.toSorted()).toEqual(
    namedScenarios()
      .map(({ name }) => name)
      .toSorted(),
  )
})

test('each next one declares most that nobody before it does', () => {
  const order = huntOrder([], new Set())
  const seen = new Set<string>()
  const news = order.map((scenario) => {
    const { reaches } = scenarioDeclaration(scenario)
    const fresh = reaches.filter((name) => !seen.has(name)).length
    for (const name of reaches) seen.add(name)
    return fresh
  })
  expect(news).toEqual(news.toSorted((left, right) => right - left))
})

test("the user's own come first, then those that declare what is judged", () => {
  const own = findScenario('examples/scenarios/my-race.ts')
  const [first, second] = huntOrder([own], new Set(['change_pte_range']))
  expect(first).toBe(own)
  expect(scenarioDeclaration(second).reaches).toContain('change_pte_range')
})
