// Who is judged, beside whom, and where.
import { expect, test } from 'vitest'
import { planJudge } from '../../src/judge/plan.ts'

const names = (list: readonly { readonly name: string }[]): string[] => list.map(({ name }) => name)
const judged = (files: readonly string[]): string[] =>
  names(planJudge(files, {}).judged.map(({ candidate }) => candidate))

const LOCK = 'examples/ptlock/striped.ts'
const RACE = 'examples/scenarios/my-race.ts'

test("beside the user's files built-in names are what these are compared with", () => {
  expect(judged([LOCK, 'hashed', 'mm'])).toEqual([LOCK])
  expect(names(planJudge([LOCK, 'hashed', 'mm'], {}).rivals)).toEqual(['hashed', 'mm'])
})

test('alone they are judged, beside all others', () => {
  expect(judged(['hashed', 'mcs'])).toEqual(['hashed', 'mcs'])
  expect(planJudge(['hashed'], {}).rivals).toEqual([])
})

test('a scenario beside a design is the first to judge it in; alone it is judged', () => {
  expect(judged([LOCK, RACE])).toEqual([LOCK])
  expect(names(planJudge([LOCK, RACE], {}).judged[0].scenarios)[0]).toBe('my-race')
  expect(judged([RACE])).toEqual([RACE])
})

test('scenarios that are named are the only ones', () => {
  const { scenarios } = planJudge([LOCK], { scenario: ['exec', 'oom'] }).judged[0]
  expect(names(scenarios)).toEqual(['exec', 'oom'])
})

test('a file that is given twice is judged once', () => {
  expect(judged([LOCK, LOCK])).toEqual([LOCK])
})
