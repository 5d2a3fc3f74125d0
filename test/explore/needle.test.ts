// The needle of issue 3: uniform sampling finds one good order of C(2D, D).
import { expect, test } from 'vitest'
import { Explorer } from '../../src/explore/explorer.ts'
import { ExecutionRandom } from '../../src/step/random.ts'
import { SCHEDULERS } from '../../src/explore/schedulers/index.ts'
import { type ProgramName, subjectOf } from './subject.ts'

const surw = SCHEDULERS.find(({ name }) => name === 'surw')!

/** Mean executions to the bug. */
function mean(program: ProgramName, seeds: number): number {
  const subject = subjectOf(program)
  const { machine } = subject
  const explorer = new Explorer(subject, { seed: 0, scheduler: surw, sites: 8 })
  explorer.learn()
  const random = new ExecutionRandom()
  let executions = 0
  for (let seed = 0; seed < seeds; seed++)
    for (let i = 0; ; i++) {
      executions++
      if (machine.run(explorer.scheduler, i, random.restart(seed, i)).kind !== 'held') break
    }
  return executions / seeds
}

test.each(['needle20x2', 'needle100x2'] as const)(
  'surw finds %s in 6 executions, within 10 %%',
  (program) => {
    expect(Math.abs(mean(program, 2000) - 6)).toBeLessThan(0.6)
  },
)

test('surw finds needle20x4 in 70 executions, within 10 %', () => {
  expect(Math.abs(mean('needle20x4', 2000) - 70)).toBeLessThan(7)
})

// A quarter of the seeds: 30 million steps.
test('surw finds needle100x4 in 70 executions, within 10 %', () => {
  expect(Math.abs(mean('needle100x4', 500) - 70)).toBeLessThan(7)
})
