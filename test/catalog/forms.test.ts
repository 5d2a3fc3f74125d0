// What a scenario's head comment declares of its hunt, and what is wrong in one.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { scenarioDeclaration } from '../../src/catalog/forms.ts'
import { planHunt } from '../../src/hunt/plan.ts'
import { temporaryFolder } from '../kbuild/kernel.ts'

/** A file with these lines in its head comment. */
function scenario(...lines: string[]): string {
  const file = join(temporaryFolder(), 'mine.ts')
  writeFileSync(file, ['/**', ' * Mine.', ' *', ...lines.map((line) => ` * ${line}`), ' */', ''].join('\n'))
  return file
}

const declared = (...lines: string[]): ReturnType<typeof scenarioDeclaration> =>
  scenarioDeclaration({ name: 'mine', file: scenario(...lines) })

describe('a declaration', () => {
  test('is empty without its words', () => {
    expect(declared('@config SWAP=y')).toEqual({ forms: [], reaches: [], expects: [] })
  })

  test('has forms, their settings beside their sizes', () => {
    expect(declared('@form cpus=3 operations=4 pages=2', '@form pages=8 VMA_LOCK=y').forms).toEqual([
      { cpus: 3, operations: 4, pages: 2, config: [] },
      { pages: 8, config: ['VMA_LOCK=y'] },
    ])
  })

  test('names each thing to reach once, on several lines', () => {
    expect(declared('@reaches do_wp_page, pswpin', '@reaches pswpin, do_swap_page:lock').reaches).toEqual([
      'do_wp_page',
      'pswpin',
      'do_swap_page:lock',
    ])
  })

  test('expects events in so many executions', () => {
    expect(declared('@expects pswpin, pswpout in 20').expects).toEqual([
      { event: 'pswpin', executions: 20 },
      { event: 'pswpout', executions: 20 },
    ])
  })

  test.each([
    [
      '@form cpu=3',
      '@form cpu=3: expected cpus, operations or pages, or a configuration key (did you mean cpus?).',
    ],
    ['@form cpus=0', '@form cpus=0: cpus is an integer from 1 to 64.'],
    ['@form 3', '@form 3: expected NAME=VALUE, such as cpus=3.'],
    ['@expects pswpin', '@expects pswpin: expected EVENT in EXECUTIONS, such as pswpout in 20.'],
  ])('%s is refused', (line, sentence) => {
    expect(() => declared(line)).toThrow(sentence)
  })
})

describe('a hunt', () => {
  const file = (): string =>
    scenario('@config SWAP=y', '@form cpus=3 operations=4 pages=2 VMA_LOCK=y', '@form pages=8')

  test('takes the first form of its scenario', () => {
    const { cpus, operations, pages, configs, asDeclared } = planHunt(file(), {})
    expect({ cpus, operations, pages, asDeclared }).toEqual({
      cpus: 3,
      operations: 4,
      pages: 2,
      asDeclared: true,
    })
    expect(configs[0]).toMatchObject({ SWAP: 'y', VMA_LOCK: 'y', NR_CPUS: 3 })
  })

  test("takes the user's sizes and settings before it", () => {
    const { cpus, operations, configs, asDeclared } = planHunt(file(), { cpus: 2, config: ['VMA_LOCK=n'] })
    expect({ cpus, operations, asDeclared }).toEqual({ cpus: 2, operations: 4, asDeclared: false })
    expect(configs[0].VMA_LOCK).toBe('n')
  })

  test('of a revert takes the form of the revert', () => {
    const { cpus, operations, pages } = planHunt(undefined, {
      revert: ['no-recheck-do-anonymous-page-write'],
    })
    expect({ cpus, operations, pages }).toEqual({ cpus: 2, operations: 2, pages: 3 })
  })
})
