/**
 * Turning swap devices on, and their state at boot (mm/swapfile.c, 6.1: swapon, setup_swap_map_and_extents,
 * enable_swap_info). Left out: headers, bad pages, priorities, files.
 */
import { atomic_fetch_add } from '#atomic'
import { clear_words, load, store, WRITE_ONCE } from '../../arch/access.ts'
import { smp_wmb } from '../../arch/barrier.ts'
import { MAX_SWAPFILES, NR_SWAP_CLUSTERS, SWAPFILE_CLUSTER, SWAPFILE_SLOTS } from '../../arch/limits.ts'
import { SWAP_AREA, SWAP_CLUSTERS, SWAP_MAP } from '../../arch/memory_map.ts'
import type { Spinlock, WaitQueueHead } from '../../arch/structs.ts'
import {
  swap$fail_page_alloc,
  swap$lock,
  swap$nr_swap_pages,
  swap$page_cluster,
  swap$swapcache_wq,
  swap$total_swap_pages,
  swap_cluster$count,
  swap_cluster$lock,
  swap_cluster$next,
  SWAP_CLUSTER_WORDS,
  swap_info$cont_lock,
  swap_info$fail_reads,
  swap_info$fail_writes,
  swap_info$flags,
  swap_info$free_clusters,
  swap_info$i_pages_lock,
  swap_info$inuse_pages,
  swap_info$latency,
  swap_info$lock,
  swap_info$max,
  swap_info$nr_reads,
  swap_info$nr_writes,
  swap_info$pages,
  PERCPU_REF_DEAD,
  swap_info$users,
  SWAP_MAP_BAD,
  SWP_STABLE_WRITES,
  SWP_SYNCHRONOUS_IO,
  SWP_USED,
  SWP_WRITEOK,
} from '../../arch/structs.ts'
import { swp_entry } from '../../arch/swapops.ts'
import { EBUSY, EINVAL } from '../../errno.ts'
import { percpu_ref_resurrect } from '../../lib/percpu_refcount.ts'
import {
  LOCK_CLASS_cont_lock,
  LOCK_CLASS_i_pages,
  LOCK_CLASS_swap_cluster,
  LOCK_CLASS_swap_info,
  LOCK_CLASS_swap_lock,
  LOCK_CLASS_wait_queue,
} from '../../locking/lock_class.ts'
import { spin_lock, spin_lock_init, spin_unlock } from '../../locking/spinlock.ts'
import { init_waitqueue_head } from '../../locking/wait.ts'
import { mmlist_init } from './mmlist.ts'
import { add_free_slot } from './slots.ts'
import { swap_cluster, swap_info } from './swap_info.ts'

/** Slots read at once by default: 1 << 3 (page_cluster). */
const PAGE_CLUSTER = 3

/** The lock of which devices there are. */
export const swap_lock = (SWAP_AREA + swap$lock) as Spinlock

/** Boot: no device is in use. */
export function swap_init(): void {
  mmlist_init()
  spin_lock_init(swap_lock, LOCK_CLASS_swap_lock)
  init_waitqueue_head((SWAP_AREA + swap$swapcache_wq) as WaitQueueHead, LOCK_CLASS_wait_queue)
  store(SWAP_AREA + swap$page_cluster, PAGE_CLUSTER)
  for (let type = 0; type < MAX_SWAPFILES; type++) {
    const si = swap_info(type)
    spin_lock_init((si + swap_info$lock) as Spinlock, LOCK_CLASS_swap_info)
    spin_lock_init((si + swap_info$cont_lock) as Spinlock, LOCK_CLASS_cont_lock)
    spin_lock_init((si + swap_info$i_pages_lock) as Spinlock, LOCK_CLASS_i_pages)
    store(si + swap_info$users, PERCPU_REF_DEAD)
  }
  for (let i = 0; i < NR_SWAP_CLUSTERS; i++)
    spin_lock_init((swap_cluster(i) + swap_cluster$lock) as Spinlock, LOCK_CLASS_swap_cluster)
}

/** Claims a device that is not in use; -1: there is none (alloc_swap_info). */
function alloc_swap_info(): number {
  let type = 0
  spin_lock(swap_lock)
  while (type < MAX_SWAPFILES && (load(swap_info(type) + swap_info$flags) & SWP_USED) !== 0) type++
  if (type < MAX_SWAPFILES) WRITE_ONCE(swap_info(type) + swap_info$flags, SWP_USED)
  spin_unlock(swap_lock)
  return type < MAX_SWAPFILES ? type : -1
}

/**
 * Lays out the map of a device that nobody uses: slot 0 is the header, 1 to `pages` are free, so that slot 1 is taken
 * first.
 */
function setup_swap_map(type: number, pages: number): void {
  const first = (type * SWAPFILE_SLOTS) / SWAPFILE_CLUSTER
  for (let i = first; i < first + SWAPFILE_SLOTS / SWAPFILE_CLUSTER; i++) {
    const ci = SWAP_CLUSTERS + i * SWAP_CLUSTER_WORDS
    clear_words(ci + swap_cluster$count, 2)
    store(ci + swap_cluster$next, -1)
  }
  store(swap_info(type) + swap_info$free_clusters, 0)
  clear_words(SWAP_MAP + type * SWAPFILE_SLOTS, pages + 1)
  WRITE_ONCE(SWAP_MAP + type * SWAPFILE_SLOTS, SWAP_MAP_BAD)
  for (let offset = pages; offset > 0; offset--) add_free_slot(swp_entry(type, offset))
}

/**
 * Turns a device of `size` slots on, with the SWP_ flags SWP_SYNCHRONOUS_IO or SWP_STABLE_WRITES; of one that is
 * oversized it uses as many as there is room for (read_swap_header). Returns its number, -EINVAL, or -EBUSY if all are
 * in use.
 */
export function do_swapon(size: number, flags: number): number {
  if (size <= 0 || (flags & ~(SWP_SYNCHRONOUS_IO | SWP_STABLE_WRITES)) !== 0) return -EINVAL
  const pages = Math.min(size, SWAPFILE_SLOTS - 1)
  const type = alloc_swap_info()
  if (type < 0) return -EBUSY
  const si = swap_info(type)
  setup_swap_map(type, pages)
  for (let field = swap_info$latency; field <= swap_info$fail_writes; field++) store(si + field, 0)
  store(si + swap_info$nr_reads, 0)
  store(si + swap_info$nr_writes, 0)
  store(si + swap_info$pages, pages)
  WRITE_ONCE(si + swap_info$inuse_pages, 0)
  WRITE_ONCE(si + swap_info$max, pages + 1)
  // Complete before anybody can hold it.
  smp_wmb()
  percpu_ref_resurrect(si + swap_info$users)
  spin_lock(swap_lock)
  spin_lock((si + swap_info$lock) as Spinlock)
  enable_swap_info(type, flags)
  spin_unlock((si + swap_info$lock) as Spinlock)
  spin_unlock(swap_lock)
  return type
}

/** Lets slots of the device be taken. Under swap_lock and its own. */
export function enable_swap_info(type: number, flags: number): void {
  const si = swap_info(type)
  const pages = load(si + swap_info$pages)
  WRITE_ONCE(si + swap_info$flags, load(si + swap_info$flags) | flags | SWP_WRITEOK)
  atomic_fetch_add(SWAP_AREA + swap$nr_swap_pages, pages)
  WRITE_ONCE(SWAP_AREA + swap$total_swap_pages, load(SWAP_AREA + swap$total_swap_pages) + pages)
}

/**
 * Nanoseconds that each read and write of a device takes, and every how many-th read and write fails (0: none). Also
 * while it is in use.
 */
export function swap_device_set(
  type: number,
  latency: number,
  fail_reads: number,
  fail_writes: number,
): void {
  const si = swap_info(type)
  WRITE_ONCE(si + swap_info$latency, latency)
  WRITE_ONCE(si + swap_info$fail_reads, fail_reads)
  WRITE_ONCE(si + swap_info$fail_writes, fail_writes)
}

/** vm.page-cluster: 1 << `shift` slots are read at once. */
export function set_page_cluster(shift: number): void {
  store(SWAP_AREA + swap$page_cluster, shift)
}

/** fail_page_alloc/interval: every so many-th page allocation that may not wait fails; 0: none. */
export function set_fail_page_alloc(every: number): void {
  store(SWAP_AREA + swap$fail_page_alloc, every)
}
