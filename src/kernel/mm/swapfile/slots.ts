/**
 * Free slots (mm/swapfile.c and swap_slots.c, 6.1): folio_alloc_swap and swap_entry_free. Each cluster gives the slot
 * again that it got back last, so that an entry's number soon names another page. Left out: per-CPU clusters and slot
 * caches, priorities.
 */
import { atomic_fetch_add, atomic_load } from '#atomic'
import { load, READ_ONCE, store, WRITE_ONCE } from '../../arch/access.ts'
import { BUG_ON } from '../../arch/bug.ts'
import { MAX_SWAPFILES, SWAPFILE_CLUSTER, SWAPFILE_SLOTS } from '../../arch/limits.ts'
import { SWAP_AREA, SWAP_FREE } from '../../arch/memory_map.ts'
import type { Spinlock, SwpEntry } from '../../arch/structs.ts'
import {
  swap$nr_swap_pages,
  swap_cluster$count,
  swap_cluster$free,
  swap_cluster$lock,
  swap_cluster$next,
  SWAP_HAS_CACHE,
  swap_info$flags,
  swap_info$free_clusters,
  swap_info$inuse_pages,
  swap_info$lock,
  SWP_WRITEOK,
} from '../../arch/structs.ts'
import { swp_entry, swp_offset, swp_type } from '../../arch/swapops.ts'
import { spin_lock, spin_unlock } from '../../locking/spinlock.ts'
import { should_fail } from '../slab.ts'
import { count_vm_event, SWAP_SLOTS_ALLOCATED } from '../vmstat.ts'
import { swap_cluster, swap_info, swap_map, swap_slot } from './swap_info.ts'

/** Takes a slot of device `type`; 0 if it has none (scan_swap_map_slots). */
function scan_swap_map_slots(type: number): SwpEntry {
  const si = swap_info(type)
  if ((READ_ONCE(si + swap_info$flags) & SWP_WRITEOK) === 0) return 0 as SwpEntry
  spin_lock((si + swap_info$lock) as Spinlock)
  // Taken away since, it is perhaps being set up anew: then its lists are not to be read.
  const on = (READ_ONCE(si + swap_info$flags) & SWP_WRITEOK) !== 0
  const index = on ? load(si + swap_info$free_clusters) - 1 : -1
  let entry = 0 as SwpEntry
  if (index >= 0) {
    const ci = swap_cluster(index)
    spin_lock((ci + swap_cluster$lock) as Spinlock)
    const offset = load(ci + swap_cluster$free)
    const next = load(SWAP_FREE + type * SWAPFILE_SLOTS + offset)
    entry = swp_entry(type, offset)
    BUG_ON(load(swap_map(entry)) !== 0)
    store(ci + swap_cluster$free, next)
    store(ci + swap_cluster$count, load(ci + swap_cluster$count) + 1)
    if (next === 0) {
      store(si + swap_info$free_clusters, load(ci + swap_cluster$next))
      store(ci + swap_cluster$next, -1)
    }
    WRITE_ONCE(swap_map(entry), SWAP_HAS_CACHE)
    spin_unlock((ci + swap_cluster$lock) as Spinlock)
    WRITE_ONCE(si + swap_info$inuse_pages, load(si + swap_info$inuse_pages) + 1)
  }
  spin_unlock((si + swap_info$lock) as Spinlock)
  return entry
}

/** Takes a free slot, which has SWAP_HAS_CACHE and no use then; 0 if there is none (folio_alloc_swap). */
export function folio_alloc_swap(): SwpEntry {
  if (should_fail() || atomic_load(SWAP_AREA + swap$nr_swap_pages) <= 0) return 0 as SwpEntry
  for (let type = 0; type < MAX_SWAPFILES; type++) {
    const entry = scan_swap_map_slots(type)
    if (entry === 0) continue
    atomic_fetch_add(SWAP_AREA + swap$nr_swap_pages, -1)
    count_vm_event(SWAP_SLOTS_ALLOCATED)
    return entry
  }
  return 0 as SwpEntry
}

/** Puts a slot on its cluster's list, and the cluster on the device's. Under both locks. */
export function add_free_slot(entry: SwpEntry): void {
  const type = swp_type(entry)
  const index = Math.trunc(swap_slot(entry) / SWAPFILE_CLUSTER)
  const ci = swap_cluster(index)
  store(SWAP_FREE + swap_slot(entry), load(ci + swap_cluster$free))
  store(ci + swap_cluster$free, swp_offset(entry))
  if (load(ci + swap_cluster$next) !== -1) return
  const free_clusters = swap_info(type) + swap_info$free_clusters
  store(ci + swap_cluster$next, load(free_clusters))
  store(free_clusters, index + 1)
}

/**
 * Gives a slot back that has neither uses nor a page: its word is SWAP_HAS_CACHE, so that nobody else takes it up
 * meanwhile.
 */
export function swap_entry_free(entry: SwpEntry): void {
  const si = swap_info(swp_type(entry))
  const ci = swap_cluster(Math.trunc(swap_slot(entry) / SWAPFILE_CLUSTER))
  spin_lock((si + swap_info$lock) as Spinlock)
  spin_lock((ci + swap_cluster$lock) as Spinlock)
  BUG_ON(load(swap_map(entry)) !== SWAP_HAS_CACHE)
  WRITE_ONCE(swap_map(entry), 0)
  store(ci + swap_cluster$count, load(ci + swap_cluster$count) - 1)
  add_free_slot(entry)
  spin_unlock((ci + swap_cluster$lock) as Spinlock)
  WRITE_ONCE(si + swap_info$inuse_pages, load(si + swap_info$inuse_pages) - 1)
  atomic_fetch_add(SWAP_AREA + swap$nr_swap_pages, 1)
  spin_unlock((si + swap_info$lock) as Spinlock)
}
