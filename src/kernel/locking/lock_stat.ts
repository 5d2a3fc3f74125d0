/**
 * Lock statistics (kernel/locking/lockdep.c and lockdep_proc.c, CONFIG_LOCK_STAT, 6.1), built only with LOCK_STAT=y.
 *
 * A lock's lockdep word holds its class (low byte) and the CPU that took it last, plus 1: a bounce is an acquisition or
 * a wait that finds another CPU there. Waits are all timed, holds for one acquisition in HOLDTIME_SAMPLE. Each CPU
 * counts in its own `stat`; the report adds them up. Left out: contention points (call sites), and read holds apart
 * from write holds inside one class (a semaphore has two classes instead).
 */
import { HOLDTIME_SAMPLE } from '#config'
import { data_race, smp_processor_id, this_cpu_read, this_cpu_write, WRITE_ONCE } from '../arch/access.ts'
import { clock, stat } from '../arch/machine.ts'
import { percpu$hold_sample } from '../arch/percpu.ts'
import { latency_bucket, STAT_LOCK } from '../mm/vmstat.ts'
import {
  LOCK_STAT_BUCKETS,
  LOCK_STAT_HELD,
  LOCK_STAT_ROWS,
  LOCK_STAT_WORDS,
  lock_stat$acq_bounces,
  lock_stat$acquisitions,
  lock_stat$con_bounces,
  lock_stat$contentions,
  lock_stat$holdtime_histogram,
  lock_stat$holdtime_min,
  lock_stat$waittime_histogram,
  lock_stat$waittime_max,
  lock_stat$waittime_min,
  lock_stat$waittime_nr,
  lock_stat$waittime_total,
  NR_LOCK_SUBCLASSES,
} from './lock_class.ts'

const LOCKDEP_CLASS_MASK = 0xff
const LOCKDEP_CPU_SHIFT = 8

/** Gives the lockdep word at `map` its class; no CPU has taken the lock yet. */
export function lockdep_init_map(map: number, lock_class: number): void {
  WRITE_ONCE(map, lock_class)
}

function lock_stat_row(word: number, subclass: number): number {
  const row = (word & LOCKDEP_CLASS_MASK) * NR_LOCK_SUBCLASSES + Math.min(subclass, NR_LOCK_SUBCLASSES - 1)
  return STAT_LOCK + LOCK_STAT_ROWS + row * LOCK_STAT_WORDS
}

/** This CPU is about to wait for the lock of `map`; returns the start of the wait for lock_acquired. */
export function lock_contended(map: number, subclass: number): number {
  const word = data_race(map)
  const row = lock_stat_row(word, subclass)
  const last = word >>> LOCKDEP_CPU_SHIFT
  stat[row + lock_stat$contentions]++
  if (last !== 0 && last !== smp_processor_id() + 1) stat[row + lock_stat$con_bounces]++
  return clock()
}

/**
 * This CPU has taken the lock of `map`, which is the held lock number `position`. `begin` is what lock_contended
 * returned, 0 if there was no wait.
 */
export function lock_acquired(map: number, subclass: number, position: number, begin: number): void {
  const word = data_race(map)
  const row = lock_stat_row(word, subclass)
  const last = word >>> LOCKDEP_CPU_SHIFT
  const me = smp_processor_id() + 1
  stat[row + lock_stat$acquisitions]++
  if (last !== me) {
    if (last !== 0) stat[row + lock_stat$acq_bounces]++
    WRITE_ONCE(map, (word & LOCKDEP_CLASS_MASK) | (me << LOCKDEP_CPU_SHIFT))
  }
  const held = STAT_LOCK + LOCK_STAT_HELD + 2 * position
  const left = HOLDTIME_SAMPLE > 1 ? this_cpu_read(percpu$hold_sample) : 0
  const timed = left <= 0
  stat[held] = 0
  if (HOLDTIME_SAMPLE > 1) this_cpu_write(percpu$hold_sample, timed ? HOLDTIME_SAMPLE - 1 : left - 1)
  if (begin === 0 && !timed) return
  const now = clock()
  if (begin !== 0) lock_time_inc(row, lock_stat$waittime_min, lock_stat$waittime_histogram, now - begin)
  if (!timed) return
  stat[held] = now
  stat[held + 1] = row
}

/** This CPU is about to release its held lock number `position`, of `held_count`. */
export function lock_released(position: number, held_count: number): void {
  const held = STAT_LOCK + LOCK_STAT_HELD + 2 * position
  if (stat[held] !== 0)
    lock_time_inc(stat[held + 1], lock_stat$holdtime_min, lock_stat$holdtime_histogram, clock() - stat[held])
  const end = STAT_LOCK + LOCK_STAT_HELD + 2 * (held_count - 1)
  for (let at = held; at < end; at++) stat[at] = stat[at + 2]
}

/**
 * Adds a time of `ns` to the minimum, maximum, total and count that begin at `field` of `row`, and to the histogram.
 */
function lock_time_inc(row: number, field: number, histogram: number, ns: number): void {
  const at = row + field
  const time = Math.max(0, ns)
  const min = at
  const max = at + (lock_stat$waittime_max - lock_stat$waittime_min)
  const total = at + (lock_stat$waittime_total - lock_stat$waittime_min)
  const nr = at + (lock_stat$waittime_nr - lock_stat$waittime_min)
  if (stat[nr] === 0 || time < stat[min]) stat[min] = time
  if (time > stat[max]) stat[max] = time
  stat[total] += time
  stat[nr]++
  stat[row + histogram + Math.min(LOCK_STAT_BUCKETS - 1, latency_bucket(time))]++
}
