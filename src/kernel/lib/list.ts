/**
 * Doubly linked circular lists (include/linux/list.h, 6.1). A list_head is two words, next and prev; an empty one leads
 * to itself. Whether an entry is on a list may be asked without the list's lock (list_empty), so what leads on from it
 * is written marked.
 */
import { load, READ_ONCE, store, WRITE_ONCE } from '../arch/access.ts'
import { smp_load_acquire, smp_store_release } from '../arch/barrier.ts'

const list_head$prev = 1

export function INIT_LIST_HEAD(list: number): void {
  WRITE_ONCE(list, list)
  store(list + list_head$prev, list)
}

/** Whether a list has no entries, or an entry is on no list. */
export function list_empty(list: number): boolean {
  return READ_ONCE(list) === list
}

/** The entry after `entry`; the head after the last one. */
export function list_next(entry: number): number {
  return load(entry)
}

/** The last entry of a list; the head itself if there is none. */
export function list_last(head: number): number {
  return load(head + list_head$prev)
}

/** Puts `entry`, which is on no list, right behind `head`. */
export function list_add(entry: number, head: number): void {
  const next = load(head)
  store(next + list_head$prev, entry)
  WRITE_ONCE(entry, next)
  store(entry + list_head$prev, head)
  WRITE_ONCE(head, entry)
}

/** Takes `entry` off its list; its own words stay as they are. */
export function list_del(entry: number): void {
  const next = load(entry)
  const prev = load(entry + list_head$prev)
  store(next + list_head$prev, prev)
  WRITE_ONCE(prev, next)
}

/** Takes `entry` off its list; it is on none then. */
export function list_del_init(entry: number): void {
  list_del(entry)
  INIT_LIST_HEAD(entry)
}

/** list_del_init for whoever may find by list_empty_careful, without the lock, that `entry` is on no list any more. */
export function list_del_init_careful(entry: number): void {
  list_del(entry)
  store(entry + list_head$prev, entry)
  smp_store_release(entry, entry)
}

/** Whether `entry` is on no list, and all that list_del_init_careful did to it is done. */
export function list_empty_careful(entry: number): boolean {
  return smp_load_acquire(entry) === entry
}
