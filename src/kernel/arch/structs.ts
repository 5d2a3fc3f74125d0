/**
 * The kernel's structures: word offsets of their fields, named struct$field. A pointer is a word address with a branded
 * type; NULL is 0. Fields that different CPUs write at the same time lie on different lines of 16 words, as in Linux.
 */
import { LOCK_STAT, MEMCG, NR_CPUS, SWAP, SWAP_MAP_MAX, VMA_LOCK } from '#config'
import { SPINLOCK_WORDS } from '#spinlock'
import { MAX_MAP_COUNT, MAX_ORDER } from './limits.ts'

export type Page = number & { readonly __brand: 'page' }
export type Task = number & { readonly __brand: 'task_struct' }
export type Mm = number & { readonly __brand: 'mm_struct' }
export type Vma = number & { readonly __brand: 'vm_area_struct' }
export type AnonVma = number & { readonly __brand: 'anon_vma' }
export type AnonVmaChain = number & { readonly __brand: 'anon_vma_chain' }
export type AddressSpace = number & { readonly __brand: 'address_space' }
export type XaNode = number & { readonly __brand: 'xa_node' }
export type Spinlock = number & { readonly __brand: 'spinlock' }
export type Rwlock = number & { readonly __brand: 'rwlock' }
export type Rwsem = number & { readonly __brand: 'rw_semaphore' }
export type WaitQueueHead = number & { readonly __brand: 'wait_queue_head' }
export type MemCgroup = number & { readonly __brand: 'mem_cgroup' }
export type Zone = number & { readonly __brand: 'zone' }
export type Lruvec = number & { readonly __brand: 'lruvec' }
export type SwapInfo = number & { readonly __brand: 'swap_info_struct' }
export type KmemCache = number & { readonly __brand: 'kmem_cache' }
export type KmemCacheNode = number & { readonly __brand: 'kmem_cache_node' }
export type Rq = number & { readonly __brand: 'rq' }
export type FutexQueue = number & { readonly __brand: 'futex_hash_bucket' }
export type Slab = number & { readonly __brand: 'slab' }
/** Address of an entry of a page table, by level, and the entries' values. */
export type PgdP = number & { readonly __brand: 'pgd_t *' }
export type P4dP = number & { readonly __brand: 'p4d_t *' }
export type PudP = number & { readonly __brand: 'pud_t *' }
export type PmdP = number & { readonly __brand: 'pmd_t *' }
export type PteP = number & { readonly __brand: 'pte_t *' }
export type Pte = number & { readonly __brand: 'pte_t' }
export type Pmd = number & { readonly __brand: 'pmd_t' }
/** Type and offset of an entry that is not present, as in a PTE without its bits (arch/swapops.ts). */
export type SwpEntry = number & { readonly __brand: 'swp_entry_t' }

/**
 * A spinlock: the words of the chosen algorithm and, with LOCK_STAT, one of its lockdep_map: class in the low byte, the
 * last holder's CPU + 1 above. As in Linux, lock statistics make every lock larger.
 */
export const spinlock$lockdep = SPINLOCK_WORDS
export const LOCK_WORDS = SPINLOCK_WORDS + LOCK_STAT

/** struct rw_semaphore (include/linux/rwsem.h): the wait list is a FIFO of CPUs, linked through their per-CPU areas. */
export const rwsem$count = 0
export const rwsem$owner = 1
export const rwsem$wait_head = 2
export const rwsem$wait_tail = 3
export const rwsem$lockdep_read = 4
export const rwsem$lockdep_write = 5
/** The queue of those who spin for it (osq_lock.ts). */
export const rwsem$osq = 6
export const rwsem$wait_lock = 7
export const RWSEM_WORDS = 7 + LOCK_WORDS

/** rwlock_t (include/asm-generic/qrwlock_types.h). */
export const rwlock$cnts = 0
export const rwlock$wait_lock = 1
export const rwlock$lockdep_read = 1 + SPINLOCK_WORDS
export const rwlock$lockdep_write = 2 + SPINLOCK_WORDS
export const RWLOCK_WORDS = 1 + SPINLOCK_WORDS + 2 * LOCK_STAT

/** struct wait_queue_head (include/linux/wait.h): a FIFO of CPUs that sleep in the kernel. */
export const wait_queue_head$lock = 0
export const wait_queue_head$head = LOCK_WORDS
export const wait_queue_head$tail = LOCK_WORDS + 1
export const WAIT_QUEUE_HEAD_WORDS = LOCK_WORDS + 2

// struct page (include/linux/mm_types.h), 16 words: one line.
export const page$flags = 0
export const page$_refcount = 1
export const page$_mapcount = 2
export const page$mapping = 3
export const page$index = 4
export const page$private = 5
export const page$lru_next = 6
export const page$lru_prev = 7
/** Tail pages: address of the head + 1. */
export const page$compound_head = 8
export const page$compound_order = 9
/** Single pages: the group that is charged with the page. */
export const page$memcg_data = 9
/** A page table: its mm, and the words of its lock. */
export const page$pt_mm = 5
export const page$ptl = 10
/** Words that a lock in a struct page may have. */
export const PAGE_PTL_WORDS = 6
export const PAGE_WORDS_SHIFT = 4
export const PAGE_WORDS = 1 << PAGE_WORDS_SHIFT

// Flags of struct page (include/linux/page-flags.h). Node and zone lie above bit 24.
export const PG_locked = 1 << 0
export const PG_referenced = 1 << 1
export const PG_uptodate = 1 << 2
export const PG_dirty = 1 << 3
export const PG_lru = 1 << 4
export const PG_active = 1 << 5
export const PG_waiters = 1 << 7
export const PG_reserved = 1 << 8
export const PG_writeback = 1 << 9
export const PG_head = 1 << 10
export const PG_swapcache = 1 << 11
export const PG_swapbacked = 1 << 12
/** Reading or writing it failed. */
export const PG_error = 1 << 16
/** Reclaim waits for the end of its writeback: then it goes to the tail of its list. */
export const PG_reclaim = 1 << 17
/** Page types; Linux keeps them in place of _mapcount. */
export const PG_buddy = 1 << 13
export const PG_table = 1 << 14
export const PG_anon_exclusive = 1 << 15
export const NODES_SHIFT = 24
/** Flags that a page must not have when it is freed (PAGE_FLAGS_CHECK_AT_FREE). */
export const PAGE_FLAGS_CHECK_AT_FREE =
  PG_locked |
  PG_lru |
  PG_active |
  PG_waiters |
  PG_reserved |
  PG_writeback |
  PG_swapcache |
  PG_buddy |
  PG_table
/** Low bit of page$mapping: the rest is an anon_vma (PAGE_MAPPING_ANON). */
export const PAGE_MAPPING_ANON = 1

// struct zone (include/linux/mmzone.h); each node has one.
export const zone$lock = 0
export const zone$managed_pages = 16
export const zone$watermark_min = 17
export const zone$watermark_low = 18
export const zone$watermark_high = 19
export const zone$pcp_high = 20
export const zone$pcp_batch = 21
/**
 * free_area[order]: first block of the list (page$lru_next, page$lru_prev), the number of blocks, and the last block.
 */
export const zone$free_list = 32
export const zone$nr_free_blocks = zone$free_list + MAX_ORDER
export const zone$free_tail = zone$nr_free_blocks + MAX_ORDER
/** NR_FREE_PAGES: pages on the free areas, written under the lock; every allocation reads it. On a line of its own. */
export const zone$nr_free = (zone$free_tail + MAX_ORDER + 15) & ~15
export const ZONE_WORDS = zone$nr_free + 16

// struct lruvec (include/linux/mmzone.h): the LRU lists of a node, and how long each is. All under the lock; the
// lengths are read without it too.
export const lruvec$lru_lock = 0
/** List heads, one for each LRU_ constant; linked through page$lru_next. */
export const lruvec$lists = 16
export const lruvec$lru_size = 24
export const LRUVEC_WORDS = 32

// struct mem_cgroup (include/linux/memcontrol.h), of which there are a few.
/** Pages that are charged to it, and how many may be. */
export const mem_cgroup$usage = 0
export const mem_cgroup$limit = 8
export const MEM_CGROUP_WORDS = 16
export const NR_MEM_CGROUPS = MEMCG * 4
/** The lists of pages that no group is charged with, then those of the groups. */
export const NR_LRUVECS = SWAP * (1 + NR_MEM_CGROUPS)

/** Kinds of LRU lists (enum lru_list). */
export const LRU_INACTIVE_ANON = 0
export const LRU_ACTIVE_ANON = 1
export const LRU_INACTIVE_FILE = 2
export const LRU_ACTIVE_FILE = 3
export const NR_LRU_LISTS = 4
export const LRU_ACTIVE = 1
export const LRU_FILE = 2

// struct rq (kernel/sched/sched.h), one a CPU: the tasks that wait for their turn, linked by task$run_next, and how
// many.
export const rq$lock = 0
export const rq$head = 16
export const rq$tail = 17
export const rq$nr_running = 18
/** The task that the CPU executes. */
export const rq$curr = 19
/** Changes whenever the CPU, when it idles, should look again; and whether it does. */
export const rq$event = 32
export const rq$idle = 33
export const RQ_WORDS = 48

// struct futex_hash_bucket (kernel/futex/futex.h): tasks that wait for a word (task$wait_word), linked by
// task$futex_next.
export const futex_queue$lock = 0
export const futex_queue$chain = 8
export const FUTEX_QUEUE_WORDS = 16

// struct kmem_cache (include/linux/slub_def.h): what all CPUs read, then the arena's head.
export const kmem_cache$base = 0
export const kmem_cache$object_words = 1
/** Objects of a slab (oo_objects). */
export const kmem_cache$objects = 2
/** Its struct slabs, and how many there are. */
export const kmem_cache$slabs = 3
export const kmem_cache$nr_slabs = 4
/** Slabs that nobody uses: number of the first + 1, and a tag (mm/slab.ts). */
export const kmem_cache$free_slabs = 16
export const KMEM_CACHE_WORDS = 32
export const NR_KMEM_CACHES = 7

// struct kmem_cache_node (mm/slab.h): the slabs with free objects that are no CPU's.
export const kmem_cache_node$list_lock = 0
export const kmem_cache_node$nr_partial = 8
export const kmem_cache_node$partial_head = 9
export const kmem_cache_node$partial_tail = 10
export const KMEM_CACHE_NODE_WORDS = 16

// struct slab (mm/slab.h), one line as in Linux, where it is the struct page's.
/**
 * Its freelist (number of the first free object + 1), the objects in use, and whether it is a CPU's: one word, written
 * by cmpxchg.
 */
export const slab$counters = 0
/** On a node's list, or the next of a CPU's partial slabs, of which the first counts them. */
export const slab$next = 1
export const slab$prev = 2
export const slab$slabs = 3
export const slab$nid = 4
/** In the arena: number of the next free slab + 1. */
export const slab$free_next = 5
export const SLAB_WORDS = 16
export const SLAB_FREELIST_MASK = 0x3ff
export const SLAB_INUSE_SHIFT = 10
export const SLAB_INUSE_ONE = 1 << SLAB_INUSE_SHIFT
export const SLAB_FROZEN = 1 << 20

// struct task_struct (include/linux/sched.h).
export const task$__state = 0
export const task$pid = 1
export const task$mm = 2
/** The parent, 0 when it is gone; the children, a list linked by task$sibling. Under tasklist_lock. */
export const task$parent = 3
export const task$children = 4
/** Next on the run queue. */
export const task$run_next = 5
/** Children that have not been waited for, and those of them that are zombies. */
export const task$nr_children = 6
export const task$nr_zombies = 7
/** Pid of the parent that a vfork child keeps waiting (vfork_done); 0: none. */
export const task$vfork_done = 8
export const task$rss_events = 9
/** Per-task deltas of rss counters (SPLIT_RSS_COUNTING): NR_MM_COUNTERS words. */
export const task$rss_stat = 10
export const task$rng = 14
/** Which part of the scenario the task plays; the scenario's own number. */
export const task$program = 15
/** The CPU that executes the task + 1; 0: none. */
export const task$on_cpu = 16
/** The word that a waiting task waits for; 0: another event. */
export const task$wait_word = 17
/** Turns the task has taken (last_turn). */
export const task$turns = 18
export const task$sibling = 19
/** Words of the scenario's own, kept from turn to turn: a program's local variables. */
export const task$reg = 20
export const NR_TASK_REGS = 12
/**
 * With SWAP: the list of all tasks (list_head, under tasklist_lock), whether SIGKILL is pending, how the OOM killer
 * likes it.
 */
export const task$tasks = 32 // 2 words
export const task$sigkill = 34
export const task$oom_score_adj = 35
/**
 * The address space that the task was killed for, with a reference of the mm_struct (signal_struct of Linux). Under
 * tasklist_lock.
 */
export const task$oom_mm = 36
/** Whether it runs or is on a queue, and the CPU that it runs on, waits for or ran on last. */
export const task$on_rq = 37
export const task$cpu = 38
/** Next on the list of tasks that wait for a word. */
export const task$futex_next = 39
export const task$pi_lock = 48
export const TASK_WORDS = 64

export const TASK_RUNNING = 0
export const TASK_INTERRUPTIBLE = 1
/** A kernel thread that has nothing to do: the machine does not wait for it. */
export const TASK_IDLE = 2
/** Done, by its own word (stop_task). */
export const TASK_STOPPED = 4
export const TASK_DEAD = 128

// struct mm_struct (include/linux/mm_types.h).
export const mm$mm_users = 0
export const mm$mm_count = 1
/** Word address of the top table's first entry. */
export const mm$pgd = 2
export const mm$map_count = 3
export const mm$id = 4
export const mm$total_vm = 5
export const mm$start_brk = 6
export const mm$brk = 7
export const mm$mmap_base = 8
export const mm$flags = 9
/** The group that its memory is charged to; 0: none. */
export const mm$memcg = 10
/** With VMA_LOCK: changes when all VMAs are unlocked; and the sequence count of mm$mm_mt, odd while that changes. */
export const mm$mm_lock_seq = 12
export const mm$mm_mt_seq = 13
export const mm$mmap_lock = 16
export const mm$page_table_lock = 32
export const mm$pgtables_bytes = 48
export const mm$tlb_flush_pending = 49
export const mm$mmlist_next = 50
export const mm$mmlist_prev = 51
/** Flushes that reclaim has deferred (low half) and of them those that were made up for (tlb_flush_batched). */
export const mm$tlb_flush_batched = 52
export const mm$rss_stat = 64
/** CPUs that may hold translations of this mm: a bit for each, in CPUMASK_WORDS words. */
export const mm$cpu_bitmap = 80
/** The VMAs sorted by address: 6.1 keeps a maple tree here, the model a sorted array of MAX_MAP_COUNT pointers. */
export const mm$mm_mt = 96
export const MM_WORDS = (mm$mm_mt + MAX_MAP_COUNT + 15) & ~15

// Bits of mm$flags (include/linux/sched/coredump.h).
/** The OOM killer need not look at it any more. */
export const MMF_OOM_SKIP = 1 << 21
/** The reaper may have taken pages of it. */
export const MMF_UNSTABLE = 1 << 22
export const MMF_OOM_VICTIM = 1 << 25
export const MMF_OOM_REAP_QUEUED = 1 << 26

// Counters of mm$rss_stat (include/linux/mm_types_task.h).
export const MM_FILEPAGES = 0
export const MM_ANONPAGES = 1
export const MM_SWAPENTS = 2
export const MM_SHMEMPAGES = 3
export const NR_MM_COUNTERS = 4

// struct vm_area_struct (include/linux/mm_types.h). Addresses are page numbers, vm_end is exclusive.
export const vma$vm_start = 0
export const vma$vm_end = 1
export const vma$vm_mm = 2
export const vma$vm_flags = 3
export const vma$vm_pgoff = 4
export const vma$anon_vma = 5
/** Chains of this VMA, newest first (anon_vma_chain$same_vma_next). */
export const vma$anon_vma_chain = 6
/** The next of the VMAs that one munmap has taken out of mm$mm_mt (Linux: the maple tree mt_detach). */
export const vma$detach_next = 7
/** The object that is mapped (Linux: vm_file->f_mapping); 0 for private anonymous memory. */
export const vma$vm_mapping = 11
/** List of the VMAs that map vm_mapping (Linux: the i_mmap interval tree). */
export const vma$shared_next = 8
export const vma$shared_prev = 9
/** _PAGE_ flags of fresh entries, by vm_flags and mapping (vma_set_page_prot). */
export const vma$vm_page_prot = 10
/** With VMA_LOCK: mm_lock_seq when the VMA was last locked for writing; whether it has left mm$mm_mt. */
export const vma$vm_lock_seq = 12
export const vma$detached = 13
/** Words of a VMA but its lock, which lies on a line of its own: taking it must not cost the line that lookups read. */
export const VMA_FIELDS = 16
export const vma$vm_lock = VMA_FIELDS
export const VMA_WORDS = VMA_FIELDS + 16 * VMA_LOCK

export const VM_READ = 1 << 0
export const VM_WRITE = 1 << 1
export const VM_EXEC = 1 << 2
export const VM_SHARED = 1 << 3
export const VM_MAYREAD = 1 << 4
export const VM_MAYWRITE = 1 << 5
export const VM_MAYEXEC = 1 << 6
export const VM_MAYSHARE = 1 << 7
export const VM_GROWSDOWN = 1 << 8
export const VM_PFNMAP = 1 << 10
export const VM_SEQ_READ = 1 << 15
export const VM_RAND_READ = 1 << 16
export const VM_DONTCOPY = 1 << 17
export const VM_ACCOUNT = 1 << 20
export const VM_NORESERVE = 1 << 21
export const VM_HUGETLB = 1 << 22
/** Gone since 4.0, in the first seed: non-linear file mappings. Never set. */
export const VM_NONLINEAR = 1 << 23
export const VM_WIPEONFORK = 1 << 25
export const VM_DONTDUMP = 1 << 26
export const VM_MIXEDMAP = 1 << 28
export const VM_NOHUGEPAGE = 1 << 30
export const VM_ACCESS_FLAGS = VM_READ | VM_WRITE | VM_EXEC

// struct anon_vma and anon_vma_chain (include/linux/rmap.h).
export const anon_vma$root = 0
export const anon_vma$refcount = 1
export const anon_vma$num_children = 2
export const anon_vma$num_active_vmas = 3
export const anon_vma$parent = 4
/** Links those that wait for a grace period before they are freed. */
export const anon_vma$rcu_next = 4
/** Chains on this anon_vma, by vm_pgoff, then by insertion (Linux: the rb_root of an interval tree). */
export const anon_vma$rb_root = 5
export const anon_vma$rwsem = 6
export const ANON_VMA_WORDS = (6 + RWSEM_WORDS + 15) & ~15

export const anon_vma_chain$vma = 0
export const anon_vma_chain$anon_vma = 1
export const anon_vma_chain$same_vma_next = 2
export const anon_vma_chain$rb_next = 3
/** Both lists backwards; the first one's is the last, so that it is found from the head. */
export const anon_vma_chain$same_vma_prev = 4
export const anon_vma_chain$rb_prev = 5
export const ANON_VMA_CHAIN_WORDS = 8

// struct address_space (include/linux/fs.h) with the inode's words that matter here.
export const address_space$kind = 0
/** Mappings, and whoever else uses the object. */
export const address_space$i_count = 1
/** Size in pages (i_size): a fault beyond is SIGBUS. */
export const address_space$i_size = 2
export const address_space$nrpages = 3
/** Root node of i_pages. */
export const address_space$i_pages = 4
/** VMAs that map it (vma$shared_next). */
export const address_space$i_mmap = 5
export const address_space$i_mmap_rwsem = 16
export const address_space$i_pages_lock = 32
export const ADDRESS_SPACE_WORDS = 48

/** Kinds of objects: shared anonymous memory, and a file that reads as zeros. */
export const ADDRESS_SPACE_SHMEM = 1
export const ADDRESS_SPACE_FILE = 2

// struct xa_node (include/linux/xarray.h): XA_CHUNK_SIZE slots; three levels always.
export const XA_CHUNK_SHIFT = 6
export const XA_CHUNK_SIZE = 64
export const xa_node$count = 0
export const xa_node$slots = 8
export const XA_NODE_WORDS = 80

/** struct rcu_head: in every object that call_rcu frees, the next that waits with it. */
export const rcu_head$next = 7
// What swap has of its own besides its devices (mm/swapfile.c, mm/swap_state.c).
export const swap$lock = 0
/** CPUs that wait for a slot's SWAP_HAS_CACHE to go or for its page to come (swapcache_wq of 6.12). */
export const swap$swapcache_wq = 16
/** Free slots of all devices, and slots of all devices. */
export const swap$nr_swap_pages = 32
export const swap$total_swap_pages = 33
/** Slots that a swap-in reads at once, as a shift (vm.page-cluster). */
export const swap$page_cluster = 34
/** Every so many-th page allocation that must not wait fails (fail_page_alloc); 0: none. And how many there were. */
export const swap$fail_page_alloc = 35
export const swap$nr_atomic_allocs = 48
export const SWAP_WORDS = 64

// struct swap_info_struct (include/linux/swap.h) with its swapper_space and what stands for the device.
export const swap_info$lock = 0
export const swap_info$cont_lock = 16
export const swap_info$i_pages_lock = 32
export const swap_info$flags = 48
/** Slots, with the header; 0: not in use. */
export const swap_info$max = 49
/** Usable slots, and those in use. */
export const swap_info$pages = 50
export const swap_info$inuse_pages = 51
/** First cluster with a free slot, as its number + 1; the others follow by swap_cluster$next. */
export const swap_info$free_clusters = 52
/** Pages in its swap cache. */
export const swap_info$nrpages = 53
/** Nanoseconds that a read or a write takes. */
export const swap_info$latency = 54
/** Every so many-th read, write fails; 0: none. */
export const swap_info$fail_reads = 55
export const swap_info$fail_writes = 56
/** Holders by get_swap_device: a percpu_ref, dead while the device is off (lib/percpu_refcount.ts). */
export const swap_info$users = 64
export const swap_info$nr_reads = 65
export const swap_info$nr_writes = 66
export const SWAP_INFO_WORDS = 80

export const SWP_USED = 1 << 0
export const SWP_WRITEOK = 1 << 1
export const SWP_CONTINUED = 1 << 5
/** Its pages must not change while they are written. */
export const SWP_STABLE_WRITES = 1 << 11
/** Reads are as fast as memory: a page that is used once need not go through the swap cache. */
export const SWP_SYNCHRONOUS_IO = 1 << 12

// struct percpu_ref (include/linux/percpu-refcount.h): killed.
export const PERCPU_REF_DEAD = 1 << 30

// struct swap_cluster_info: its lock guards the swap map's words of its slots.
export const swap_cluster$lock = 0
/** Slots in use. */
export const swap_cluster$count = 8
/** The free slot that was freed last; the others follow in SWAP_FREE. 0: none. */
export const swap_cluster$free = 9
/** Next cluster with a free slot, as its number + 1; -1: not on that list. */
export const swap_cluster$next = 10
export const SWAP_CLUSTER_WORDS = 16

// A word of the swap map (include/linux/swap.h).
/** The slot's page is in the swap cache, or on its way there or out. */
export const SWAP_HAS_CACHE = 0x40
/** Part of the count lies in continuation pages. */
export const COUNT_CONTINUED = 0x80
/** No slot (the header). */
export const SWAP_MAP_BAD = 0x3f
/** Greatest count that a word of a continuation page keeps (127 where SWAP_MAP_MAX is Linux's). */
export const SWAP_CONT_MAX = 2 * SWAP_MAP_MAX + 3

/** Words of a set of CPUs. */
export const CPUMASK_WORDS = (NR_CPUS + 31) >> 5
