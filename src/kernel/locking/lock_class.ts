/**
 * Lock classes (struct lock_class_key, include/linux/lockdep_types.h, 6.1) as numbers, and where lock_stat keeps what
 * it counts about them. The texts of the report are in src/inspect/lock_classes.ts. A semaphore has two classes, one a
 * mode.
 */
import { LOCK_STAT, NR_PAGES } from '#config'
import { PTLOCK_WORDS } from '#ptlock'
import { NR_MMS } from '../arch/limits.ts'
import { MAX_HELD_LOCKS } from '../arch/percpu.ts'

export const LOCK_CLASS_none = 0
/** Locks of scenarios and of users' designs. */
export const LOCK_CLASS_user = 1
export const LOCK_CLASS_ptlock = 2
export const LOCK_CLASS_page_table_lock = 3
export const LOCK_CLASS_zone_lock = 4
export const LOCK_CLASS_mmap_lock_R = 5
export const LOCK_CLASS_mmap_lock_W = 6
export const LOCK_CLASS_anon_vma_rwsem_R = 7
export const LOCK_CLASS_anon_vma_rwsem_W = 8
export const LOCK_CLASS_i_mmap_rwsem_R = 9
export const LOCK_CLASS_i_mmap_rwsem_W = 10
export const LOCK_CLASS_i_pages = 11
export const LOCK_CLASS_mmlist_lock = 12
export const LOCK_CLASS_kmem_cache = 13
export const LOCK_CLASS_rq_lock = 14
export const LOCK_CLASS_wait_queue = 15
/** A bucket of the page wait table. */
export const LOCK_CLASS_folio_wait_table = 16
/** The spinlock inside a semaphore. */
export const LOCK_CLASS_rwsem_wait_lock = 17
/** Semaphores of scenarios. */
export const LOCK_CLASS_user_rwsem_R = 18
export const LOCK_CLASS_user_rwsem_W = 19
/** Ties between parents and children. */
export const LOCK_CLASS_tasklist_lock = 21
/** CPUs that come and go. */
export const LOCK_CLASS_rcu = 22
export const LOCK_CLASS_swap_lock = 23
/** A swap device's lock, one of its clusters, and its continuation pages. */
export const LOCK_CLASS_swap_info = 24
export const LOCK_CLASS_swap_cluster = 25
export const LOCK_CLASS_cont_lock = 26
/** The LRU lists. */
export const LOCK_CLASS_lru_lock = 27
/** The OOM killer. */
export const LOCK_CLASS_oom_lock = 28
/** The lock of a VMA (VMA_LOCK). */
export const LOCK_CLASS_vma_lock_R = 29
export const LOCK_CLASS_vma_lock_W = 30
/** Who wakes a task. */
export const LOCK_CLASS_pi_lock = 31
/** A bucket of tasks that wait for a word. */
export const LOCK_CLASS_futex_queue = 20
/** Page-table locks that are taken for reading or for writing. */
export const LOCK_CLASS_ptlock_R = 32
export const LOCK_CLASS_ptlock_W = 33
const LOCK_CLASS_END = 34

/** Annotation for the second of two locks of one class that are held at once (include/linux/lockdep.h). */
export const SINGLE_DEPTH_NESTING = 1
/** Subclasses of a class; each is counted apart, as in Linux ("name/1"). */
export const NR_LOCK_SUBCLASSES = 2

// What lock_stat counts for a class and subclass; times in ns. Each histogram counts by latency_bucket() of
// mm/vmstat.ts.
export const lock_stat$acquisitions = 0
export const lock_stat$acq_bounces = 1
export const lock_stat$contentions = 2
export const lock_stat$con_bounces = 3
export const lock_stat$waittime_min = 4
export const lock_stat$waittime_max = 5
export const lock_stat$waittime_total = 6
export const lock_stat$waittime_nr = 7
/** Holds are timed for one acquisition in HOLDTIME_SAMPLE: holdtime_nr is how many were. */
export const lock_stat$holdtime_min = 8
export const lock_stat$holdtime_max = 9
export const lock_stat$holdtime_total = 10
export const lock_stat$holdtime_nr = 11
/** Buckets of a histogram: times of 2^31 ns and more are in the last. */
export const LOCK_STAT_BUCKETS = 128
export const lock_stat$waittime_histogram = 12
export const lock_stat$holdtime_histogram = lock_stat$waittime_histogram + LOCK_STAT_BUCKETS
/** Words of one row of the lock_stat region. */
export const LOCK_STAT_WORDS = lock_stat$holdtime_histogram + LOCK_STAT_BUCKETS

/*
 * The lock_stat region of a CPU's `stat`, offsets from STAT_LOCK:
 *
 *   0          bitmap of page-table locks taken     locking/ptlock_area.ts
 *   PTL_TAKEN  of each held lock: hold's start (0: not timed), its row's offset       only with LOCK_STAT
 *   ROWS       LOCK_STAT_WORDS for each class and subclass: row (class * NR_LOCK_SUBCLASSES + subclass)
 */
const PTL_TAKEN_BITS = NR_PAGES + PTLOCK_WORDS + NR_MMS
export const PTL_TAKEN_WORDS = (PTL_TAKEN_BITS + 31) >> 5
export const LOCK_STAT_HELD = PTL_TAKEN_WORDS
export const LOCK_STAT_ROWS = LOCK_STAT_HELD + LOCK_STAT * 2 * MAX_HELD_LOCKS
export const NR_LOCK_STAT_ROWS = LOCK_STAT * LOCK_CLASS_END * NR_LOCK_SUBCLASSES
/** Words of the whole region. */
export const LOCK_STAT_REGION_WORDS = LOCK_STAT_ROWS + NR_LOCK_STAT_ROWS * LOCK_STAT_WORDS
/** The region's size in rows, rounded up. */
export const NR_LOCK_CLASSES = Math.ceil(LOCK_STAT_REGION_WORDS / LOCK_STAT_WORDS)
