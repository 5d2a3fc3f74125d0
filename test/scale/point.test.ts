import { expect, test } from 'vitest'
import { ClockFigures } from '../../src/machine/clock/figures.ts'
import { clockPoint } from '../../src/scale/point.ts'
import type { MachineView } from '../../src/inspect/symbols.ts'

const symbols = {
  ...{ MMS: 1024, MM_WORDS: 32, NR_MMS: 8, mm$id: 0, mm$map_count: 16, RQ: 2048, RQ_WORDS: 16, rq$event: 0 },
  ...{ PERCPU: 512, PERCPU_WORDS: 16, NR_CPUS: 4, percpu$flush_mm: 0, percpu$tlb: 8 },
}
const view = { memory: new Int32Array(4096), symbols } as unknown as MachineView

/** What binds, where lines cost so many of 1,000 ps on one CPU. */
function bound(stalls: Record<number, number>): string {
  const figures = new ClockFigures(256)
  for (const [address, time] of Object.entries(stalls)) figures.stallOutside[Number(address) >> 4] = time
  return clockPoint(view, figures, 0, 1, 1000).bound
}

test('lines of one kind bind together', () => {
  const mms = { 1040: 80, 1072: 80, 1104: 80 }
  expect(bound({ ...mms, 512: 150 })).toBe(
    'at 1 CPU 24 % of the time is spent waiting for 3 lines of mm map_count',
  )
})

test('a line that takes nearly all of its kind is named itself', () => {
  expect(bound({ 1040: 10, 1072: 300 })).toBe(
    'at 1 CPU 31 % of the time is spent waiting for the line of mm 0 map_count',
  )
  expect(bound({ 512: 150 })).toBe(
    'at 1 CPU 15 % of the time is spent waiting for the line of CPU 0 flush_mm',
  )
})
