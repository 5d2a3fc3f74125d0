/**
 * mmlist (mm/swapfile.c, kernel/fork.c, 6.1): the mms that may have swap entries, which swapoff walks. An mm gets on it
 * with its first entry and off it when it ends, or all do when no device has a slot in use.
 */
import { atomic_load } from '#atomic'
import { machine$mmlist, machine$mmlist_lock } from '../../arch/memory_map.ts'
import type { Mm, Spinlock } from '../../arch/structs.ts'
import { mm$mmlist_next } from '../../arch/structs.ts'
import { smp_cond_load, smp_wake } from '../../arch/wait.ts'
import {
  INIT_LIST_HEAD,
  list_add,
  list_del_init,
  list_del_init_careful,
  list_empty,
  list_empty_careful,
  list_next,
} from '../../lib/list.ts'
import { LOCK_CLASS_mmlist_lock } from '../../locking/lock_class.ts'
import { spin_lock, spin_lock_init, spin_unlock } from '../../locking/spinlock.ts'
import { count_vm_event, MMLIST_ADDED, MMLIST_REMOVED } from '../vmstat.ts'

/** init_mm.mmlist, the head. */
export const init_mm_mmlist = machine$mmlist
export const mmlist_lock = machine$mmlist_lock as Spinlock

export function mmlist_init(): void {
  spin_lock_init(mmlist_lock, LOCK_CLASS_mmlist_lock)
  INIT_LIST_HEAD(init_mm_mmlist)
}

/** The list_head in an mm. */
export function mm_mmlist(mm: Mm): number {
  return mm + mm$mmlist_next
}

/**
 * Puts `mm` on mmlist behind `head`, an mm's list_head or init_mm's, unless it is there already: looked at without the
 * lock, then again under it. Counts in `retry` (a RETRY_ constant) that another CPU was first. Under the lock of the
 * entry's table.
 */
export function mmlist_add(mm: Mm, head: number, retry: number): void {
  const entry = mm_mmlist(mm)
  if (!list_empty(entry)) return
  spin_lock(mmlist_lock)
  if (list_empty(entry)) {
    list_add(entry, head)
    count_vm_event(MMLIST_ADDED)
  } else count_vm_event(retry)
  spin_unlock(mmlist_lock)
}

/**
 * An mm without users leaves mmlist (__mmput). Linux asks list_empty, so that drain_mmlist may still write to an mm
 * that is freed; here the two are careful of one another.
 */
export function mmlist_del(mm: Mm): void {
  const entry = mm_mmlist(mm)
  if (list_empty_careful(entry)) return
  spin_lock(mmlist_lock)
  // drain_mmlist may have been first.
  if (!list_empty(entry)) {
    list_del_init(entry)
    count_vm_event(MMLIST_REMOVED)
  }
  spin_unlock(mmlist_lock)
  smp_wake(entry)
}

/**
 * Waits until `mm`, which has no users any more and which the caller has a reference of, has left mmlist: then it has
 * no entries.
 */
export function mmlist_wait(mm: Mm): void {
  const entry = mm_mmlist(mm)
  for (let next = atomic_load(entry); next !== entry;) next = smp_cond_load(entry, next)
}

/** Takes every mm off mmlist: no device has a slot in use (drain_mmlist). */
export function drain_mmlist(): void {
  spin_lock(mmlist_lock)
  while (!list_empty(init_mm_mmlist)) {
    const entry = list_next(init_mm_mmlist)
    list_del_init_careful(entry)
    smp_wake(entry)
    count_vm_event(MMLIST_REMOVED)
  }
  spin_unlock(mmlist_lock)
}
