import { describe, expect, test } from 'vitest'
import { formatLockStat, type LockRow, microseconds, readLockStat } from '../../src/inspect/lock_stat.ts'

const none = { samples: 0, min: 0, max: 0, total: 0, average: 0, p50: 0, p99: 0 }
const row = (name: string, figures: Partial<LockRow> = {}): LockRow => ({
  class: name,
  acquisitions: 1,
  acqBounces: 0,
  contentions: 0,
  conBounces: 0,
  waittime: none,
  holdtime: none,
  ...figures,
})

describe('the text of lock_stat', () => {
  test('begins as /proc/lock_stat does', () => {
    const lines = formatLockStat([]).split('\n')
    expect(lines[0]).toBe('lock_stat version 0.4')
    expect(lines[1]).toBe('-'.repeat(221))
    expect(lines[2]).toBe(
      '                              class name    con-bounces    contentions   waittime-min   ' +
        'waittime-max waittime-total   waittime-avg    acq-bounces   acquisitions   holdtime-min   ' +
        'holdtime-max holdtime-total   holdtime-avg',
    )
    expect(lines[3]).toBe(lines[1])
    expect(lines[4]).toBe('')
  })

  test('has the columns of the kernel for a semaphore with both modes', () => {
    // The example of Documentation/locking/lockstat.rst.
    const write = row('&mm->mmap_sem-W', {
      conBounces: 46,
      contentions: 84,
      waittime: { ...none, min: 260, max: 939_100, total: 16_371_530, average: 194_900 },
      acqBounces: 47_291,
      acquisitions: 2_922_365,
      holdtime: { ...none, min: 160, max: 2_220_301_690, total: 17_464_026_916_320, average: 5_975_990 },
    })
    const read = row('&mm->mmap_sem-R', { conBounces: 37, contentions: 100 })
    const lines = formatLockStat([read, write]).split('\n')
    expect(lines[5]).toBe(
      '                         &mm->mmap_sem-W:            46             84           0.26         ' +
        '939.10       16371.53         194.90          47291        2922365           0.16     ' +
        '2220301.69 17464026916.32        5975.99',
    )
    expect(lines[6]).toMatch(/^ {25}&mm->mmap_sem-R: {12}37 {12}100 {11}0\.00/)
  })

  test('names a class with one mode in full width', () => {
    expect(formatLockStat([row('ptlock_ptr(page)')]).split('\n')[5]).toMatch(
      /^ {24}ptlock_ptr\(page\): {13}0 /,
    )
  })

  test('puts the most contended class first', () => {
    const text = formatLockStat([row('quiet'), row('busy', { contentions: 3 })])
    expect(text.indexOf('busy')).toBeLessThan(text.indexOf('quiet'))
  })
})

test.each([
  [0, '0.00'],
  [4, '0.00'],
  [5, '0.01'],
  [999, '1.00'],
  [1_234_567, '1234.57'],
])('%i ns are %s us', (ns, text) => {
  expect(microseconds(ns)).toBe(text)
})

describe('the rows of lock_stat', () => {
  const symbols = {
    NR_LOCK_STAT_ROWS: 4,
    NR_LOCK_SUBCLASSES: 2,
    STAT_LOCK: 1,
    LOCK_STAT_ROWS: 1,
    LOCK_STAT_WORDS: 268,
    LOCK_STAT_BUCKETS: 128,
    LOCK_CLASS_none: 0,
    LOCK_CLASS_ptlock: 1,
    lock_stat$acquisitions: 0,
    lock_stat$acq_bounces: 1,
    lock_stat$contentions: 2,
    lock_stat$con_bounces: 3,
    lock_stat$waittime_min: 4,
    lock_stat$waittime_max: 5,
    lock_stat$waittime_total: 6,
    lock_stat$waittime_nr: 7,
    lock_stat$waittime_histogram: 12,
    lock_stat$holdtime_min: 8,
    lock_stat$holdtime_max: 9,
    lock_stat$holdtime_total: 10,
    lock_stat$holdtime_nr: 11,
    lock_stat$holdtime_histogram: 140,
  }
  const cpu = (min: number, max: number, total: number, nr: number): Float64Array => {
    const stat = new Float64Array(2 + 4 * 268)
    const at = 2 + 3 * 268
    stat.set([32, 3, nr, 1, min, max, total, nr, 100, 100, 200, 2], at)
    stat[at + 12 + 40] = nr
    return stat
  }
  const rows = readLockStat([cpu(1100, 1200, 2300, 2), cpu(0, 0, 0, 0)], symbols)

  test('add up the CPUs and name the subclass', () => {
    expect(rows).toHaveLength(1)
    expect(rows[0]).toMatchObject({
      class: 'ptlock_ptr(page)/1',
      acquisitions: 64,
      acqBounces: 6,
      contentions: 2,
      conBounces: 2,
    })
  })

  test('ignore a CPU without waits in the minimum', () => {
    expect(rows[0].waittime).toMatchObject({ samples: 2, min: 1100, max: 1200, total: 2300, average: 1150 })
  })

  test('scale the total of the sampled holds up to all acquisitions', () => {
    expect(rows[0].holdtime).toMatchObject({ samples: 4, average: 100, total: 6400 })
  })

  test('are none when the image keeps no statistics', () => {
    expect(readLockStat([], { ...symbols, NR_LOCK_STAT_ROWS: 0 })).toEqual([])
  })
})
