// Page-table-lock designs that are wrong, each in its own way: a hunt finds every one by the check that knows best.
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { packageRoot } from '../../src/base/root.ts'
import { hunted } from '../reverts/hunted.ts'

interface Wrong {
  readonly design: string
  readonly scenario: string
  readonly check: string
  /** Of the report. */
  readonly says: RegExp
  readonly cpus?: number
  readonly operations?: number
  readonly pages?: number
}

const WRONG: readonly Wrong[] = [
  {
    design: 'examples/ptlock/per-cpu-lock.ts',
    scenario: 'same-page',
    check: 'table-owner',
    says: /^two owners of the page table in page 0x\w+: CPU \d has taken its lock, and it is held by CPU \d already/,
  },
  {
    design: 'by-address.ts',
    scenario: 'fork-storm',
    check: 'table-owner',
    says: /^two owners of the page table/,
  },
  {
    design: 'range-pair-too-short.ts',
    scenario: 'fork-reclaim',
    pages: 8,
    check: 'table-owner',
    says: /^two owners of pte\[mm \d, 0x\w+\]/,
  },
  {
    design: 'rw-reads-too-much.ts',
    scenario: 'same-page',
    check: 'table-owner',
    says: /^two owners of the page table/,
  },
  {
    design: 'seq-no-retry.ts',
    scenario: 'fork-cow',
    cpus: 3,
    pages: 2,
    check: 'table-owner',
    says: /^an optimistic look at pte\[.*\] found .*, and the design says that nothing has changed since; it is /,
  },
  { design: 'bit-with-flags.ts', scenario: 'same-page', check: 'kcsan', says: /data-race in ptl_lock \// },
  { design: 'null-lock.ts', scenario: 'same-page', check: 'BUG', says: /^BUG 5/ },
  { design: 'past-the-end.ts', scenario: 'fork-storm', check: 'BUG', says: /^BUG 5/ },
  {
    design: 'foreign-word.ts',
    scenario: 'same-page',
    check: 'bounds',
    says: /^mm 1 page_table_lock \+ 8 \(word 0x\w+\) is written by pte_lockptr, which owns /,
  },
  { design: 'forgotten-unlock.ts', scenario: 'mmap-churn', check: 'deadlock', says: /^no CPU can go on/ },
  {
    design: 'pair-order-one-side.ts',
    scenario: 'examples/scenarios/two-forks.ts',
    operations: 1,
    check: 'deadlock',
    says: /^no CPU can go on/,
  },
  {
    design: 'silent-trylock.ts',
    scenario: 'same-page',
    check: 'table-owner',
    says: /^two owners of the page table/,
  },
]

const fileOf = (path: string): string =>
  join(packageRoot(), path.includes('/') ? path : join('test/locking/wrong', path))

describe('a wrong page-table-lock design', () => {
  it.each(WRONG)(
    '$design is found by $check',
    { timeout: 60_000 },
    async ({ design, scenario, check, says, ...form }) => {
      const { violations } = await hunted({
        ...form,
        scenario: scenario.includes('/') ? fileOf(scenario) : scenario,
        config: [`PTLOCK=${fileOf(design)}`],
        executions: 256,
      })
      expect(violations.map((violation) => violation.check)).toEqual([check])
      expect(violations[0].message).toMatch(says)
    },
  )
})
