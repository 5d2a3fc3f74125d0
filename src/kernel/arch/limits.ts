/**
 * Every limit of the machine, in one place. Sizes that the user chooses are in ../config.ts.
 */
import { MMU_GATHER_BUNDLE, NODES, NR_CPUS, NR_PAGES, PAGE_BYTES, SWAP } from '#config'

/** Direct-mapped entries of a CPU's TLB. */
export const TLB_ENTRIES = 64
/** Ranges of more pages are flushed as a whole (tlb_single_page_flush_ceiling, arch/x86/mm/tlb.c). */
export const TLB_FLUSH_CEILING = 33
/**
 * Pages and tables that an mmu_gather collects before it flushes, where MMU_GATHER_BUNDLE does not say: Linux chains
 * batches up to some 10,000 (MAX_GATHER_BATCH_COUNT).
 */
export const MAX_GATHER_BATCH =
  MMU_GATHER_BUNDLE > 0 ? MMU_GATHER_BUNDLE : Math.min(8192, Math.max(120, NR_PAGES >> 4))

// Objects of each kind; fewer on a small machine, which the checks walk after every execution.
/** Tasks of a machine that has memory enough. */
export const MOST_TASKS = 512
export const TASKS_WANTED = Math.min(MOST_TASKS, Math.max(64, NR_PAGES >> 4))
/** Those of tasks, and one that each CPU may have loaded still (lazy TLB). */
const MMS_WANTED = Math.min(256, Math.max(24, NR_PAGES >> 6)) + NR_CPUS
/** VMAs of one mm (sysctl_max_map_count). */
export const MAX_MAP_COUNT = Math.min(1984, Math.max(64, NR_PAGES >> 4))
const VMAS_WANTED = Math.min(16384, Math.max(256, NR_PAGES >> 2))
const ADDRESS_SPACES_WANTED = Math.min(1024, Math.max(32, NR_PAGES >> 6))
const XA_NODES_WANTED = Math.min(2048, Math.max(64, NR_PAGES >> 5))

// Objects of a slab: as many as Linux's slabs have (/proc/slabinfo), fewer on a small machine; few of mm_struct, which
// has its VMAs inside.
export const OBJECTS_PER_TASK_SLAB = 3
export const OBJECTS_PER_MM_SLAB = Math.min(4, MMS_WANTED >> 3)
export const OBJECTS_PER_VMA_SLAB = Math.min(20, VMAS_WANTED >> 5)
export const OBJECTS_PER_ANON_VMA_SLAB = Math.min(39, VMAS_WANTED >> 5)
export const OBJECTS_PER_ANON_VMA_CHAIN_SLAB = Math.min(64, VMAS_WANTED >> 4)
export const OBJECTS_PER_ADDRESS_SPACE_SLAB = Math.min(42, ADDRESS_SPACES_WANTED >> 3)
export const OBJECTS_PER_XA_NODE_SLAB = Math.min(28, XA_NODES_WANTED >> 4)
/** Partial slabs of a cache that a CPU keeps (Linux: 2 to 12, by the object's size; few on a small machine). */
export const CPU_PARTIAL_SLABS = Math.min(4, Math.max(1, NR_PAGES >> 12))
/** Slabs of a cache in which CPUs may have the last free objects: others cannot take those. */
const SLABS_OF_CPUS = NR_CPUS * (1 + CPU_PARTIAL_SLABS)
export const NR_TASK_SLABS = SLABS_OF_CPUS + Math.ceil(TASKS_WANTED / OBJECTS_PER_TASK_SLAB)
export const NR_MM_SLABS = SLABS_OF_CPUS + Math.ceil(MMS_WANTED / OBJECTS_PER_MM_SLAB)
export const NR_VMA_SLABS = SLABS_OF_CPUS + Math.ceil(VMAS_WANTED / OBJECTS_PER_VMA_SLAB)
export const NR_ANON_VMA_SLABS = SLABS_OF_CPUS + Math.ceil(VMAS_WANTED / OBJECTS_PER_ANON_VMA_SLAB)
export const NR_ANON_VMA_CHAIN_SLABS =
  SLABS_OF_CPUS + Math.ceil((VMAS_WANTED * 3) / OBJECTS_PER_ANON_VMA_CHAIN_SLAB)
export const NR_ADDRESS_SPACE_SLABS =
  SLABS_OF_CPUS + Math.ceil(ADDRESS_SPACES_WANTED / OBJECTS_PER_ADDRESS_SPACE_SLAB)
export const NR_XA_NODE_SLABS = SLABS_OF_CPUS + Math.ceil(XA_NODES_WANTED / OBJECTS_PER_XA_NODE_SLAB)
export const NR_SLABS =
  NR_TASK_SLABS +
  NR_MM_SLABS +
  NR_VMA_SLABS +
  NR_ANON_VMA_SLABS +
  NR_ANON_VMA_CHAIN_SLABS +
  NR_ADDRESS_SPACE_SLABS +
  NR_XA_NODE_SLABS
export const NR_TASKS = NR_TASK_SLABS * OBJECTS_PER_TASK_SLAB
export const NR_MMS = NR_MM_SLABS * OBJECTS_PER_MM_SLAB
export const NR_VMAS = NR_VMA_SLABS * OBJECTS_PER_VMA_SLAB
export const NR_ANON_VMAS = NR_ANON_VMA_SLABS * OBJECTS_PER_ANON_VMA_SLAB
export const NR_ANON_VMA_CHAINS = NR_ANON_VMA_CHAIN_SLABS * OBJECTS_PER_ANON_VMA_CHAIN_SLAB
export const NR_ADDRESS_SPACES = NR_ADDRESS_SPACE_SLABS * OBJECTS_PER_ADDRESS_SPACE_SLAB
export const NR_XA_NODES = NR_XA_NODE_SLABS * OBJECTS_PER_XA_NODE_SLAB

/** Pages of a memory node; the last one may have fewer. */
export const NODE_PAGES = Math.ceil(NR_PAGES / NODES)
/** Orders of the buddy allocator: 0 to MAX_ORDER - 1 (include/linux/mmzone.h, 6.1). */
export const MAX_ORDER = 11
/** Buckets that count parked CPUs by the word they wait for. */
export const PARKED_BUCKETS = 256
/** Buckets of tasks that wait for a word (Linux: 256 for each CPU). */
export const NR_FUTEX_QUEUES = 64
/** Buckets of the page wait table (PAGE_WAIT_TABLE_SIZE, mm/filemap.c). */
export const PAGE_WAIT_TABLE_SIZE = 64

/** Slots of a cluster (mm/swap.h; Linux has 256). */
export const SWAPFILE_CLUSTER = 16
/**
 * Slots that share a chain of continuation pages: as many as a page keeps words. No cluster and no chain is of two
 * devices.
 */
const SLOTS_UNIT = Math.max(SWAPFILE_CLUSTER, PAGE_BYTES >> 2)
/** Swap devices, and slots that each has room for; slot 0 is its header. */
export const MAX_SWAPFILES = SWAP ? 2 : 0
export const SWAPFILE_SLOTS = Math.ceil(NR_PAGES / SLOTS_UNIT) * SLOTS_UNIT
export const NR_SWAP_CLUSTERS = (MAX_SWAPFILES * SWAPFILE_SLOTS) / SWAPFILE_CLUSTER
/**
 * Pages that a CPU gathers before it takes lru_lock (include/linux/pagevec.h): fewer on a small machine, that they can
 * be reclaimed.
 */
export const PAGEVEC_SIZE = Math.min(15, Math.max(2, NR_PAGES >> 7))
/** Pages that one batch of reclaim takes (include/linux/swap.h): fewer on a small machine. */
export const SWAP_CLUSTER_MAX = Math.min(32, Math.max(4, NR_PAGES >> 8))
