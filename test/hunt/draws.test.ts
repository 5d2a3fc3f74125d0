// What tasks draw in a hunt of the kernel: found, shrunk, replayed.
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { huntPlans, type Hunts } from '../../src/hunt/hunt.ts'
import { type HuntChoices, planHunt } from '../../src/hunt/plan.ts'
import { replayRecorded } from '../../src/hunt/replay.ts'

const SCENARIO = fileURLToPath(new URL('fixtures/drawn_calls.ts', import.meta.url))

function hunts(choices: HuntChoices): Promise<Hunts> {
  return huntPlans([planHunt(SCENARIO, { seed: 1, operations: 1, executions: 3000, ...choices })])
}

describe('a race of two calls that tasks draw', () => {
  it('is found, shrunk to the draws that it takes, and replayed', { timeout: 120_000 }, async () => {
    const [{ report, replays }] = (await hunts({ revert: ['mprotect-no-flush'] })).hunted
    expect(report.violation).toMatchObject({ check: 'tlb' })
    const calls = report.violation!.draws.map(({ values }) => values)
    expect(calls.toSorted((one, other) => one[0] - other[0])).toEqual([[4, 0], [7]])
    const { report: again } = await replayRecorded(replays[0])
    expect(again.violation).toMatchObject({ check: 'tlb', draws: report.violation!.draws })
  })

  it('is not there in the kernel as it comes', { timeout: 120_000 }, async () => {
    const [{ report }] = (await hunts({})).hunted
    expect(report).toMatchObject({ verdict: 'held', executions: 3000 })
  })
})
