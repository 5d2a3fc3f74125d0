/**
 * The configuration, as the constants the kernel is built from. kbuild replaces the initialisers; the values here are
 * the defaults, so that editors and the type checker see a complete kernel. Which keys exist: src/kbuild/config.ts.
 */
export const NR_CPUS: number = 64
export const PGTABLE_LEVELS: number = 4
export const PTRS_PER_TABLE: number = 512
/** MEMORY in pages of 4,096 bytes. */
export const NR_PAGES: number = 65536
export const PAGE_BYTES: number = 64
/** Memory nodes, each with a zone of its own. */
export const NODES: number = 1
/** Operations between two ticks of a CPU. */
export const TICK: number = 100
/** Which allocation fails, counted from 1; 0: none. */
export const FAIL_ALLOC: number = 0
/** 0 exclusive (PageAnonExclusive, 5.19 on), 1 refcount (5.8), 2 mapcount (before). */
export const COW_REUSE: number = 0
/** Which page-table lock was chosen: its place in the list of built-in ones; a user's own is past the last. 0: `mm`. */
export const PTLOCK: number = 2
/** 1: the page-table-lock design is a user's own file. */
export const PTLOCK_USER: number = 0
/** 0: an entry is looked at without its lock (6.1); 1: under it, the walk included (2.6.10). */
export const FAULT_LOCKING: number = 0
/** Pages that a read fault on an object looks for (fault_around_bytes); 1: its own. Linux: 16. */
export const FAULT_AROUND: number = 1
/** 1: faults take the lock of their VMA in place of mmap_lock (CONFIG_PER_VMA_LOCK, 6.4 on). */
export const VMA_LOCK: number = 0
/** For scenario refcount-torture alone. 0: one shared atomic; 1: a delta for each CPU. */
export const REFCOUNT: number = 0
/** For scenario page-fault-disjoint alone. 0: one VMA for all threads; 1: one for each. */
export const AREAS: number = 0
// For scenario mixed alone: weights of what it does (MIX).
export const MIX_READ: number = 192
export const MIX_WRITE: number = 504
export const MIX_COW: number = 222
export const MIX_MMAP: number = 58
export const MIX_MUNMAP: number = 5
export const MIX_MPROTECT: number = 17
export const MIX_MADVISE: number = 1
export const MIX_FORK: number = 2
export const MIX_MREMAP: number = 0
export const LOCK_STAT: number = 0
export const HOLDTIME_SAMPLE: number = 16
export const PTLOCK_HASH: number = 16
/** Entries that a lock of PTLOCK=range serves. */
export const PTLOCK_RANGE: number = 64
/** 1 where the host reorders plain accesses (arm64): READ_ONCE and WRITE_ONCE are atomic there. */
export const WEAK_MEMORY: number = 0
/** 1 in an image for the stepped machine, where interrupts and waits are the scheduler's. */
export const STEPPED: number = 0
/** 1: on the stepped machine waiting CPUs park by the kernel's own code instead of by the machine. */
export const PARAVIRT_SPINLOCKS: number = 0
/** 1: swap, LRU lists and reclaim exist. */
export const SWAP: number = 0
/** 1: user memory is charged to groups. */
export const MEMCG: number = 0
/** Greatest count that the swap map keeps of a slot; what is above lies in continuation pages. Linux: 62. */
export const SWAP_MAP_MAX: number = 62
/** Pages and tables that an mmu_gather collects before it flushes; 0: as many as suit MEMORY. */
export const MMU_GATHER_BUNDLE: number = 0
