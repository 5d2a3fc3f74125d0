// Rows that were run more than once, and rows beside a baseline.
import { describe, expect, test } from 'vitest'
import { machineNotes } from '../../src/run/notes.ts'
import { sweepReport } from '../../src/run/sweep.ts'
import { sample } from '../report/sample.ts'

const ran = (operationsPerSecond: number, about: Partial<typeof sample> = {}): typeof sample => ({
  ...{ ...sample, operationsPerSecond },
  ...about,
})

describe('a row that was run several times', () => {
  const { rows } = sweepReport([[ran(90), ran(120), ran(100)]], { interrupted: false })

  test('shows the run in the middle, with all figures in their order and their spread', () => {
    expect(rows[0]).toMatchObject({
      operationsPerSecond: 100,
      repeats: { operationsPerSecond: [90, 120, 100], median: 100, spread: 0.3 },
    })
  })

  test('shows the run that was violated', () => {
    const runs = [ran(90), ran(1, { verdict: 'violated' }), ran(100)]
    const sweep = sweepReport([runs], { interrupted: false })
    expect(sweep.rows[0].verdict).toBe('violated')
    expect(sweep.verdict).toBe('violated')
  })
})

test('rows are multiples of the baseline', () => {
  const { rows, baseline } = sweepReport([[ran(50)], [ran(200)]], { interrupted: false, baseline: 1 })
  expect(baseline).toBe(1)
  expect(rows.map(({ ofBaseline }) => ofBaseline)).toEqual([0.25, 1])
})

test('without a baseline nothing is compared', () => {
  const { rows } = sweepReport([[ran(50)], [ran(200)]], { interrupted: false })
  expect(rows[1].ofBaseline).toBeUndefined()
})

describe('a warning says that the machine is busy', () => {
  const sweep = (...figures: number[]): ReturnType<typeof sweepReport> =>
    sweepReport([figures.map((figure) => ran(figure))], { interrupted: false })

  test('when others had work before the first run', () => {
    expect(machineNotes(sweep(100).rows, ['A'], 1.9)).toEqual([
      expect.stringContaining('its load average was 1.9 on 2 cores') as string,
    ])
    expect(machineNotes(sweep(100).rows, ['A'], 0.4)).toEqual([])
  })

  test('when repeats of a row differ', () => {
    expect(machineNotes(sweep(80, 100, 100).rows, ['PTLOCK=mm'], 0)).toEqual([
      'repeats of a row differ by more than 10 % of their median: PTLOCK=mm 20 %.',
    ])
    expect(machineNotes(sweep(95, 100, 100).rows, ['PTLOCK=mm'], 0)).toEqual([])
  })
})
