import { describe, expect, test } from 'vitest'
import { formatSweep } from '../../src/report/run_sweep.ts'
import { type SweepReport, sweepReport } from '../../src/run/sweep.ts'
import { rowLabel } from '../../src/kbuild/labels.ts'
import { lockRow, sample } from './sample.ts'

const row = (PTLOCK: string, changes: Partial<typeof sample> = {}): typeof sample => ({
  ...sample,
  config: { ...sample.config, PTLOCK },
  ...changes,
})

const sweepOf = (...rows: (typeof sample)[]): SweepReport =>
  sweepReport(
    rows.map((one) => [one]),
    { interrupted: false },
  )

describe('a sweep', () => {
  test('says what was changed in the kernel of all rows', () => {
    const changed = { reverts: ['ptl-wrong'], patches: ['mine.patch'] }
    const text = formatSweep(sweepOf(row('mm', changed), row('pte', changed)))
    expect(text).toMatch(/^reverted: ptl-wrong\npatched: mine\.patch\n\nPTLOCK/)
  })

  test('prints one table with a row for each configuration', () => {
    const text = formatSweep(sweepOf(row('mm'), row('/designs/mine.ts')))
    expect(text)
      .toBe(`PTLOCK       ops/s  pgfault  retries  ptl words  breaks resched  needbreak  waiting  verdict
mm       2,000,000  500,000       12         17               3          5     25 %  held
mine.ts  2,000,000  500,000       12         17               3          5     25 %  held

verdict: held, 2 of 2 rows held
`)
  })

  test('counts the contentions of page-table locks apart, and prints each lock_stat', () => {
    const locks = [lockRow('ptlock_ptr(page)', 5), lockRow('&zone->lock', 2)]
    const text = formatSweep(sweepOf(row('mm', { locks }), row('pte', { locks: [] })))
    expect(text).toMatch(/^PTLOCK=mm\nlock_stat version 0\.4\n/)
    expect(text).toMatch(/ptl contentions {2}contentions {2}verdict\nmm .* 5 +7 {2}held/)
  })

  test('is violated when a row is, and says how to run that row again', () => {
    const checks = [{ name: 'Q3 rss', ok: false, detail: 'mm 1' }]
    const sweep = sweepOf(row('mm'), row('pte', { checks, verdict: 'violated' }))
    expect(sweep.verdict).toBe('violated')
    const text = formatSweep(sweep)
    expect(text).toContain('PTLOCK=pte: Q3 rss: mm 1\n  to run it again: mmtorture run same-page --cpus 4\n')
    expect(text).toContain('verdict: violated, 1 of 2 rows held')
  })

  test('gathers the rows that a note is about', () => {
    const ticket = { ...sample.config, SPINLOCK: 'ticket' }
    const text = formatSweep(sweepOf(row('mm'), { ...sample, config: ticket }))
    expect(text).toContain('PTLOCK=pmd SPINLOCK=ticket: lock convoy:')
  })

  test('names a row by the keys that vary', () => {
    const configs = [row('mm').config, row('pte').config]
    expect(rowLabel(configs[1], configs)).toBe('PTLOCK=pte')
  })
})
