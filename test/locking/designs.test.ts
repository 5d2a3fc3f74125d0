// The built-in designs that take their locks themselves hold where tables are walked and looked at from all sides.
import { describe, expect, it } from 'vitest'
import { hunted, verdictOf } from '../reverts/hunted.ts'

const FORMS = [
  // Two tables at once, walks over ranges of entries, and faults of single ones.
  { scenario: 'fork-reclaim', pages: 8 },
  // Lookups that only read.
  { scenario: 'swapin-dio', pages: 2 },
]

describe.each(['range', 'rw', 'bit', 'percpu-rw', 'seq'])('PTLOCK=%s', (design) => {
  it.each(FORMS)('holds in $scenario', { timeout: 60_000 }, async (form) => {
    const result = await hunted({ ...form, config: [`PTLOCK=${design}`], executions: 128 })
    expect(verdictOf(result)).toBe('held')
  })
})
