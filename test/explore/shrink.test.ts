import { expect, test } from 'vitest'
import { hunt } from '../../src/explore/hunt.ts'
import { record } from '../../src/explore/record.ts'
import { SCHEDULERS } from '../../src/explore/schedulers/index.ts'
import { shrink, type Shrunk } from '../../src/explore/shrink.ts'
import { type ProgramName, type Sizes, subjectOf } from './subject.ts'

function shrunk(program: ProgramName, { cpus = 2, turns = 0, pages = 0 }: Sizes, seed = 1): Shrunk {
  const sizes = { cpus, turns, pages }
  const subject = subjectOf(program, sizes)
  const scheduler = SCHEDULERS.find(({ name }) => name === 'random')!
  const [violation] = hunt(subject, { seed, scheduler, sites: 8, executions: 100_000 }).violations
  const { check, schedule, steps } = violation!
  const result = shrink(subject, check, schedule, steps, {
    sizes,
    make: (wanted) => subjectOf(program, wanted),
    seconds: 20,
  })
  return result!
}

test.each([1, 2, 3])('the lost update ends with 4 accesses and 2 switches (seed %i)', (seed) => {
  const result = shrunk('lostUpdate', { cpus: 3, turns: 5 }, seed)
  expect(result.sizes).toMatchObject({ cpus: 2, turns: 1 })
  expect(result.switches).toBe(2)
  const { history, finding } = record(result.subject, result.schedule, result.steps)
  expect(history).toHaveLength(4)
  expect(finding).toMatchObject({ check: 'counter' })
})

test('the needle of depth 4 ends with 7 changes of CPU, six of them preemptions that were shown to be necessary', () => {
  const result = shrunk('needle20x4', { cpus: 3 })
  expect(result.sizes.cpus).toBe(2)
  expect(result.switches).toBe(7)
  expect(result.proofs.map(({ reason, without }) => without ?? reason)).toEqual([
    ...Array.from({ length: 6 }, () => 'held'),
    'waiting',
  ])
})

test('a deadlock of two locks ends with one switch', () => {
  const result = shrunk('abba', { cpus: 3 })
  expect(result.switches).toBe(1)
  expect(result.proofs).toEqual([
    { step: 2, from: expect.any(Number), to: expect.any(Number), reason: 'preempted', without: 'held' },
  ])
})

test('a schedule that does not fail is not shrunk', () => {
  const subject = subjectOf('lockedUpdate')
  expect(shrink(subject, 'counter', [0, 0], 10, { sizes: { cpus: 2, turns: 0, pages: 0 } })).toBeUndefined()
})
