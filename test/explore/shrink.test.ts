import { expect, test } from 'vitest'
import { courseOf } from '../../src/explore/course.ts'
import { hunt } from '../../src/explore/hunt.ts'
import { record } from '../../src/explore/record.ts'
import { SCHEDULERS } from '../../src/explore/schedulers/index.ts'
import { shrink, type ShrinkOptions, type Shrunk } from '../../src/explore/shrink.ts'
import { type ProgramName, type Sizes, subjectOf } from './subject.ts'

async function shrunk(
  program: ProgramName,
  { cpus = 2, operations = 0, pages = 0 }: Partial<Sizes>,
  seed = 1,
  options: Partial<ShrinkOptions> = {},
): Promise<Shrunk> {
  const sizes = { cpus, operations, pages }
  const subject = subjectOf(program, sizes)
  const scheduler = SCHEDULERS.find(({ name }) => name === 'random')!
  const [violation] = hunt(subject, { seed, scheduler, sites: 8, executions: 100_000 }).violations
  const result = await shrink(subject, violation!.check, violation!, {
    sizes,
    make: (wanted) => subjectOf(program, wanted),
    ...options,
  })
  return result!
}

test.each([1, 2, 3])('the lost update ends with 4 accesses and 2 switches (seed %i)', async (seed) => {
  const result = await shrunk('lostUpdate', { cpus: 3, operations: 5 }, seed)
  expect(result.sizes).toMatchObject({ cpus: 2, operations: 1 })
  expect(result.switches).toBe(2)
  const { history, finding } = record(result.subject, courseOf(result))
  expect(history).toHaveLength(4)
  expect(finding).toMatchObject({ check: 'counter' })
})

test(
  'the needle of depth 4 ends with 7 changes of CPU, six of them preemptions that were shown to be ' +
    'necessary',
  async () => {
    const result = await shrunk('needle20x4', { cpus: 3 })
    expect(result.sizes.cpus).toBe(2)
    expect(result.switches).toBe(7)
    expect(result.proofs.map(({ reason, without }) => without ?? reason)).toEqual([
      ...Array.from({ length: 6 }, () => 'held'),
      'waiting',
    ])
  },
)

test('a deadlock of two locks ends with one switch', async () => {
  const result = await shrunk('abba', { cpus: 3 })
  expect(result.switches).toBe(1)
  expect(result.proofs).toEqual([
    { step: 2, from: expect.any(Number), to: expect.any(Number), reason: 'preempted', without: 'held' },
  ])
})

test.each([1, 2, 3])('draws that do not matter end as 0 (seed %i)', async (seed) => {
  const { draws, switches } = await shrunk('drawnUpdate', {}, seed)
  expect(switches).toBe(2)
  expect(draws).toEqual([
    { pid: 1, values: [0, 5, 0] },
    { pid: 2, values: [0, 6, 0] },
  ])
})

test('a schedule that does not fail is not shrunk', async () => {
  const subject = subjectOf('lockedUpdate')
  const sizes = { cpus: 2, operations: 0, pages: 0 }
  expect(
    await shrink(subject, 'counter', { schedule: [0, 0], steps: 10, draws: [] }, { sizes }),
  ).toBeUndefined()
})

test('executions bound it, but for the proofs', async () => {
  const most = 12
  const { proofs, executions, switches } = await shrunk('lostUpdate', { cpus: 3, operations: 5 }, 1, {
    executions: most,
  })
  expect(executions).toBeGreaterThanOrEqual(most)
  expect(executions).toBeLessThanOrEqual(most + 2 * proofs.length)
  expect(proofs).toHaveLength(switches)
})

test('a signal ends it with what it has reached, unproved', async () => {
  const control = new AbortController()
  const make = (): undefined => {
    control.abort()
  }
  const options = { make, signal: control.signal }
  const early = await shrunk('lostUpdate', { cpus: 3, operations: 5 }, 1, options)
  const whole = await shrunk('lostUpdate', { cpus: 3, operations: 5 }, 1, { make: () => undefined })
  expect(early.executions).toBeLessThan(whole.executions)
  expect(early.proofs).toEqual([])
})
