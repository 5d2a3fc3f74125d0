/**
 * Per-VMA locks (VMA_LOCK=y; include/linux/mm.h and mm/memory.c of 6.6, the form that 6.4's became: vma_start_read,
 * vma_end_read, vma_start_write, vma_mark_detached, vma_end_write_all, lock_vma_under_rcu). A fault holds the lock of
 * its VMA for reading and not mmap_lock.
 *
 *   - A VMA is locked for writing while its vm_lock_seq equals its mm's mm_lock_seq. Who changes a VMA holds mmap_lock
 *     for writing, takes and drops the VMA's semaphore once, to wait for readers and to store vm_lock_seq; the end of
 *     the write section adds one to mm_lock_seq, and that unlocks all.
 *   - A reader never waits: what it cannot lock it leaves to the way with mmap_lock. So nobody waits for mmap_lock
 *     under a VMA's lock, for the writer who holds mmap_lock waits for that one (lockdep sees it).
 *   - The VMA is looked up under rcu_read_lock, and freed VMAs wait for a grace period. Linux looks it up in a maple
 *     tree, whose nodes are replaced and freed by RCU. Here the map is an array that changes in place, so that a reader
 *     could see half of a change: each change counts mm_mt_seq up before and after, and a reader that meets one has
 *     found nothing. It aborts more often than Linux's: any change of the mm's map during the lookup is enough.
 *   - The semaphore lies in the VMA, on a line of its own, where 6.6 allocates it apart (vma_lock_cachep) for the same
 *     purpose.
 *
 * Left out: the userfaultfd_armed test, and the way of stacks (vma_start_read of a VMA that may grow), as there are
 * neither.
 */
import { VMA_LOCK } from '#config'
import { data_race, load, READ_ONCE, store, WRITE_ONCE } from '../arch/access.ts'
import { smp_load_acquire, smp_store_release } from '../arch/barrier.ts'
import { BUG_ON } from '../arch/bug.ts'
import type { Mm, Rwsem, Vma } from '../arch/structs.ts'
import {
  mm$map_count,
  mm$mm_lock_seq,
  mm$mm_mt,
  mm$mm_mt_seq,
  mm$mmap_lock,
  vma$anon_vma,
  vma$detached,
  vma$vm_end,
  vma$vm_lock,
  vma$vm_lock_seq,
  vma$vm_mapping,
  vma$vm_mm,
  vma$vm_start,
} from '../arch/structs.ts'
import { raw_seqcount_begin, read_seqcount_retry } from '../lib/seqlock.ts'
import { LOCK_CLASS_vma_lock_R, LOCK_CLASS_vma_lock_W } from '../locking/lock_class.ts'
import {
  down_read_trylock,
  down_write,
  init_rwsem,
  rwsem_assert_held_write,
  up_read,
  up_write,
} from '../locking/rwsem.ts'
import { rcu_read_lock, rcu_read_unlock } from '../rcu.ts'
import { count_vm_event, VMA_LOCK_ABORT, VMA_LOCK_MISS } from './vmstat.ts'

/** Gives a new VMA a lock that nobody holds (vma_lock_alloc). */
export function vma_lock_init(vma: Vma): void {
  if (VMA_LOCK) {
    init_rwsem((vma + vma$vm_lock) as Rwsem, LOCK_CLASS_vma_lock_R, LOCK_CLASS_vma_lock_W)
    store(vma + vma$vm_lock_seq, -1)
    store(vma + vma$detached, 0)
  }
}

/** Locks the VMA for reading; false if a writer has it, or may have it. Under rcu_read_lock. */
function vma_start_read(vma: Vma, mm: Mm): boolean {
  // A look that decides nothing: no order is needed.
  if (READ_ONCE(vma + vma$vm_lock_seq) === READ_ONCE(mm + mm$mm_lock_seq)) return false
  if (!down_read_trylock((vma + vma$vm_lock) as Rwsem)) return false
  // Acquire: whoever sees the VMA unlocked sees all that was done to it while it was locked.
  if (load(vma + vma$vm_lock_seq) === smp_load_acquire(mm + mm$mm_lock_seq)) {
    up_read((vma + vma$vm_lock) as Rwsem)
    return false
  }
  return true
}

/** Ends what vma_start_read or lock_vma_under_rcu began. The VMA may be freed as soon as its count is down. */
export function vma_end_read(vma: Vma): void {
  rcu_read_lock()
  up_read((vma + vma$vm_lock) as Rwsem)
  rcu_read_unlock()
}

function vma_is_write_locked(vma: Vma): boolean {
  const mm = load(vma + vma$vm_mm) as Mm
  rwsem_assert_held_write((mm + mm$mmap_lock) as Rwsem)
  return load(vma + vma$vm_lock_seq) === load(mm + mm$mm_lock_seq)
}

/**
 * Locks the VMA for writing until mmap_write_unlock: waits for the faults that hold it. Under mmap_lock for writing.
 */
export function vma_start_write(vma: Vma): void {
  if (VMA_LOCK && !vma_is_write_locked(vma)) {
    down_write((vma + vma$vm_lock) as Rwsem)
    WRITE_ONCE(vma + vma$vm_lock_seq, load(load(vma + vma$vm_mm) + mm$mm_lock_seq))
    up_write((vma + vma$vm_lock) as Rwsem)
  }
}

/** The VMA, locked for writing, leaves the map: whoever has found it already must not use it. */
export function vma_mark_detached(vma: Vma): void {
  if (VMA_LOCK) {
    BUG_ON(!vma_is_write_locked(vma))
    store(vma + vma$detached, 1)
  }
}

/** Unlocks all VMAs of `mm` that are locked for writing. Under mmap_lock for writing, right before it is dropped. */
export function vma_end_write_all(mm: Mm): void {
  rwsem_assert_held_write((mm + mm$mmap_lock) as Rwsem)
  // Release: all that was done to the VMAs before anybody can lock one. Nobody else stores it.
  smp_store_release(mm + mm$mm_lock_seq, (load(mm + mm$mm_lock_seq) + 1) | 0)
}

/**
 * The VMA that contains page `addr`; 0: there is none, or the map changed meanwhile. Under rcu_read_lock (mas_walk).
 */
function mas_walk(mm: Mm, addr: number): Vma {
  const slots = mm + mm$mm_mt
  const seq = raw_seqcount_begin(mm + mm$mm_mt_seq)
  let low = 0
  let high = data_race(mm + mm$map_count)
  let found = 0
  while (low < high) {
    const middle = (low + high) >>> 1
    const vma = data_race(slots + middle)
    if (data_race(vma + vma$vm_end) <= addr) low = middle + 1
    else {
      found = vma
      high = middle
    }
  }
  if (found !== 0 && data_race(found + vma$vm_start) > addr) found = 0
  return (read_seqcount_retry(mm + mm$mm_mt_seq, seq) ? 0 : found) as Vma
}

/**
 * Whether a fault on page `addr` may be handled under the lock of `vma`, which is held for reading. A VMA without an
 * anon_vma gets one under mmap_lock, since find_mergeable_anon_vma looks at the neighbours, which are not locked.
 */
function vma_suits(vma: Vma, addr: number): boolean {
  if (load(vma + vma$vm_mapping) === 0 && READ_ONCE(vma + vma$anon_vma) === 0) return false
  // The range may have changed before the lock was taken.
  return addr >= load(vma + vma$vm_start) && addr < load(vma + vma$vm_end)
}

/** The VMA that contains page `addr`, locked for reading (vma_end_read); 0: take mmap_lock instead. */
export function lock_vma_under_rcu(mm: Mm, addr: number): Vma {
  rcu_read_lock()
  for (;;) {
    const vma = mas_walk(mm, addr)
    if (vma === 0 || !vma_start_read(vma, mm)) break
    if (load(vma + vma$detached) !== 0) {
      // It has left the map since it was found: something else may be there by now.
      vma_end_read(vma)
      count_vm_event(VMA_LOCK_MISS)
      continue
    }
    if (!vma_suits(vma, addr)) {
      vma_end_read(vma)
      break
    }
    rcu_read_unlock()
    return vma
  }
  rcu_read_unlock()
  count_vm_event(VMA_LOCK_ABORT)
  return 0 as Vma
}
