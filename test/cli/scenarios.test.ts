import { describe, expect, test } from 'vitest'
import { builtInScenarios, describeScenario, findScenario, firstSentence } from '../../src/cli/scenarios.ts'

describe('the first sentence of a file', () => {
  test.each([
    ['/**\n * Threads fault. They do so\n * often.\n */\nimport x', 'Threads fault.'],
    ['// Threads fault in 4.5 parts\n// of one area. More.\ncode', 'Threads fault in 4.5 parts of one area.'],
    ['/** No full stop */', 'No full stop'],
    ['const x = 1', ''],
  ])('of %j is %j', (source, sentence) => {
    expect(firstSentence(source)).toBe(sentence)
  })
})

describe('the scenarios', () => {
  test('begin with the default one, and each has a description', () => {
    const scenarios = builtInScenarios()
    expect(scenarios[0].name).toBe('fork-storm')
    for (const scenario of scenarios) expect(describeScenario(scenario)).toMatch(/\.$/)
  })

  test('are found by name or by path', () => {
    const byName = findScenario('same-page')
    expect(findScenario(byName.file)).toEqual(byName)
  })

  test('that do not exist are refused with those that do', () => {
    expect(() => findScenario('same-pag')).toThrow(
      /^there is no scenario same-pag \(did you mean same-page\?\); the scenarios are fork-storm, /,
    )
    expect(() => findScenario('./mine.ts')).toThrow('scenario ./mine.ts: there is no such file.')
    expect(() => findScenario('./package.json')).toThrow('expected a TypeScript file (.ts).')
    expect(() => findScenario('trace-replay')).toThrow('give it with --trace FILE')
  })
})
