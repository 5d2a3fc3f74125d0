/**
 * Where everything lies in the machine's memory. Addresses count 32-bit words; word 0 is NULL and never used.
 *
 *      0  ┌──────────────────────────┐
 *         │ NULL page                │
 *     64  ├──────────────────────────┤ machine$…   words of the machine as a whole, each busy one on its own line
 *   1024  ├──────────────────────────┤ PERCPU      NR_CPUS areas of PERCPU_WORDS (percpu.ts)
 *         ├──────────────────────────┤ ZONES       for each of NODES a struct zone with its free areas
 *         ├──────────────────────────┤ RQ          for each of NR_CPUS a run queue; FUTEX_QUEUES
 *         ├──────────────────────────┤ LRUVECS     with SWAP: the LRU lists; with MEMCG: the groups
 *         ├──────────────────────────┤ PAGE_WAIT   hashed wait queues of pages
 *         ├──────────────────────────┤ PTLOCK_AREA PTLOCK_WORDS words of the page-table-lock design's own
 *         ├──────────────────────────┤ KMEM_CACHES the object caches, their nodes, and SLABS
 *         ├──────────────────────────┤             the objects: mm_struct, vm_area_struct, …
 *         ├──────────────────────────┤ MEMMAP      NR_PAGES struct pages
 *         ├──────────────────────────┤ PGTABLES    PTRS_PER_TABLE entries of each page that is a page table
 *         ├──────────────────────────┤ SWAP_AREA   with SWAP: words of swap, then MAX_SWAPFILES of swap_info, clusters,
 *         │                          │             swap maps and caches, links of free slots, continuations, contents
 *         ├──────────────────────────┤ CONTENT     PAGE_BYTES of contents of each page
 *         ├──────────────────────────┤ BOOT_DATA   what the host hands a scenario (a trace), to the end of memory
 *         └──────────────────────────┘
 */
import { NODES, NR_CPUS, NR_PAGES, PAGE_BYTES, PTRS_PER_TABLE, SWAP } from '#config'
import { PTLOCK_WORDS } from '#ptlock'
import {
  MAX_SWAPFILES,
  NR_ADDRESS_SPACE_SLABS,
  NR_ADDRESS_SPACES,
  NR_ANON_VMA_CHAIN_SLABS,
  NR_ANON_VMA_CHAINS,
  NR_ANON_VMA_SLABS,
  NR_ANON_VMAS,
  NR_FUTEX_QUEUES,
  NR_MM_SLABS,
  NR_MMS,
  NR_SWAP_CLUSTERS,
  NR_TASK_SLABS,
  NR_TASKS,
  NR_VMA_SLABS,
  NR_VMAS,
  NR_XA_NODE_SLABS,
  NR_XA_NODES,
  PAGE_WAIT_TABLE_SIZE,
  SWAPFILE_SLOTS,
} from './limits.ts'
import { PERCPU, PERCPU_WORDS } from './percpu.ts'
import {
  ADDRESS_SPACE_WORDS,
  ANON_VMA_CHAIN_WORDS,
  ANON_VMA_WORDS,
  FUTEX_QUEUE_WORDS,
  KMEM_CACHE_NODE_WORDS,
  KMEM_CACHE_WORDS,
  LRUVEC_WORDS,
  MEM_CGROUP_WORDS,
  MM_WORDS,
  NR_KMEM_CACHES,
  NR_LRUVECS,
  NR_MEM_CGROUPS,
  PAGE_WORDS,
  RQ_WORDS,
  SLAB_WORDS,
  SWAP_CLUSTER_WORDS,
  SWAP_INFO_WORDS,
  SWAP_WORDS,
  TASK_WORDS,
  VMA_WORDS,
  WAIT_QUEUE_HEAD_WORDS,
  XA_NODE_WORDS,
  ZONE_WORDS,
} from './structs.ts'

/** 1: CPUs leave between two operations. */
export const machine$stop = 64
/** 1: a BUG stopped the machine; every CPU leaves at once. */
export const machine$panic = 80
/** CPUs that take part, set before boot. */
export const machine$nr_cpus = 96
/** Looks at a word before its waiter parks. Set by the host: short when there are more CPUs than cores. */
export const machine$spin_budget = 97
/** Looks at a word before a CPU that spins for a sleeping lock gives up (0: never); set by the host. */
export const machine$spin_patience = 105
/**
 * ns that somebody waits for a semaphore before others may not pass (RWSEM_WAIT_TIMEOUT: 4 ms); in a hunt, steps. Set
 * by the host.
 */
export const machine$wait_timeout = 106
/** Seed of the scenario's random numbers. */
export const machine$seed = 98
/**
 * Turns that a task takes before it stops (0: no end), and pages of the scenario (0: its own choice). Set by the host.
 */
export const machine$turns = 101
export const machine$pages = 102
/**
 * ns that a scenario spends in a critical section, and thinks between two on average (0: its own choice). Set by the
 * host.
 */
export const machine$section = 103
export const machine$think = 104
/** Which allocation fails (FAIL_ALLOC), counted from 1, and how many there were. */
export const machine$fail_alloc = 99
export const machine$nr_allocs = 112
/** Tasks that have not exited. */
export const machine$nr_tasks = 128
export const machine$next_pid = 129
export const machine$next_mm_id = 130
/** The mm of the kernel. */
export const machine$init_mm = 131
/** With SWAP: the list of all tasks, a list_head. Under tasklist_lock. */
export const machine$tasks = 136 // 2 words
/** Whether kswapd exists, sleeps or runs: a KSWAPD_ constant of mm/vmscan/reclaim.ts. */
export const machine$kswapd = 138
/** Groups that were made (mem_cgroup_create). */
export const machine$nr_mem_cgroups = 139
/** oom_lock, on a line of its own. */
export const machine$oom_lock = 768
export const machine$tasklist_lock = 208
/** mmlist_lock. */
export const machine$mmlist_lock = 192
/** The struct page that all read faults of anonymous memory share. */
export const machine$zero_page = 132
/** CPUs that idle (nohz.nr_cpus), and whether a task may wait behind another (root_domain.overload). */
export const machine$nr_idle = 160
export const machine$overload = 176
/** Number of the youngest grace period, and how many CPUs execute tasks. */
export const machine$rcu_gp = 144
export const machine$nr_online = 145
/** Nodes that CPUs which left had not freed yet; under machine$rcu_lock. */
export const machine$rcu_orphans = 146
export const machine$rcu_lock = 224
/** init_mm.mmlist: a list_head (next, prev) of the mms that may have swap entries, under mmlist_lock. */
export const machine$mmlist = 240 // 2 words
/** Words of the scenario's own, each on a line of its own (scenario_word). */
export const machine$scenario = 512 // 16 lines
export const NR_SCENARIO_WORDS = 16
/** Number of CPUs parked on words of a bucket. */
export const PARKED = 256 // PARKED_BUCKETS words

export const ZONES = PERCPU + NR_CPUS * PERCPU_WORDS
export const RQ = ZONES + NODES * ZONE_WORDS
export const FUTEX_QUEUES = RQ + NR_CPUS * RQ_WORDS
export const LRUVECS = FUTEX_QUEUES + NR_FUTEX_QUEUES * FUTEX_QUEUE_WORDS
export const MEM_CGROUPS = LRUVECS + NR_LRUVECS * LRUVEC_WORDS
export const PAGE_WAIT = MEM_CGROUPS + NR_MEM_CGROUPS * MEM_CGROUP_WORDS
export const PTLOCK_AREA = (PAGE_WAIT + PAGE_WAIT_TABLE_SIZE * WAIT_QUEUE_HEAD_WORDS + 15) & ~15
export const KMEM_CACHES = (PTLOCK_AREA + PTLOCK_WORDS + 15) & ~15

/** For each node one of each cache. */
export const KMEM_CACHE_NODES = KMEM_CACHES + NR_KMEM_CACHES * KMEM_CACHE_WORDS
/** The struct slabs of all caches, NR_SLABS. */
export const SLABS = KMEM_CACHE_NODES + NODES * NR_KMEM_CACHES * KMEM_CACHE_NODE_WORDS
export const TASK_SLABS = SLABS
export const MM_SLABS = TASK_SLABS + NR_TASK_SLABS * SLAB_WORDS
export const VMA_SLABS = MM_SLABS + NR_MM_SLABS * SLAB_WORDS
export const ANON_VMA_SLABS = VMA_SLABS + NR_VMA_SLABS * SLAB_WORDS
export const ANON_VMA_CHAIN_SLABS = ANON_VMA_SLABS + NR_ANON_VMA_SLABS * SLAB_WORDS
export const ADDRESS_SPACE_SLABS = ANON_VMA_CHAIN_SLABS + NR_ANON_VMA_CHAIN_SLABS * SLAB_WORDS
export const XA_NODE_SLABS = ADDRESS_SPACE_SLABS + NR_ADDRESS_SPACE_SLABS * SLAB_WORDS

export const TASKS = XA_NODE_SLABS + NR_XA_NODE_SLABS * SLAB_WORDS
export const MMS = TASKS + NR_TASKS * TASK_WORDS
export const VMAS = MMS + NR_MMS * MM_WORDS
export const ANON_VMAS = VMAS + NR_VMAS * VMA_WORDS
export const ANON_VMA_CHAINS = ANON_VMAS + NR_ANON_VMAS * ANON_VMA_WORDS
export const ADDRESS_SPACES = ANON_VMA_CHAINS + NR_ANON_VMA_CHAINS * ANON_VMA_CHAIN_WORDS
export const XA_NODES = ADDRESS_SPACES + NR_ADDRESS_SPACES * ADDRESS_SPACE_WORDS

export const MEMMAP = (XA_NODES + NR_XA_NODES * XA_NODE_WORDS + 15) & ~15
/** What page frames hold that are page tables: they lie apart from CONTENT, which is smaller. */
export const PGTABLES = MEMMAP + NR_PAGES * PAGE_WORDS
/** Words of contents that a page keeps. */
export const CONTENT_WORDS = PAGE_BYTES >> 2

// Swap: what all devices share, then for each device one after the other.
export const SWAP_AREA = PGTABLES + NR_PAGES * PTRS_PER_TABLE
const SWAP_SLOTS = MAX_SWAPFILES * SWAPFILE_SLOTS
export const SWAP_INFO = SWAP_AREA + (SWAP ? SWAP_WORDS : 0)
export const SWAP_CLUSTERS = SWAP_INFO + MAX_SWAPFILES * SWAP_INFO_WORDS
/** The swap maps: a word for each slot. */
export const SWAP_MAP = SWAP_CLUSTERS + NR_SWAP_CLUSTERS * SWAP_CLUSTER_WORDS
/** The pages of the swap caches by slot (Linux: an xarray). */
export const SWAP_CACHE = SWAP_MAP + SWAP_SLOTS
/** The free slot after each free slot. */
export const SWAP_FREE = SWAP_CACHE + SWAP_SLOTS
/** First continuation page of each CONTENT_WORDS slots. */
export const SWAP_CONT = SWAP_FREE + SWAP_SLOTS
export const SWAP_CONTENT = SWAP_CONT + (SWAP ? Math.ceil(SWAP_SLOTS / CONTENT_WORDS) : 0)

export const CONTENT = (SWAP_CONTENT + SWAP_SLOTS * CONTENT_WORDS + 15) & ~15
export const BOOT_DATA = CONTENT + NR_PAGES * CONTENT_WORDS
/** Words of a machine without boot data. */
export const MEMORY_WORDS = BOOT_DATA + 16
