/**
 * The per-CPU area: offsets of its fields, in words (arch/access.ts turns them into addresses).
 *
 *   line 0      what other CPUs write: interrupts, wake-ups           arch/irq.ts, arch/wait.ts
 *   line 1      what only this CPU touches: task, counters of held state
 *   line 2      held locks; the lazy address space                    locking/spinlock.ts, sched/active_mm.ts
 *   line 3      this CPU's TLB flush request to others                arch/tlb.ts
 *   line 4..5   struct vm_fault, one a CPU; deferred flushes          mm/memory/, mm/rmap/
 *   line 6      per-CPU free pages                                    mm/page_alloc.ts
 *   line 7      rwsem and wait-queue entry                            locking/rwsem.ts, locking/wait.ts
 *   line 8..23  queue-lock nodes, one a held lock                     locking/spinlock/
 *   line 24..   struct mmu_gather                                     mm/mmu_gather.ts
 *   then        the TLB                                               arch/tlb.ts
 *   last        with SWAP: batches of pages for the LRU lists         mm/swap.ts
 *   then        struct kmem_cache_cpu of each cache                   mm/slab.ts
 *   then        osq_lock's node                                      locking/osq_lock.ts
 *   last line   the scenario's                                        sched/program.ts
 *
 * Lines are 16 words. A line that other CPUs write shares none with private words.
 */
import { NR_CPUS, SWAP } from '#config'
import { MAX_GATHER_BATCH, PAGEVEC_SIZE, TLB_ENTRIES } from './limits.ts'

// Line 0: written by other CPUs.
/** Interrupts pending: one bit for each sending CPU, in CPUMASK_WORDS words. */
export const percpu$irq_pending = NR_CPUS > 64 ? 8 : 0
/** The word this CPU halts on. */
export const percpu$wake = 2
/** CPU_RUNNING, CPU_PARKED, CPU_PARKED_FLUSH or CPU_OFFLINE (arch/irq.ts). */
export const percpu$state = 3
/** The word this CPU waits to change while it is parked, for wakers and for the report of a lockup. */
export const percpu$parked_on = 4
/** The grace period this CPU last passed a quiescent state in; RCU_IDLE: it reads nothing. */
export const percpu$rcu_qs = 5
/** How many read-side sections this CPU is in: others look whether it is in none. */
export const percpu$rcu_nesting = 6
/** Somebody waits until this CPU has passed a quiescent state, and must be woken then. */
export const percpu$rcu_need_qs = 7

// Line 1: private.
export const percpu$current = 16
export const percpu$loaded_mm = 17
/** local_irq_disable's flag. */
export const percpu$irqs_off = 18
export const percpu$in_irq = 19
/** What the last user access ended in: 0 or a signal number. */
export const percpu$signal = 20
export const percpu$need_resched = 21
/** User accesses, system calls and lock/unlock pairs begun. */
export const percpu$operations = 22
/** Operations left until the next tick. */
export const percpu$tick = 23
/** The word this CPU spins or waits on; 0 when it does not wait. */
export const percpu$waiting_on = 24
export const percpu$barrier = 25
/** How the last fault was found: FAULT_ABSENT or FAULT_PRESENT; 0: the access did not fault. */
export const percpu$last_fault = 26
/** Sampling countdowns of lock_stat and of the latency table. */
export const percpu$hold_sample = 27
export const percpu$latency_sample = 28
/** Which path of the fault was taken (LATENCY_ constants of mm/vmstat.ts). */
export const percpu$fault_path = 29
/** With SWAP: an anon_vma of this CPU's that is free, and stays an anon_vma (mm/rmap/anon_vma.ts); 0: none. */
export const percpu$anon_vma_slab = 30
/** Start of the grace period that percpu$rcu_list waits for. */
export const percpu$rcu_needed = 31

// Line 2: the locks this CPU holds, oldest first.
export const MAX_HELD_LOCKS = 14
export const percpu$held_count = 32
export const percpu$held_locks = 33 // MAX_HELD_LOCKS words
/** The address space that is loaded while the task has none, with a reference; 0: none (sched/active_mm.ts). */
export const percpu$active_mm = 47

// Line 3: this CPU as the sender of a TLB flush; others read it until they have acknowledged.
export const percpu$flush_mm = 48
export const percpu$flush_start = 49
export const percpu$flush_end = 50
export const percpu$flush_acks = 51

// Line 4 and 5: struct vm_fault (include/linux/mm.h).
export const vmf$vma = 64
export const vmf$address = 65
export const vmf$flags = 66
export const vmf$pgoff = 67
export const vmf$pud = 68
export const vmf$pmd = 69
export const vmf$pte = 70
export const vmf$ptl = 71
export const vmf$orig_pte = 72
export const vmf$page = 73
export const vmf$cow_page = 74
export const vmf$prealloc_pte = 75
/** The PMD's value under which vmf$ptl was taken. */
export const vmf$pmd_value = 76
/** What pte_read_begin returned before vmf$orig_pte was read (mm/ptl.ts). */
export const vmf$seq = 77
/** Nodes that wait for a grace period, and those that came after it began. */
export const percpu$rcu_list = 82
export const percpu$rcu_next_list = 83

/** 1 during a user program's load or store, which no interrupt divides. Kept on the stepped machine only. */
export const percpu$instruction = 80
/** The entry that denied the last hardware walk; 0: it found none. */
export const percpu$walked_pte = 81

// struct tlbflush_unmap_batch: CPUs that must still flush for what this CPU has unmapped, whether there are any, and
// whether one of the entries could be written.
export const tlb_ubc$flush_required = 84
export const tlb_ubc$writable = 85
// Two words are free here; more CPUs take the end of line 6.
export const tlb_ubc$cpumask = NR_CPUS > 64 ? 104 : 86 // CPUMASK_WORDS, 8 at most
/** Where page_vma_mapped_walk found its entry: its page, the PMD's value and the lock. */
export const pvmw$address = 78
export const pvmw$pmd_value = 88
export const pvmw$ptl = 89
/** Pages that shrink_page_list could not free, linked by page$lru_next. */
export const scan$ret_pages = 90
/** This CPU reclaims memory (PF_MEMALLOC): a RECLAIM_ constant of mm/vmscan/shrink_page_list.ts; 0: it does not. */
export const scan$memalloc = 91
/** How often the access that faults now has found no memory. */
export const percpu$oom_faults = 92
/** This CPU's scan has found nothing so far, and waits for what it would only try otherwise. */
export const scan$patient = 93

/** With SWAP: references to each swap device that were taken less those dropped here (lib/percpu_refcount.ts). */
export const percpu$swap_users = 94 // MAX_SWAPFILES words, 2 at most

// Line 6: struct per_cpu_pages of the one zone.
export const pcp$count = 96
/** The page that was freed last, and the one that has been here longest. */
export const pcp$list = 97
export const pcp$last = 98

// Line 7: a CPU waits for one semaphore or queue at a time.
export const percpu$waiter_next = 112
export const percpu$waiter_type = 113
export const percpu$waiter_granted = 114
/** Since when it waits too long, in ns modulo 2^32, and whether it has set handoff (struct rwsem_waiter). */
export const percpu$waiter_timeout = 115
export const percpu$waiter_handoff_set = 116
/** Whether it sleeps (CPU_ constants of locking/wake_q.ts), and the next in the wake_q that it is in. */
export const percpu$cpu_state = 117
export const percpu$wake_q_next = 118
/** The wake_q that this CPU fills. */
export const percpu$wake_q_first = 119
export const percpu$wake_q_last = 120

// Line 8 to 23: queue-lock nodes, each on a line of its own; one for each held lock.
export const QNODES = 16
export const QNODE_WORDS = 16
export const percpu$qnodes = 128

// From line 24: struct mmu_gather (include/asm-generic/tlb.h), one a CPU.
export const tlb$mm = 384
export const tlb$start = 385
export const tlb$end = 386
export const tlb$fullmm = 387
export const tlb$freed_tables = 388
export const tlb$nr = 389
export const tlb$pages = 390 // MAX_GATHER_BATCH words

/** Pairs of (page number + 1, PTE), direct-mapped; 0: empty. */
export const percpu$tlb = (tlb$pages + MAX_GATHER_BATCH + 15) & ~15

// struct cpu_fbatches and lru_rotate (mm/swap.c): pages, each with a reference, that will be put on an LRU list, made
// active, made lazily freeable, moved to the tail. Of each batch how many there are, then the pages.
const PAGEVEC_WORDS = 1 + PAGEVEC_SIZE
export const lru_pvecs$lru_add = percpu$tlb + 2 * TLB_ENTRIES
export const lru_pvecs$activate_page = lru_pvecs$lru_add + PAGEVEC_WORDS
export const lru_pvecs$lru_lazyfree = lru_pvecs$activate_page + PAGEVEC_WORDS
export const lru_rotate$fbatch = lru_pvecs$lru_lazyfree + PAGEVEC_WORDS
/**
 * struct kmem_cache_cpu (include/linux/slub_def.h) of each cache: free objects, the slab that they are of, partial
 * slabs.
 */
export const percpu$kmem_cache_cpu = (lru_pvecs$lru_add + SWAP * 4 * PAGEVEC_WORDS + 15) & ~15
export const kmem_cache_cpu$freelist = 0
export const kmem_cache_cpu$slab = 1
export const kmem_cache_cpu$partial = 2
export const KMEM_CACHE_CPU_WORDS = 4
const KMEM_CACHE_CPU_AREA = 32 // NR_KMEM_CACHES of them

/** struct optimistic_spin_node: the next in the queue, CPU + 1; 1: this CPU is at its head. */
export const percpu$osq_next = percpu$kmem_cache_cpu + KMEM_CACHE_CPU_AREA
export const percpu$osq_locked = percpu$osq_next + 1
/** The scenario's own word of each CPU, on a line of its own. */
export const percpu$scenario = percpu$osq_next + 16
export const PERCPU_WORDS = percpu$scenario + 16

/** First word of CPU 0's area; the areas follow one another. */
export const PERCPU = 1024
