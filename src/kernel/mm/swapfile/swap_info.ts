/**
 * Swap devices (struct swap_info_struct of mm/swapfile.c, 6.1): where what belongs to a slot lies, and holding a device
 * against swapoff by a percpu_ref. Left out: priorities, files, discard, huge pages, freeing a device's swap map and
 * swap cache.
 */
import { READ_ONCE } from '../../arch/access.ts'
import { smp_rmb } from '../../arch/barrier.ts'
import { MAX_SWAPFILES, SWAPFILE_CLUSTER, SWAPFILE_SLOTS } from '../../arch/limits.ts'
import {
  CONTENT_WORDS,
  SWAP_AREA,
  SWAP_CACHE,
  SWAP_CLUSTERS,
  SWAP_CONT,
  SWAP_CONTENT,
  SWAP_INFO,
  SWAP_MAP,
} from '../../arch/memory_map.ts'
import { percpu$swap_users } from '../../arch/percpu.ts'
import type { Spinlock, SwapInfo, SwpEntry } from '../../arch/structs.ts'
import {
  swap$nr_swap_pages,
  swap$total_swap_pages,
  swap_cluster$lock,
  SWAP_CLUSTER_WORDS,
  swap_info$max,
  swap_info$users,
  SWAP_INFO_WORDS,
} from '../../arch/structs.ts'
import { swp_offset, swp_type } from '../../arch/swapops.ts'
import { percpu_ref_put, percpu_ref_tryget_live } from '../../lib/percpu_refcount.ts'
import { spin_lock, spin_unlock } from '../../locking/spinlock.ts'

/** The swap_info of device `type`. */
export function swap_info(type: number): SwapInfo {
  return (SWAP_INFO + type * SWAP_INFO_WORDS) as SwapInfo
}

/** Where each CPU counts the device's users. */
export function swap_users_part(si: SwapInfo): number {
  return percpu$swap_users + (si - SWAP_INFO) / SWAP_INFO_WORDS
}

/** The device of an entry (swp_swap_info). */
export function swp_swap_info(entry: SwpEntry): SwapInfo {
  return swap_info(swp_type(entry))
}

/** Number of a slot among those of all devices. */
export function swap_slot(entry: SwpEntry): number {
  return swp_type(entry) * SWAPFILE_SLOTS + swp_offset(entry)
}

/** The word of the swap map. */
export function swap_map(entry: SwpEntry): number {
  return SWAP_MAP + swap_slot(entry)
}

/** The word of the swap cache that names the slot's page. */
export function swap_cache(entry: SwpEntry): number {
  return SWAP_CACHE + swap_slot(entry)
}

/** The word that names the first continuation page of the slot's part of the swap map. */
export function swap_cont(entry: SwpEntry): number {
  return SWAP_CONT + Math.trunc(swap_slot(entry) / CONTENT_WORDS)
}

/** Word address of the slot's contents. */
export function swap_content(entry: SwpEntry): number {
  return SWAP_CONTENT + swap_slot(entry) * CONTENT_WORDS
}

/** Cluster `index` of all. */
export function swap_cluster(index: number): number {
  return SWAP_CLUSTERS + index * SWAP_CLUSTER_WORDS
}

/** Takes the lock of the slot's cluster; returns it. */
export function lock_cluster(entry: SwpEntry): Spinlock {
  const cluster = swap_cluster(Math.trunc(swap_slot(entry) / SWAPFILE_CLUSTER))
  const lock = (cluster + swap_cluster$lock) as Spinlock
  spin_lock(lock)
  return lock
}

export function unlock_cluster(lock: Spinlock): void {
  spin_unlock(lock)
}

/**
 * Keeps the device of `entry` from being taken away until put_swap_device; 0 if it is gone or going, or never had such
 * a slot.
 */
export function get_swap_device(entry: SwpEntry): SwapInfo {
  if (swp_type(entry) >= MAX_SWAPFILES) return 0 as SwapInfo
  const si = swp_swap_info(entry)
  if (!percpu_ref_tryget_live(si + swap_info$users, swap_users_part(si))) return 0 as SwapInfo
  smp_rmb()
  if (swp_offset(entry) < READ_ONCE(si + swap_info$max)) return si
  put_swap_device(si)
  return 0 as SwapInfo
}

export function put_swap_device(si: SwapInfo): void {
  percpu_ref_put(si + swap_info$users, swap_users_part(si))
}

/** Whether more than half of all swap is in use, so that pages in memory should give theirs back (vm_swap_full). */
export function vm_swap_full(): boolean {
  return READ_ONCE(SWAP_AREA + swap$nr_swap_pages) * 2 < READ_ONCE(SWAP_AREA + swap$total_swap_pages)
}
