// Rows as comma-separated values.
import { expect, test } from 'vitest'
import { runCsv } from '../../src/report/csv.ts'
import { sweepReport } from '../../src/run/sweep.ts'
import { sample } from './sample.ts'

test('a line names the columns, and each row has its own with plain numbers', () => {
  const rows = [[sample], [{ ...sample, reverts: ['a', 'b'], patches: ['one,two.patch'], seed: 2 }]]
  const lines = runCsv(sweepReport(rows, { interrupted: false, baseline: 0 })).split('\n')
  expect(lines).toHaveLength(4)
  expect(lines[3]).toBe('')
  expect(lines[0]).toMatch(/^scenario,PTLOCK,.*,revert,patch,seed,cpus,operations_per_second,/)
  expect(lines[2]).toContain(',a+b,"one,two.patch",2,4,2000000,1,,1,500000,')
})
