// How often a lock was taken on a machine of one CPU that was built with LOCK_STAT=y.
import type { OneCpu } from './machine.ts'

/** Acquisitions of the class `LOCK_CLASS_<name>` so far. */
export function acquisitions(m: OneCpu, name: string): number {
  const { STAT_LOCK, LOCK_STAT_ROWS, LOCK_STAT_WORDS, NR_LOCK_SUBCLASSES } = m.symbols
  const row = m.symbols[`LOCK_CLASS_${name}`] * NR_LOCK_SUBCLASSES
  return m.stat[STAT_LOCK + LOCK_STAT_ROWS + row * LOCK_STAT_WORDS + m.symbols.lock_stat$acquisitions]
}

/** Acquisitions of that class while `work` runs. */
export function acquisitionsOf(m: OneCpu, name: string, work: () => void): number {
  const before = acquisitions(m, name)
  work()
  return acquisitions(m, name) - before
}
