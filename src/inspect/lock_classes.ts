// The kernel's lock classes by the names they have in /proc/lock_stat of Linux 6.1: the text that the report prints for
// each LOCK_CLASS_ constant of src/kernel/locking/lock_class.ts. Reading the counters is lock_stat.ts.
import type * as classes from '../kernel/locking/lock_class.ts'
import type { MachineView } from './symbols.ts'

/** Names of the LOCK_CLASS_ constants. */
export type LockClassSymbol = Extract<keyof typeof classes, `LOCK_CLASS_${string}`>

export interface LockClass {
  /** Linux's name of the class, without the mode. */
  readonly name: string
  /** A semaphore's mode, printed behind the name; absent for a spinlock. */
  readonly mode?: 'R' | 'W'
  /**
   * What takes it in an interrupt in Linux, where such interrupts are not modelled: it is taken with interrupts off.
   */
  readonly hardirq?: string
}

/**
 * Constant -> text. Linux makes the text from the expression given to the initialiser; locks that Linux does not have
 * say so.
 */
export const LOCK_CLASSES: Readonly<Record<LockClassSymbol, LockClass>> = {
  LOCK_CLASS_none: { name: '(no class)' },
  LOCK_CLASS_user: { name: 'user' },
  LOCK_CLASS_ptlock: { name: 'ptlock_ptr(page)' },
  LOCK_CLASS_ptlock_R: { name: 'ptlock_ptr(page)', mode: 'R' },
  LOCK_CLASS_ptlock_W: { name: 'ptlock_ptr(page)', mode: 'W' },
  LOCK_CLASS_page_table_lock: { name: '&mm->page_table_lock' },
  LOCK_CLASS_zone_lock: { name: '&zone->lock', hardirq: "free_pages() of a driver's interrupt" },
  LOCK_CLASS_mmap_lock_R: { name: '&mm->mmap_lock', mode: 'R' },
  LOCK_CLASS_mmap_lock_W: { name: '&mm->mmap_lock', mode: 'W' },
  LOCK_CLASS_vma_lock_R: { name: '&vma->vm_lock->lock', mode: 'R' },
  LOCK_CLASS_vma_lock_W: { name: '&vma->vm_lock->lock', mode: 'W' },
  LOCK_CLASS_anon_vma_rwsem_R: { name: '&anon_vma->rwsem', mode: 'R' },
  LOCK_CLASS_anon_vma_rwsem_W: { name: '&anon_vma->rwsem', mode: 'W' },
  LOCK_CLASS_i_mmap_rwsem_R: { name: '&mapping->i_mmap_rwsem', mode: 'R' },
  LOCK_CLASS_i_mmap_rwsem_W: { name: '&mapping->i_mmap_rwsem', mode: 'W' },
  LOCK_CLASS_i_pages: { name: '&xa->xa_lock', hardirq: '__folio_end_writeback(), at the end of a write' },
  LOCK_CLASS_mmlist_lock: { name: 'mmlist_lock' },
  LOCK_CLASS_kmem_cache: { name: '&n->list_lock', hardirq: "kfree() of a driver's interrupt" },
  LOCK_CLASS_rq_lock: { name: '&rq->__lock', hardirq: 'scheduler_tick()' },
  LOCK_CLASS_wait_queue: { name: 'swapcache_wq.lock', hardirq: '__wake_up() of an interrupt' },
  LOCK_CLASS_folio_wait_table: {
    name: '&folio_wait_table[i]',
    hardirq: 'folio_end_writeback(), at the end of a write',
  },
  LOCK_CLASS_rwsem_wait_lock: {
    name: '&sem->wait_lock',
    hardirq: 'up_read() of an irq_work (mmap_read_unlock_non_owner)',
  },
  LOCK_CLASS_user_rwsem_R: { name: 'user rwsem', mode: 'R' },
  LOCK_CLASS_user_rwsem_W: { name: 'user rwsem', mode: 'W' },
  LOCK_CLASS_tasklist_lock: { name: 'tasklist_lock' },
  LOCK_CLASS_rcu: { name: 'rcu_node_0', hardirq: 'rcu_report_qs_rdp() of the RCU core' },
  LOCK_CLASS_swap_lock: { name: 'swap_lock' },
  LOCK_CLASS_swap_info: { name: '&p->lock' },
  LOCK_CLASS_swap_cluster: { name: '&((cluster_info + ci)->lock)' },
  LOCK_CLASS_cont_lock: { name: '&p->cont_lock' },
  LOCK_CLASS_lru_lock: {
    name: '&lruvec->lru_lock',
    hardirq: 'folio_rotate_reclaimable(), at the end of a write',
  },
  LOCK_CLASS_oom_lock: { name: 'oom_lock' },
  LOCK_CLASS_pi_lock: { name: '&p->pi_lock', hardirq: 'try_to_wake_up() of an interrupt' },
  LOCK_CLASS_futex_queue: { name: '&futex_queues[i].lock' },
}

/** `&mm->mmap_lock-R`, `ptlock_ptr(page)/1`: the class as a line of lock_stat names it. */
export function lockClassText(symbol: LockClassSymbol, subclass: number): string {
  const { name, mode } = LOCK_CLASSES[symbol]
  return `${name}${subclass > 0 ? `/${subclass}` : ''}${mode ? `-${mode}` : ''}`
}

/** The class that the lock was given when it was made; undefined: that is not known. */
function givenClass(
  { symbols, lockClasses }: Omit<MachineView, 'memory'>,
  lock: number,
): LockClassSymbol | undefined {
  const given = lockClasses?.get(lock)
  if (given === undefined) return undefined
  return (Object.keys(LOCK_CLASSES) as LockClassSymbol[]).find((name) => symbols[name] === given)
}

/**
 * Class of the lock at an address: of a page-table-lock design's what it was given, of others by where it lies.
 * Undefined: a lock that is not the kernel's.
 */
export function lockClassAt(view: Omit<MachineView, 'memory'>, lock: number): LockClassSymbol | undefined {
  const s = view.symbols
  const inside = (base: number, words: number, count: number): number =>
    lock >= base && lock < base + words * count ? (lock - base) % words : -1
  const ofDesign = lock >= s.PTLOCK_AREA && lock < s.KMEM_CACHES
  if (ofDesign || inside(s.MEMMAP, s.PAGE_WORDS, s.NR_PAGES) >= 0)
    return givenClass(view, lock) ?? 'LOCK_CLASS_ptlock'
  const mm = inside(s.MMS, s.MM_WORDS, s.NR_MMS)
  if (mm === s.mm$page_table_lock) return 'LOCK_CLASS_page_table_lock'
  if (mm === s.mm$mmap_lock) return 'LOCK_CLASS_mmap_lock_W'
  if (mm === s.mm$mmap_lock + s.rwsem$wait_lock) return 'LOCK_CLASS_rwsem_wait_lock'
  const vma = inside(s.VMAS, s.VMA_WORDS, s.NR_VMAS)
  if (vma === s.vma$vm_lock) return 'LOCK_CLASS_vma_lock_W'
  if (vma === s.vma$vm_lock + s.rwsem$wait_lock) return 'LOCK_CLASS_rwsem_wait_lock'
  const anonVma = inside(s.ANON_VMAS, s.ANON_VMA_WORDS, s.NR_ANON_VMAS)
  if (anonVma === s.anon_vma$rwsem) return 'LOCK_CLASS_anon_vma_rwsem_W'
  if (anonVma === s.anon_vma$rwsem + s.rwsem$wait_lock) return 'LOCK_CLASS_rwsem_wait_lock'
  const mapping = inside(s.ADDRESS_SPACES, s.ADDRESS_SPACE_WORDS, s.NR_ADDRESS_SPACES)
  if (mapping === s.address_space$i_mmap_rwsem) return 'LOCK_CLASS_i_mmap_rwsem_W'
  if (mapping === s.address_space$i_mmap_rwsem + s.rwsem$wait_lock) return 'LOCK_CLASS_rwsem_wait_lock'
  if (mapping === s.address_space$i_pages_lock) return 'LOCK_CLASS_i_pages'
  if (inside(s.ZONES, s.ZONE_WORDS, s.NODES) === s.zone$lock) return 'LOCK_CLASS_zone_lock'
  if (inside(s.LRUVECS, s.LRUVEC_WORDS, s.NR_LRUVECS) === s.lruvec$lru_lock) return 'LOCK_CLASS_lru_lock'
  if (inside(s.RQ, s.RQ_WORDS, s.NR_CPUS) === s.rq$lock) return 'LOCK_CLASS_rq_lock'
  if (inside(s.TASKS, s.TASK_WORDS, s.NR_TASKS) === s.task$pi_lock) return 'LOCK_CLASS_pi_lock'
  if (inside(s.FUTEX_QUEUES, s.FUTEX_QUEUE_WORDS, s.NR_FUTEX_QUEUES) >= 0) return 'LOCK_CLASS_futex_queue'
  if (inside(s.KMEM_CACHE_NODES, s.KMEM_CACHE_NODE_WORDS, s.NODES * s.NR_KMEM_CACHES) >= 0)
    return 'LOCK_CLASS_kmem_cache'
  if (inside(s.PAGE_WAIT, s.WAIT_QUEUE_HEAD_WORDS, s.PAGE_WAIT_TABLE_SIZE) >= 0)
    return 'LOCK_CLASS_folio_wait_table'
  const device = inside(s.SWAP_INFO, s.SWAP_INFO_WORDS, s.MAX_SWAPFILES)
  if (device === s.swap_info$lock) return 'LOCK_CLASS_swap_info'
  if (device === s.swap_info$cont_lock) return 'LOCK_CLASS_cont_lock'
  if (device === s.swap_info$i_pages_lock) return 'LOCK_CLASS_i_pages'
  if (inside(s.SWAP_CLUSTERS, s.SWAP_CLUSTER_WORDS, s.NR_SWAP_CLUSTERS) >= 0) return 'LOCK_CLASS_swap_cluster'
  if (lock === s.SWAP_AREA + s.swap$lock) return 'LOCK_CLASS_swap_lock'
  if (lock === s.SWAP_AREA + s.swap$swapcache_wq) return 'LOCK_CLASS_wait_queue'
  if (lock === s.machine$tasklist_lock) return 'LOCK_CLASS_tasklist_lock'
  if (lock === s.machine$rcu_lock) return 'LOCK_CLASS_rcu'
  if (lock === s.machine$oom_lock) return 'LOCK_CLASS_oom_lock'
  if (lock === s.machine$mmlist_lock) return 'LOCK_CLASS_mmlist_lock'
  return undefined
}
