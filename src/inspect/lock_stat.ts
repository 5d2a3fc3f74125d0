// lock_stat: the region of the CPUs' counters -> one row a lock class, and the text of /proc/lock_stat (Linux 6.1,
// kernel/locking/lockdep_proc.c). Leaves out contention points: the kernel keeps no call sites.
import { percentile } from './histogram.ts'
import { LOCK_CLASSES, type LockClassSymbol, lockClassText } from './lock_classes.ts'
import { type CpuStats, greatest, total, totals } from './stats.ts'
import { type SymbolTable, symbol } from './symbols.ts'

/** Times in nanoseconds. */
export interface LockTimes {
  /** How many were timed. */
  readonly samples: number
  readonly min: number
  readonly max: number
  /** Of all, timed or not: the timed ones' average times the number there were. */
  readonly total: number
  readonly average: number
  readonly p50: number
  readonly p99: number
}

/** A class of locks (and its mode, if it is a semaphore's: `-R`, `-W`), as /proc/lock_stat counts it. */
export interface LockRow {
  readonly class: string
  readonly acquisitions: number
  /** Acquisitions whose lock another CPU had taken last. */
  readonly acqBounces: number
  /** Acquisitions that had to wait. */
  readonly contentions: number
  readonly conBounces: number
  readonly waittime: LockTimes
  readonly holdtime: LockTimes
}

/** What a line of /proc/lock_stat shows of a class. Times in nanoseconds. */
export interface LockStatLine extends Omit<LockRow, 'waittime' | 'holdtime'> {
  readonly waittime: Pick<LockTimes, 'min' | 'max' | 'total' | 'average'>
  readonly holdtime: Pick<LockTimes, 'min' | 'max' | 'total' | 'average'>
}

/** The rows of all classes that were taken, the most contended first; none without LOCK_STAT=y. */
export function readLockStat(stats: CpuStats, symbols: SymbolTable): LockRow[] {
  if (!symbols['NR_LOCK_STAT_ROWS']) return []
  const subclasses = symbol(symbols, 'NR_LOCK_SUBCLASSES')
  const first = symbol(symbols, 'STAT_LOCK') + symbol(symbols, 'LOCK_STAT_ROWS')
  const rows: LockRow[] = []
  for (let row = 0; row < symbols['NR_LOCK_STAT_ROWS']; row++) {
    const at = first + row * symbol(symbols, 'LOCK_STAT_WORDS')
    const field = (name: string): number => at + symbol(symbols, `lock_stat$${name}`)
    const acquisitions = total(stats, field('acquisitions'))
    if (acquisitions === 0) continue
    const contentions = total(stats, field('contentions'))
    const times = (kind: 'waittime' | 'holdtime', count: number): LockTimes =>
      readTimes(stats, symbols, field(`${kind}_min`), field(`${kind}_histogram`), count)
    rows.push({
      class: className(symbols, Math.floor(row / subclasses), row % subclasses),
      acquisitions,
      acqBounces: total(stats, field('acq_bounces')),
      contentions,
      conBounces: total(stats, field('con_bounces')),
      waittime: times('waittime', contentions),
      holdtime: times('holdtime', acquisitions),
    })
  }
  return rows.toSorted(
    (left, right) => right.contentions - left.contentions || right.acquisitions - left.acquisitions,
  )
}

function className(symbols: SymbolTable, number: number, subclass: number): string {
  const names = Object.keys(LOCK_CLASSES) as LockClassSymbol[]
  const name = names.find((key) => symbols[key] === number)
  return name === undefined ? `class ${number}` : lockClassText(name, subclass)
}

function readTimes(
  stats: CpuStats,
  symbols: SymbolTable,
  at: number,
  histogram: number,
  count: number,
): LockTimes {
  const offset = (name: string): number =>
    at + symbol(symbols, `lock_stat$waittime_${name}`) - symbol(symbols, 'lock_stat$waittime_min')
  const samples = total(stats, offset('nr'))
  if (samples === 0) return { samples: 0, min: 0, max: 0, total: 0, average: 0, p50: 0, p99: 0 }
  const timed = stats.filter((stat) => stat[offset('nr')] > 0)
  const buckets = totals(stats, histogram, symbol(symbols, 'LOCK_STAT_BUCKETS'))
  const max = greatest(stats, offset('max'))
  const average = total(stats, offset('total')) / samples
  return {
    samples,
    min: Math.round(Math.min(...timed.map((stat) => stat[at]))),
    max: Math.round(max),
    total: Math.round(average * count),
    average: Math.round(average),
    p50: Math.round(percentile(buckets, 0.5, max)),
    p99: Math.round(percentile(buckets, 0.99, max)),
  }
}

const RULER_WIDTH = 40 + 1 + 12 * (14 + 1)
const COLUMNS = [
  'con-bounces',
  'contentions',
  'waittime-min',
  'waittime-max',
  'waittime-total',
  'waittime-avg',
  'acq-bounces',
  'acquisitions',
  'holdtime-min',
  'holdtime-max',
  'holdtime-total',
  'holdtime-avg',
]

/**
 * The text of /proc/lock_stat for `rows`, ending in a newline. A class with two modes takes two lines, -W before -R.
 */
export function formatLockStat(rows: readonly LockStatLine[]): string {
  const ruler = '-'.repeat(RULER_WIDTH)
  const heading = `${'class name'.padStart(40)} ${COLUMNS.map((title) => title.padStart(14)).join(' ')}`
  const lines = ['lock_stat version 0.4', ruler, heading, ruler, '']
  const classes = new Map<string, LockStatLine[]>()
  for (const row of rows) {
    const name = row.class.replace(/-[RW]$/, '')
    classes.set(name, [...(classes.get(name) ?? []), row])
  }
  const contentions = (modes: readonly LockStatLine[]): number =>
    modes.reduce((sum, row) => sum + row.contentions, 0)
  const sorted = [...classes].toSorted((left, right) => contentions(right[1]) - contentions(left[1]))
  for (const [name, modes] of sorted) {
    const readers = modes.find((row) => row.class.endsWith('-R'))
    const writers = modes.find((row) => row !== readers)
    if (writers)
      lines.push(
        readers ? `${name.padStart(38)}-W:${counts(writers)}` : `${name.padStart(40)}:${counts(writers)}`,
      )
    if (readers) lines.push(`${name.padStart(38)}-R:${counts(readers)}`)
  }
  return `${lines.join('\n')}\n`
}

function counts(row: LockStatLine): string {
  const number = (value: number): string => String(value).padStart(14)
  const group = (bounces: number, count: number, times: LockStatLine['waittime']): string =>
    `${number(bounces)} ${number(count)}${[times.min, times.max, times.total, times.average]
      .map((time) => ` ${microseconds(time).padStart(14)}`)
      .join('')}`
  return (
    `${group(row.conBounces, row.contentions, row.waittime)} ` +
    `${group(row.acqBounces, row.acquisitions, row.holdtime)}`
  )
}

/** Nanoseconds as microseconds with two decimals, rounded as the kernel does. */
export function microseconds(ns: number): string {
  const hundredths = Math.floor((ns + 5) / 10)
  return `${Math.floor(hundredths / 100)}.${String(hundredths % 100).padStart(2, '0')}`
}
