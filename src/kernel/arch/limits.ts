/**
 * Every limit of the machine, in one place. Sizes that the user chooses are in ../config.ts.
 */
import { NR_PAGES } from '#config'

/** Direct-mapped entries of a CPU's TLB. */
export const TLB_ENTRIES = 64
/** Ranges of more pages are flushed as a whole (tlb_single_page_flush_ceiling, arch/x86/mm/tlb.c). */
export const TLB_FLUSH_CEILING = 33
/** Pages and tables that an mmu_gather collects before it flushes: Linux chains batches of some 500 (MAX_GATHER_BATCH). */
export const MMU_GATHER_BUNDLE = 1000

export const NR_TASKS = 512
export const NR_MMS = 256
/** VMAs of one mm (sysctl_max_map_count). */
export const MAX_MAP_COUNT = 1984
export const NR_VMAS = 16384
export const NR_ANON_VMAS = 16384
export const NR_ANON_VMA_CHAINS = 49152
export const NR_ADDRESS_SPACES = 1024
export const NR_XA_NODES = 2048
/** Page tables of full size that the table arena holds; one more allocation is out of memory. */
export const NR_TABLES = Math.min(8192, Math.max(512, NR_PAGES >> 4))

/** Orders of the buddy allocator: 0 to MAX_ORDER - 1 (include/linux/mmzone.h, 6.1). */
export const MAX_ORDER = 11
/** Buckets that count parked CPUs by the word they wait for. */
export const PARKED_BUCKETS = 256
/** Buckets of the page wait table (PAGE_WAIT_TABLE_SIZE, mm/filemap.c). */
export const PAGE_WAIT_TABLE_SIZE = 64
