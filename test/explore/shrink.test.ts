import { expect, test } from 'vitest'
import { hunt } from '../../src/explore/hunt.ts'
import { record } from '../../src/explore/record.ts'
import { SCHEDULERS } from '../../src/explore/schedulers/index.ts'
import { shrink, type ShrinkOptions, type Shrunk } from '../../src/explore/shrink.ts'
import { type ProgramName, type Sizes, subjectOf } from './subject.ts'

async function shrunk(
  program: ProgramName,
  { cpus = 2, turns = 0, pages = 0 }: Partial<Sizes>,
  seed = 1,
  options: Partial<ShrinkOptions> = {},
): Promise<Shrunk> {
  const sizes = { cpus, turns, pages }
  const subject = subjectOf(program, sizes)
  const scheduler = SCHEDULERS.find(({ name }) => name === 'random')!
  const [violation] = hunt(subject, { seed, scheduler, sites: 8, executions: 100_000 }).violations
  const { check, schedule, steps } = violation!
  const result = await shrink(subject, check, schedule, steps, {
    sizes,
    make: (wanted) => subjectOf(program, wanted),
    ...options,
  })
  return result!
}

test.each([1, 2, 3])('the lost update ends with 4 accesses and 2 switches (seed %i)', async (seed) => {
  const result = await shrunk('lostUpdate', { cpus: 3, turns: 5 }, seed)
  expect(result.sizes).toMatchObject({ cpus: 2, turns: 1 })
  expect(result.switches).toBe(2)
  const { history, finding } = record(result.subject, result.schedule, result.steps)
  expect(history).toHaveLength(4)
  expect(finding).toMatchObject({ check: 'counter' })
})

test('the needle of depth 4 ends with 7 changes of CPU, six of them preemptions that were shown to be necessary', async () => {
  const result = await shrunk('needle20x4', { cpus: 3 })
  expect(result.sizes.cpus).toBe(2)
  expect(result.switches).toBe(7)
  expect(result.proofs.map(({ reason, without }) => without ?? reason)).toEqual([
    ...Array.from({ length: 6 }, () => 'held'),
    'waiting',
  ])
})

test('a deadlock of two locks ends with one switch', async () => {
  const result = await shrunk('abba', { cpus: 3 })
  expect(result.switches).toBe(1)
  expect(result.proofs).toEqual([
    { step: 2, from: expect.any(Number), to: expect.any(Number), reason: 'preempted', without: 'held' },
  ])
})

test('a schedule that does not fail is not shrunk', async () => {
  const subject = subjectOf('lockedUpdate')
  const sizes = { cpus: 2, turns: 0, pages: 0 }
  expect(await shrink(subject, 'counter', [0, 0], 10, { sizes })).toBeUndefined()
})

test('executions bound it, but for the proofs', async () => {
  const most = 12
  const { proofs, executions, switches } = await shrunk('lostUpdate', { cpus: 3, turns: 5 }, 1, {
    executions: most,
  })
  expect(executions).toBeGreaterThanOrEqual(most)
  expect(executions).toBeLessThanOrEqual(most + 2 * proofs.length)
  expect(proofs).toHaveLength(switches)
})

test('a signal ends it, and what it has reached is still proved', async () => {
  const control = new AbortController()
  const make = (): undefined => {
    control.abort()
  }
  const options = { make, signal: control.signal }
  const early = await shrunk('lostUpdate', { cpus: 3, turns: 5 }, 1, options)
  const whole = await shrunk('lostUpdate', { cpus: 3, turns: 5 }, 1, { make: () => undefined })
  expect(early.executions).toBeLessThan(whole.executions)
  expect(early.proofs).toHaveLength(early.switches)
})
