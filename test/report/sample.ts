// A report to format: what a short run of same-page could have found.
import { defaultConfig } from '../../src/kbuild/config.ts'
import type { RunReport } from '../../src/run/report.ts'

const times = { samples: 1, min: 100, max: 900, total: 1000, average: 500, p50: 400, p99: 900 }

export const sample: RunReport = {
  schema: 'mmtorture/run@1',
  scenario: 'same-page',
  config: defaultConfig(),
  reverts: [],
  patches: [],
  cpus: 4,
  cores: 2,
  seed: 1,
  seconds: 2,
  operations: 4_000_000,
  operationsPerSecond: 2_000_000,
  events: {
    pgfault: 500_000,
    forks: 0,
    copy_pte_range_breaks_need_resched: 3,
    copy_pte_range_breaks_needbreak_src: 1,
    copy_pte_range_breaks_needbreak_dst: 4,
    retries: { 'do_anonymous_page:write': 12, wp_page_copy: 0 },
  },
  latency: [{ path: 'wp_page_copy', samples: 1234, p50: 300, p99: 4500, max: 2_300_000 }],
  locks: [],
  distinctPtlWords: 17,
  waits: { waiting: 0.25, halted: 0.125, idle: 0, spinlocks: 0.2, for: { 'mm mmap_lock': 0.2 } },
  checks: [
    { name: 'Q1 refcounts', ok: true },
    { name: 'Q4 swap counts', ok: 'not applicable' },
  ],
  notes: [],
  verdict: 'held',
  command: 'mmtorture run same-page --cpus 4',
}

/** A class of locks that was waited for `contentions` times. */
export function lockRow(name: string, contentions: number): RunReport['locks'][number] {
  return {
    class: name,
    acquisitions: 10,
    acqBounces: 0,
    contentions,
    conBounces: 0,
    waittime: times,
    holdtime: times,
  }
}
