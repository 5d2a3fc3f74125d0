/**
 * Every limit of the machine, in one place. Sizes that the user chooses are in ../config.ts.
 */
import { NODES, NR_CPUS, NR_PAGES, PAGE_BYTES, SWAP } from '#config'

/** Direct-mapped entries of a CPU's TLB. */
export const TLB_ENTRIES = 64
/** Ranges of more pages are flushed as a whole (tlb_single_page_flush_ceiling, arch/x86/mm/tlb.c). */
export const TLB_FLUSH_CEILING = 33
/** Pages and tables that an mmu_gather collects before it flushes: Linux chains batches up to some 10,000 (MAX_GATHER_BATCH_COUNT). */
export const MMU_GATHER_BUNDLE = Math.min(8192, Math.max(120, NR_PAGES >> 4))

// Objects of each kind; fewer on a small machine, which the checks walk after every execution.
/** Tasks of a machine that has memory enough. */
export const MOST_TASKS = 512
export const NR_TASKS = Math.min(MOST_TASKS, Math.max(64, NR_PAGES >> 4))
/** Those of tasks, and one that each CPU may have loaded still (lazy TLB). */
export const NR_MMS = Math.min(256, Math.max(24, NR_PAGES >> 6)) + NR_CPUS
/** VMAs of one mm (sysctl_max_map_count). */
export const MAX_MAP_COUNT = Math.min(1984, Math.max(64, NR_PAGES >> 4))
export const NR_VMAS = Math.min(16384, Math.max(256, NR_PAGES >> 2))
export const NR_ANON_VMAS = NR_VMAS
export const NR_ANON_VMA_CHAINS = NR_VMAS * 3
export const NR_ADDRESS_SPACES = Math.min(1024, Math.max(32, NR_PAGES >> 6))
export const NR_XA_NODES = Math.min(2048, Math.max(64, NR_PAGES >> 5))

/** Pages of a memory node; the last one may have fewer. */
export const NODE_PAGES = Math.ceil(NR_PAGES / NODES)
/** Orders of the buddy allocator: 0 to MAX_ORDER - 1 (include/linux/mmzone.h, 6.1). */
export const MAX_ORDER = 11
/** Buckets that count parked CPUs by the word they wait for. */
export const PARKED_BUCKETS = 256
/** Buckets of the page wait table (PAGE_WAIT_TABLE_SIZE, mm/filemap.c). */
export const PAGE_WAIT_TABLE_SIZE = 64

/** Slots of a cluster (mm/swap.h; Linux has 256). */
export const SWAPFILE_CLUSTER = 16
/** Slots that share a chain of continuation pages: as many as a page keeps words. No cluster and no chain is of two devices. */
const SLOTS_UNIT = Math.max(SWAPFILE_CLUSTER, PAGE_BYTES >> 2)
/** Swap devices, and slots that each has room for; slot 0 is its header. */
export const MAX_SWAPFILES = SWAP ? 2 : 0
export const SWAPFILE_SLOTS = Math.ceil(NR_PAGES / SLOTS_UNIT) * SLOTS_UNIT
export const NR_SWAP_CLUSTERS = (MAX_SWAPFILES * SWAPFILE_SLOTS) / SWAPFILE_CLUSTER
/** Pages that a CPU gathers before it takes lru_lock (include/linux/pagevec.h): fewer on a small machine, that they can be reclaimed. */
export const PAGEVEC_SIZE = Math.min(15, Math.max(2, NR_PAGES >> 7))
/** Pages that one batch of reclaim takes (include/linux/swap.h): fewer on a small machine. */
export const SWAP_CLUSTER_MAX = Math.min(32, Math.max(4, NR_PAGES >> 8))
