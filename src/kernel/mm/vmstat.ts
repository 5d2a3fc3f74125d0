/**
 * Event counters, retries, the latency table and where lock_stat lies in a CPU's `stat` (mm/vmstat.c, 6.1, in spirit).
 * Observers: each CPU counts for itself outside the machine's memory. Constants are indices into `stat`; the report takes
 * the names from here: EVENT names in lower case, RETRY_x$y becomes "x:y".
 */
import { clock, stat } from '../arch/machine.ts'
import { this_cpu_read, this_cpu_write } from '../arch/access.ts'
import { percpu$fault_path, percpu$latency_sample } from '../arch/percpu.ts'
import { LOCK_STAT_REGION_WORDS } from '../locking/lock_class.ts'

// Events, as in /proc/vmstat where it has them.
export const PGFAULT = 0
export const PGALLOC = 1
export const PGFREE = 2
export const PGREUSE = 3
export const COW_COPIES = 4
export const ZERO_PAGE_FAULTS = 5
export const SPURIOUS_FAULTS = 6
export const SIGSEGV_FAULTS = 7
export const SIGBUS_FAULTS = 8
export const OOM_FAULTS = 9
export const NR_TLB_REMOTE_FLUSH = 10
export const NR_TLB_REMOTE_FLUSH_RECEIVED = 11
export const NR_TLB_LOCAL_FLUSH_ALL = 12
export const FORKS = 13
export const EXECS = 14
export const EXITS = 15
export const CONTEXT_SWITCHES = 16
export const PAGE_TABLES_ALLOCATED = 17
export const PAGE_TABLES_FREED = 18
export const COPY_PTE_RANGE_BREAKS_NEED_RESCHED = 19
export const COPY_PTE_RANGE_BREAKS_NEEDBREAK_SRC = 20
export const COPY_PTE_RANGE_BREAKS_NEEDBREAK_DST = 21
export const COPY_PTE_RANGE_BREAKS_SWAP = 22
export const COPY_PAGE_RANGE_SKIPPED = 23
export const ALLOC_FAILED = 24
export const PTES_COPIED = 25
export const ORACLE_CHECKS = 26
/** With VMA_LOCK, as CONFIG_PER_VMA_LOCK_STATS. */
export const VMA_LOCK_SUCCESS = 27
export const VMA_LOCK_ABORT = 28
export const VMA_LOCK_RETRY = 29
export const VMA_LOCK_MISS = 30
export const NR_VM_EVENTS = 32

// Rechecks under the lock that failed, by function (races.md, section 2).
export const RETRY_handle_pte_fault = 32
export const RETRY_do_anonymous_page$read = 33
export const RETRY_do_anonymous_page$write = 34
export const RETRY_wp_page_copy = 35
export const RETRY_finish_fault = 36
export const RETRY___pte_alloc = 37
export const RETRY___pmd_alloc = 38
export const RETRY___pud_alloc = 39
export const RETRY___p4d_alloc = 40
export const RETRY_do_wp_page = 42
export const RETRY_anon_vma_prepare = 44
export const RETRY_finish_mkwrite_fault = 45
export const RETRY_filemap_fault = 46
export const RETRY_END = 64

// Latency of faults by the path taken: a histogram of LATENCY_BUCKETS and the maximum, for each path.
export const LATENCY_none = 0
export const LATENCY_do_anonymous_page$write = 1
export const LATENCY_do_anonymous_page$read = 2
export const LATENCY_do_read_fault = 3
export const LATENCY_do_cow_fault = 4
export const LATENCY_do_shared_fault = 5
export const LATENCY_wp_page_reuse = 6
export const LATENCY_wp_page_copy = 7
export const LATENCY_wp_page_shared = 8
export const LATENCY_spurious = 9
export const NR_LATENCY_PATHS = 10
/** Four equal buckets for each doubling of nanoseconds. */
export const LATENCY_BUCKETS = 160
/** Words of a path: the buckets, count, maximum in ns. */
export const LATENCY_WORDS = LATENCY_BUCKETS + 2
export const LATENCY_SAMPLE = 16
export const STAT_LATENCY = 64

/** The lock_stat region (locking/lock_stat.ts). */
export const STAT_LOCK = STAT_LATENCY + NR_LATENCY_PATHS * LATENCY_WORDS
/** For observers that a scenario links beside the kernel (the trace's result table). */
export const STAT_SCENARIO = STAT_LOCK + LOCK_STAT_REGION_WORDS
export const STAT_SCENARIO_WORDS = 64
/** Words of a CPU's `stat`. */
export const STAT_WORDS = STAT_SCENARIO + STAT_SCENARIO_WORDS

/** Counts one event or retry of this CPU. */
export function count_vm_event(item: number): void {
  stat[item]++
}

export function count_vm_events(item: number, n: number): void {
  stat[item] += n
}

/** Says which path the fault that is being handled took (a LATENCY_ constant); the first one to say so counts. */
export function set_fault_path(path: number): void {
  if (this_cpu_read(percpu$fault_path) === 0) this_cpu_write(percpu$fault_path, path)
}

/** Begins the latency measurement of a fault: its start in ns for one in LATENCY_SAMPLE, else 0. */
export function fault_latency_begin(): number {
  this_cpu_write(percpu$fault_path, 0)
  const left = this_cpu_read(percpu$latency_sample)
  if (left > 0) {
    this_cpu_write(percpu$latency_sample, left - 1)
    return 0
  }
  this_cpu_write(percpu$latency_sample, LATENCY_SAMPLE - 1)
  return clock()
}

/** Ends it: `begin` is what fault_latency_begin returned. */
export function fault_latency_end(begin: number): void {
  if (begin === 0) return
  const path = this_cpu_read(percpu$fault_path)
  const ns = Math.max(1, clock() - begin)
  const at = STAT_LATENCY + path * LATENCY_WORDS
  stat[at + latency_bucket(ns)]++
  stat[at + LATENCY_BUCKETS]++
  stat[at + LATENCY_BUCKETS + 1] = Math.max(stat[at + LATENCY_BUCKETS + 1], ns)
}

/** Bucket of a time of `ns` nanoseconds: the exponent, then two bits of the mantissa (linear within a doubling). */
export function latency_bucket(ns: number): number {
  const whole = Math.min(0x7fffffff, Math.floor(ns))
  const exponent = 31 - Math.clz32(whole)
  const mantissa = exponent >= 2 ? (whole >>> (exponent - 2)) & 3 : (whole << (2 - exponent)) & 3
  return Math.min(LATENCY_BUCKETS - 1, exponent * 4 + mantissa)
}
