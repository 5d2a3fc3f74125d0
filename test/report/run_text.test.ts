import { describe, expect, test } from 'vitest'
import { formatRun } from '../../src/report/run_text.ts'
import { lockRow, sample } from './sample.ts'

describe('the text of a run', () => {
  test('says what ran, how fast, what happened and the verdict', () => {
    expect(formatRun(sample)).toBe(`same-page: 4 CPUs on 2 cores, seed 1
PTLOCK=pmd  SPINLOCK=pvqspinlock

throughput  2,000,000 operations/s (4,000,000 in 2.00 s), 250,000 faults/s
events      pgfault 500,000  copy_pte_range_breaks_need_resched 3  copy_pte_range_breaks_needbreak_src 1
            copy_pte_range_breaks_needbreak_dst 4
retries     do_anonymous_page:write 12
ptl         17 distinct page-table-lock words taken
waits       waiting 25 % of CPU time  halted 13 %  idle 0 %  spinlocks 20 %  mm mmap_lock 20 %
latency     fault path    samples     p50     p99     max
            wp_page_copy    1,234  300 ns  4.5 us  2.3 ms

checks      held: Q1 refcounts
            not applicable: Q4 swap counts

verdict: held
`)
  })

  test('says what was changed in the kernel', () => {
    const text = formatRun({ ...sample, reverts: ['ptl-wrong', 'wp-no-flush'], patches: ['mine.patch'] })
    expect(text).toContain('SPINLOCK=pvqspinlock\nreverted: ptl-wrong, wp-no-flush\npatched: mine.patch\n')
  })

  test('has the text of lock_stat when there are statistics', () => {
    expect(formatRun({ ...sample, locks: [lockRow('&zone->lock', 3)] })).toContain('lock_stat version 0.4\n')
  })

  test('shows a failed check with what it found, and ends with the command', () => {
    const checks = [{ name: 'Q1 refcounts', ok: false, detail: 'page 0x1a3: _refcount 3, expected 2' }]
    const text = formatRun({ ...sample, checks, verdict: 'violated' })
    expect(text).toContain('checks      FAILED Q1 refcounts: page 0x1a3: _refcount 3, expected 2\n')
    expect(text.endsWith('verdict: violated\nto run it again: mmtorture run same-page --cpus 4\n')).toBe(true)
  })

  test('shows what every CPU was doing when the machine stopped, the cause first', () => {
    const frame = { function: 'do_wp_page', file: 'src/kernel/mm/memory.ts', line: 7, user: false }
    const failure = {
      kind: 'bug' as const,
      message: 'CPU 1: kernel BUG at src/kernel/mm/memory.ts:7 in do_wp_page',
      details: ['page:0x10 refcount:1'],
      cpus: [
        {
          cpu: 0,
          ended: 'stopped' as const,
          operations: 5,
          holds: [],
          stack: [],
          waitsFor: 'mm 1 mmap_lock',
        },
        {
          cpu: 1,
          ended: 'bug' as const,
          task: { pid: 3, mm: 1, program: 2 },
          operations: 9,
          holds: ['mm 1 mmap_lock', 'page 0x3d (table) ptl'],
          stack: [frame],
        },
      ],
    }
    expect(formatRun({ ...sample, checks: [], failure, verdict: 'violated' })).toContain(`
checks      not run: the machine did not come to rest

CPU 1: kernel BUG at src/kernel/mm/memory.ts:7 in do_wp_page
page:0x10 refcount:1
CPU: 1 task 3 (mm 1, program 2), 9 operations [here]
 holds mm 1 mmap_lock, page 0x3d (table) ptl
 Call Trace:
  do_wp_page src/kernel/mm/memory.ts:7
CPU: 0 no task, 5 operations
 waits for mm 1 mmap_lock

verdict: violated
`)
  })

  test('says that it was interrupted', () => {
    expect(formatRun({ ...sample, interrupted: true })).toContain('verdict: held (interrupted)\n')
  })
})
