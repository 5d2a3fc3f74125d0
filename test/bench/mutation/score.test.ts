import { describe, expect, it } from 'vitest'
import { changeOf, reasonOf } from '../../../bench/mutation/equivalent.ts'
import type { Mutant } from '../../../bench/mutation/mutants.ts'
import { formsFor } from '../../../bench/mutation/reach.ts'
import { type Outcome, scoreOf, scoreText } from '../../../bench/mutation/score.ts'

const PATCH = '--- a/f.ts\n+++ b/f.ts\n@@ -1,3 +1,3 @@\n if (a)\n-  lock(p)\n+  {}\n return 1\n'
const mutant: Mutant = {
  ...{ kind: 'lock', file: 'f.ts', function: 'f', line: 12, lines: [10, 20], patch: PATCH },
}
const killed: Outcome = { fate: 'killed', form: 'same-page', check: 'tlb', execution: 3 }
const survived: Outcome = { fate: 'survived', executions: 1280 }

describe('the score', () => {
  it('is the share of faults that were killed, without refused and equivalent mutants', () => {
    const fates: Outcome[] = [
      killed,
      killed,
      killed,
      survived,
      { fate: 'refused', why: 'a rule' },
      { fate: 'equivalent', reason: 'nobody reads it' },
    ]
    expect(scoreOf(fates.map((outcome) => ({ mutant, outcome })))).toBe(0.75)
  })

  it('counts what nothing reaches as a fault that was not found', () => {
    expect(scoreOf([{ mutant, outcome: { fate: 'unreached' } }])).toBe(0)
  })

  it('shows survivors as diffs, and no others', () => {
    const text = scoreText([
      { mutant, outcome: survived },
      { mutant: { ...mutant, function: 'g' }, outcome: killed },
    ])
    expect(text).toContain('lock in f, f.ts:12: survived 1,280 executions\n@@')
    expect(text).toContain('-  lock(p)\n+  {}')
    expect(text).not.toContain('lock in g')
  })
})

describe('an equivalent mutant', () => {
  it('goes by its function and the lines that it changes', () => {
    expect(changeOf(mutant)).toEqual(['-lock(p)', '+{}'])
    const list = [{ function: 'f', change: ['-lock(p)', '+{}'], reason: 'one CPU runs it' }]
    expect(reasonOf(mutant, list)).toBe('one CPU runs it')
    expect(reasonOf({ ...mutant, function: 'g' }, list)).toBeUndefined()
  })
})

describe('formsFor', () => {
  const reach = (scenario: string, reached: number[], file = 'f.ts') => ({
    form: { scenario, config: [], sizes: { cpus: 2, operations: 2, pages: 3 } },
    lines: { [file]: { reached, setup: [], unreached: [] } },
  })
  const names = (...reaches: ReturnType<typeof reach>[]): string[] =>
    formsFor(mutant, reaches, 2).map(({ scenario }) => scenario)

  it('takes those that reach the place first, then those that reach more of the function', () => {
    expect(names(reach('few', [20]), reach('here', [12]), reach('more', [18, 19, 20]))).toEqual([
      'here',
      'more',
    ])
  })

  it('takes those that reach the file when none reaches the function', () => {
    expect(names(reach('other', [12], 'g.ts'), reach('elsewhere', [99]))).toEqual(['elsewhere'])
  })
})
