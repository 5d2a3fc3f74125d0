/**
 * Event counters, retries, the latency table and where lock_stat lies in a CPU's `stat` (mm/vmstat.c, 6.1, in spirit).
 * Observers: each CPU counts for itself outside the machine's memory. Constants are indices into `stat`; the report
 * takes the names from here: EVENT names in lower case, RETRY_x$y becomes "x:y".
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
export const PGMAJFAULT = 27
export const PSWPIN = 28
export const PSWPOUT = 29
export const SWAP_RA = 30
export const PGLAZYFREED = 31
export const PGMIGRATE_SUCCESS = 32
export const PGMIGRATE_FAIL = 33
/** Swap slots and continuation pages that an mm's entry or a map's count took. */
export const SWAP_SLOTS_ALLOCATED = 34
export const SWAP_COUNT_CONTINUATIONS = 35
/** mms put on mmlist, and taken off. */
export const MMLIST_ADDED = 36
export const MMLIST_REMOVED = 37
export const SWAP_READ_ERRORS = 38
export const SWAP_WRITE_ERRORS = 39
export const PGACTIVATE = 40
export const PGLAZYFREE = 41
export const OOM_KILL = 42
/** Victims whose memory the reaper took, and those that it gave up. */
export const OOM_REAPED = 43
export const OOM_SKIPPED = 44
export const PGDEACTIVATE = 45
export const PGSCAN_KSWAPD = 46
export const PGSCAN_DIRECT = 47
export const PGSTEAL_KSWAPD = 48
export const PGSTEAL_DIRECT = 49
export const ALLOCSTALL = 50
/** kswapd was woken, and looked for pages. */
export const KSWAPD_WAKE = 51
export const PAGEOUTRUN = 52
/** With VMA_LOCK, as CONFIG_PER_VMA_LOCK_STATS. */
export const VMA_LOCK_SUCCESS = 53
export const VMA_LOCK_ABORT = 54
export const VMA_LOCK_RETRY = 55
export const VMA_LOCK_MISS = 56
/** A group was at its limit (memory.events: max). */
export const MEMCG_MAX = 57
/** Pages moved to the tail of their list when they had been written. */
export const PGROTATED = 58
/** System calls that ended with -ENOMEM; and refusals for another reason than memory: a limit, no room, a hole. */
export const ENOMEM_CALLS = 59
export const ENOMEM_REFUSED = 60
/** Pages that were to be read from slots that nobody uses any more. */
export const SWAPIN_GONE = 61
export const NR_VM_EVENTS = 64

// Second looks under a lock that found another state than the first, by function: what was made ready is given back.
export const RETRY_handle_pte_fault = 64
export const RETRY_do_anonymous_page$read = 65
export const RETRY_do_anonymous_page$write = 66
export const RETRY_wp_page_copy = 67
export const RETRY_finish_fault = 68
export const RETRY___pte_alloc = 69
export const RETRY___pmd_alloc = 70
export const RETRY___pud_alloc = 71
export const RETRY___p4d_alloc = 72
export const RETRY_do_wp_page = 74
export const RETRY_anon_vma_prepare = 76
export const RETRY_finish_mkwrite_fault = 77
export const RETRY_filemap_fault = 78
// do_swap_page: the page left the swap cache, the entry changed while the page was read and locked, the page was
// locked, and another CPU was reading the slot.
export const RETRY_do_swap_page$swapcache = 81
export const RETRY_do_swap_page = 82
export const RETRY_do_swap_page$lock = 83
export const RETRY_do_swap_page$swapcache_prepare = 84
export const RETRY___read_swap_cache_async = 85
export const RETRY_copy_one_pte$mmlist = 86
export const RETRY_try_to_unmap_one$mmlist = 87
export const RETRY___remove_mapping = 88
export const RETRY_unuse_pte = 89
export const RETRY_migration_entry_wait = 90
export const RETRY_add_swap_count_continuation = 91
export const RETRY_END = 128

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
export const LATENCY_do_swap_page = 10
export const NR_LATENCY_PATHS = 11
/** Four equal buckets for each doubling of nanoseconds. */
export const LATENCY_BUCKETS = 160
/** Words of a path: the buckets, count, maximum in ns. */
export const LATENCY_WORDS = LATENCY_BUCKETS + 2
export const LATENCY_SAMPLE = 16
export const STAT_LATENCY = 128

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
