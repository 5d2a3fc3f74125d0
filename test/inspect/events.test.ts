import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { EVENTS, eventCount, readEvents, totalRetries } from '../../src/inspect/events.ts'

const source = readFileSync(new URL('../../src/kernel/mm/vmstat.ts', import.meta.url), 'utf8')

test('every event of vmstat.ts is in the list, in its order', () => {
  const before = source.slice(0, source.indexOf('NR_VM_EVENTS'))
  const names = [...before.matchAll(/^export const ([A-Z0-9_]+) = \d+$/gm)].map((match) => match[1])
  expect(EVENTS).toEqual(names)
})

describe('the counters', () => {
  const symbols = {
    PGFAULT: 0,
    FORKS: 1,
    RETRY_wp_page_copy: 3,
    RETRY_do_anonymous_page$write: 2,
    RETRY_END: 5,
  }
  const events = readEvents([Float64Array.of(5, 1, 2, 0), Float64Array.of(7, 0, 1, 4)], symbols)

  test('are added up over the CPUs by name', () => {
    expect(events['pgfault']).toBe(12)
    expect(eventCount(events, 'forks')).toBe(1)
    expect(eventCount(events, 'no_such_event')).toBe(0)
  })

  test('of retries carry the function and its kind, in the order of vmstat.ts', () => {
    expect(Object.entries(events.retries)).toEqual([
      ['do_anonymous_page:write', 3],
      ['wp_page_copy', 4],
    ])
    expect(totalRetries(events)).toBe(7)
  })
})
