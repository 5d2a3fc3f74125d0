// Event counters and retries: a CPU's `stat` words -> the names they go by in reports. Leaves out the latency table and
// lock_stat.
import type * as vmstat from '../kernel/mm/vmstat.ts'
import { type CpuStats, total } from './stats.ts'
import type { SymbolTable } from './symbols.ts'

/** The events of mm/vmstat.ts, by the names of their constants. */
export const EVENTS = [
  'PGFAULT',
  'PGALLOC',
  'PGFREE',
  'PGREUSE',
  'COW_COPIES',
  'ZERO_PAGE_FAULTS',
  'SPURIOUS_FAULTS',
  'SIGSEGV_FAULTS',
  'SIGBUS_FAULTS',
  'OOM_FAULTS',
  'NR_TLB_REMOTE_FLUSH',
  'NR_TLB_REMOTE_FLUSH_RECEIVED',
  'NR_TLB_LOCAL_FLUSH_ALL',
  'FORKS',
  'EXECS',
  'EXITS',
  'CONTEXT_SWITCHES',
  'PAGE_TABLES_ALLOCATED',
  'PAGE_TABLES_FREED',
  'COPY_PTE_RANGE_BREAKS_NEED_RESCHED',
  'COPY_PTE_RANGE_BREAKS_NEEDBREAK_SRC',
  'COPY_PTE_RANGE_BREAKS_NEEDBREAK_DST',
  'COPY_PTE_RANGE_BREAKS_SWAP',
  'COPY_PAGE_RANGE_SKIPPED',
  'ALLOC_FAILED',
  'PTES_COPIED',
  'ORACLE_CHECKS',
  'PGMAJFAULT',
  'PSWPIN',
  'PSWPOUT',
  'SWAP_RA',
  'PGLAZYFREED',
  'PGMIGRATE_SUCCESS',
  'PGMIGRATE_FAIL',
  'SWAP_SLOTS_ALLOCATED',
  'SWAP_COUNT_CONTINUATIONS',
  'MMLIST_ADDED',
  'MMLIST_REMOVED',
  'SWAP_READ_ERRORS',
  'SWAP_WRITE_ERRORS',
  'PGACTIVATE',
  'PGLAZYFREE',
  'OOM_KILL',
  'OOM_REAPED',
  'OOM_SKIPPED',
  'PGDEACTIVATE',
  'PGSCAN_KSWAPD',
  'PGSCAN_DIRECT',
  'PGSTEAL_KSWAPD',
  'PGSTEAL_DIRECT',
  'ALLOCSTALL',
  'KSWAPD_WAKE',
  'PAGEOUTRUN',
  'VMA_LOCK_SUCCESS',
  'VMA_LOCK_ABORT',
  'VMA_LOCK_RETRY',
  'VMA_LOCK_MISS',
  'MEMCG_MAX',
  'PGROTATED',
  'ENOMEM_CALLS',
  'ENOMEM_REFUSED',
  'SWAPIN_GONE',
] as const satisfies readonly (keyof typeof vmstat)[]

/** Counts by event name (`pgfault`), and the failed rechecks by function (`do_anonymous_page:write`). */
export interface Events {
  readonly [event: string]: number | Readonly<Record<string, number>>
  readonly retries: Readonly<Record<string, number>>
}

/** Reads the counters of all CPUs. Zero counts are there too. */
export function readEvents(stats: CpuStats, symbols: SymbolTable): Events {
  const events: Record<string, number> = {}
  for (const [name, index] of eventNames(symbols)) events[name] = total(stats, index)
  const retries: Record<string, number> = {}
  for (const [name, index] of retryNames(symbols)) retries[name] = total(stats, index)
  return { ...events, retries }
}

/** Events as (name, index into `stat`). */
export function eventNames(symbols: SymbolTable): [string, number][] {
  return EVENTS.flatMap((name): [string, number][] =>
    symbols[name] === undefined ? [] : [[name.toLowerCase(), symbols[name]]],
  )
}

/** An event's count; 0 for an event that the image does not know. */
export function eventCount(events: Events, name: string): number {
  const count = events[name]
  return typeof count === 'number' ? count : 0
}

/** Sum of all retries. */
export function totalRetries(events: Events): number {
  return Object.values(events.retries).reduce((sum, count) => sum + count, 0)
}

/** RETRY_ constants as (`function` or `function:kind`, index into `stat`), in the order of their indices. */
export function retryNames(symbols: SymbolTable): [string, number][] {
  if (symbols['RETRY_END'] === undefined) return []
  return Object.entries(symbols)
    .filter(([name]) => name.startsWith('RETRY_') && name !== 'RETRY_END')
    .map(([name, index]): [string, number] => [kernelName(name, 'RETRY_'), index])
    .toSorted((left, right) => left[1] - right[1])
}

/** `PREFIX_name$kind` -> `name:kind`. */
export function kernelName(constant: string, prefix: string): string {
  return constant.slice(prefix.length).replace('$', ':')
}
