import { beforeEach, describe, expect, test } from 'vitest'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  builtInScenarios,
  describeScenario,
  findScenario,
  firstSentence,
  scenarioSettings,
} from '../../src/catalog/scenarios.ts'
import { planHunt } from '../../src/hunt/plan.ts'
import { planRun } from '../../src/run/run.ts'
import { planScale } from '../../src/scale/scale.ts'
import { temporaryFolder } from '../kbuild/kernel.ts'

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

test.each([
  ["import x from 'y'\n\n/**\n * Mine.\n *\n * @config SWAP=y\n */\n", 6, '@config'],
  ['// Mine.\nconst a = 1\n// @form cpus=3\n', 3, '@form'],
])('what a scenario asks for behind its first comment is refused: %j', (source, line, tag) => {
  const file = join(temporaryFolder(), 'mine.ts')
  writeFileSync(file, source)
  expect(() => scenarioSettings({ name: 'mine', file })).toThrow(
    new RegExp(
      `mine\\.ts:${line}: ${tag} belongs to the comment that the file begins with, before its imports\\.$`,
    ),
  )
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

describe('the settings of a scenario', () => {
  let file: string

  beforeEach(() => {
    file = join(temporaryFolder(), 'mine.ts')
    writeFileSync(file, '/**\n * Mine.\n *\n * @config SWAP=y MEMORY=16M\n * @config TICK=7\n */\n')
  })

  test('are what its head comment asks for', () => {
    expect(scenarioSettings({ name: 'mine', file })).toEqual(['SWAP=y', 'MEMORY=16M', 'TICK=7'])
  })

  test("hold in a run where the user's do not", () => {
    const [config] = planRun(file, { config: ['TICK=9'] }).configs
    expect(config).toMatchObject({ SWAP: 'y', MEMORY: '16M', TICK: 9 })
  })

  test("hold on the clock where neither the user's nor those of the clock do", () => {
    const [config] = planScale(file, { config: ['PTLOCK=mm'], cpus: [1, 2] }).configs
    expect(config).toMatchObject({ SWAP: 'y', MEMORY: '512M', PTLOCK: 'mm' })
  })

  test("hold in a hunt where neither the user's nor those of a hunt do", () => {
    const [config] = planHunt(file, { config: ['TICK=9'] }).configs
    expect(config).toMatchObject({ SWAP: 'y', MEMORY: '1M', TICK: 9 })
  })
})
