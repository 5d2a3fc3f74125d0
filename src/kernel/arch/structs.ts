/**
 * The kernel's structures: word offsets of their fields, named struct$field. A pointer is a word address with a branded
 * type; NULL is 0. Fields that different CPUs write at the same time lie on different lines of 16 words, as in Linux.
 */
import { LOCK_STAT, NR_CPUS } from '#config'
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
export type Rwsem = number & { readonly __brand: 'rw_semaphore' }
export type WaitQueueHead = number & { readonly __brand: 'wait_queue_head' }
export type KmemCache = number & { readonly __brand: 'kmem_cache' }
/** Address of an entry of a page table, by level, and the entries' values. */
export type PgdP = number & { readonly __brand: 'pgd_t *' }
export type P4dP = number & { readonly __brand: 'p4d_t *' }
export type PudP = number & { readonly __brand: 'pud_t *' }
export type PmdP = number & { readonly __brand: 'pmd_t *' }
export type PteP = number & { readonly __brand: 'pte_t *' }
export type Pte = number & { readonly __brand: 'pte_t' }
export type Pmd = number & { readonly __brand: 'pmd_t' }

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
export const rwsem$wait_lock = 6
export const RWSEM_WORDS = 6 + LOCK_WORDS

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
/** A page table: where its entries lie (address of the first), its mm, and the words of its lock. */
export const page$pt_entries = 4
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

// struct zone (include/linux/mmzone.h); the one zone of the one node.
export const zone$lock = 0
export const zone$managed_pages = 16
export const zone$watermark_min = 17
export const zone$watermark_low = 18
export const zone$watermark_high = 19
export const zone$pcp_high = 20
export const zone$pcp_batch = 21
/** NR_FREE_PAGES: pages on the free areas, written under the lock. */
export const zone$nr_free = 32
/** free_area[order]: head of the list (page$lru_next, page$lru_prev), and the number of blocks. */
export const zone$free_list = 33
export const zone$nr_free_blocks = zone$free_list + MAX_ORDER
export const ZONE_WORDS = 64

// The run queue and wait list of tasks (kernel/sched).
export const rq$lock = 0
export const rq$head = 16
export const rq$tail = 17
export const rq$nr_running = 18
/** Tasks that wait for a word (task$wait_word), linked by task$run_next. */
export const rq$waiting = 19
/** Changes whenever an idle CPU should look again. */
export const rq$event = 32
/** CPUs that wait for rq$event. */
export const rq$nr_idle = 33
export const RQ_WORDS = 48

// struct kmem_cache (mm/slab.h), simplified to one free list a cache.
export const kmem_cache$lock = 0
export const kmem_cache$freelist = 8
export const kmem_cache$base = 9
export const kmem_cache$object_words = 10
export const kmem_cache$nr_objects = 11
export const kmem_cache$in_use = 12
/** One generation a object, incremented when it is freed. */
export const kmem_cache$stamps = 13
export const KMEM_CACHE_WORDS = 16
export const NR_KMEM_CACHES = 7

// struct task_struct (include/linux/sched.h).
export const task$__state = 0
export const task$pid = 1
export const task$mm = 2
export const task$parent = 3
/** The parent's pid: it tells whether task$parent still is that task. */
export const task$ppid = 4
/** Next on the run queue, or on the list of tasks that wait for a word. */
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
/** Words of the scenario's own, kept from turn to turn: a program's local variables. */
export const task$reg = 19
export const NR_TASK_REGS = 13
export const TASK_WORDS = 32

export const TASK_RUNNING = 0
export const TASK_INTERRUPTIBLE = 1
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
export const mm$mmap_lock = 16
export const mm$page_table_lock = 32
export const mm$pgtables_bytes = 48
export const mm$tlb_flush_pending = 49
export const mm$mmlist_next = 50
export const mm$mmlist_prev = 51
export const mm$rss_stat = 64
/** CPUs that may hold translations of this mm: a bit for each, in CPUMASK_WORDS words. */
export const mm$cpu_bitmap = 80
/** The VMAs sorted by address: 6.1 keeps a maple tree here, the model a sorted array of MAX_MAP_COUNT pointers. */
export const mm$mm_mt = 96
export const MM_WORDS = (mm$mm_mt + MAX_MAP_COUNT + 15) & ~15

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
/** The object that is mapped (Linux: vm_file->f_mapping); 0 for private anonymous memory. */
export const vma$vm_mapping = 7
/** List of the VMAs that map vm_mapping (Linux: the i_mmap interval tree). */
export const vma$shared_next = 8
export const vma$shared_prev = 9
/** _PAGE_ flags of fresh entries, by vm_flags and mapping (vma_set_page_prot). */
export const vma$vm_page_prot = 10
export const VMA_WORDS = 16

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
export const VM_DONTCOPY = 1 << 17
export const VM_ACCOUNT = 1 << 20
export const VM_HUGETLB = 1 << 22
/** Gone since 4.0, in the first seed: non-linear file mappings. Never set. */
export const VM_NONLINEAR = 1 << 23
export const VM_WIPEONFORK = 1 << 25
export const VM_MIXEDMAP = 1 << 28
export const VM_ACCESS_FLAGS = VM_READ | VM_WRITE | VM_EXEC

// struct anon_vma and anon_vma_chain (include/linux/rmap.h).
export const anon_vma$root = 0
export const anon_vma$refcount = 1
export const anon_vma$num_children = 2
export const anon_vma$num_active_vmas = 3
export const anon_vma$parent = 4
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
export const xa_node$rcu_next = 1
export const xa_node$slots = 8
export const XA_NODE_WORDS = 80

/** Words of a set of CPUs. */
export const CPUMASK_WORDS = (NR_CPUS + 31) >> 5
