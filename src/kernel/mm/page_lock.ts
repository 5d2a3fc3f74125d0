/**
 * The page lock, PG_locked, and waiting for it (mm/filemap.c, 6.1: folio_lock, folio_wait_bit_common, folio_wake_bit).
 * Waiters sleep on a hashed table of wait queues; PG_waiters says that there may be some, and is read by the same
 * atomic operation that clears PG_locked.
 *
 * A woken CPU competes with newcomers; after PAGE_LOCK_UNFAIRNESS losses it asks for handoff: then the waker sets
 * PG_locked on its behalf. PG_writeback is waited for in the same way. Left out: interruptible waits, the bookmark of
 * long wakes.
 */
import { SWAP } from '#config'
import { atomic_fetch_and, atomic_fetch_or } from '#atomic'
import { load, per_cpu_ptr } from '../arch/access.ts'
import { VM_BUG_ON_PAGE } from '../arch/bug.ts'
import { PAGE_WAIT_TABLE_SIZE } from '../arch/limits.ts'
import { PAGE_WAIT } from '../arch/memory_map.ts'
import { percpu$waiter_next, percpu$waiter_type } from '../arch/percpu.ts'
import {
  page$flags,
  PG_locked,
  PG_reclaim,
  PG_waiters,
  PG_writeback,
  wait_queue_head$head,
  wait_queue_head$lock,
  WAIT_QUEUE_HEAD_WORDS,
  type Page,
  type Spinlock,
  type WaitQueueHead,
} from '../arch/structs.ts'
import { LOCK_CLASS_folio_wait_table } from '../locking/lock_class.ts'
import {
  spin_lock_irq,
  spin_lock_irqsave,
  spin_unlock_irq,
  spin_unlock_irqrestore,
} from '../locking/spinlock.ts'
import { ClearPageFlag, get_page, PageFlag, PageLocked, put_page } from './mm.ts'
import { folio_rotate_reclaimable } from './swap.ts'
import {
  __add_wait_queue_entry_tail,
  __remove_wait_queue,
  init_waitqueue_head,
  schedule_wait,
  wake_up_cpu,
} from '../locking/wait.ts'

/** sysctl_page_lock_unfairness. */
const PAGE_LOCK_UNFAIRNESS = 5

// A waiter's key: the page (a multiple of 16), what it waits for and how.
const WAIT_SHARED = 0
/** Wants the lock: woken one at a time, then tries. */
const WAIT_EXCLUSIVE = 1
/** Wants the lock from the waker's hand. */
const WAIT_HANDOFF = 2
/** Waits for the end of writeback. */
const WAIT_WRITEBACK = 3
const WAIT_MODE_MASK = 15

/** Boot: empties the page wait table. */
export function pagecache_init(): void {
  for (let i = 0; i < PAGE_WAIT_TABLE_SIZE; i++)
    init_waitqueue_head((PAGE_WAIT + i * WAIT_QUEUE_HEAD_WORDS) as WaitQueueHead, LOCK_CLASS_folio_wait_table)
}

function page_waitqueue(page: Page): WaitQueueHead {
  const hash = (Math.imul(page >>> 4, 0x61c88647) >>> 16) & (PAGE_WAIT_TABLE_SIZE - 1)
  return (PAGE_WAIT + hash * WAIT_QUEUE_HEAD_WORDS) as WaitQueueHead
}

export function trylock_page(page: Page): boolean {
  return (atomic_fetch_or(page + page$flags, PG_locked) & PG_locked) === 0
}

/** Locks `page`; sleeps until it is free. The caller holds a reference, and no spinlock. */
export function lock_page(page: Page): void {
  if (!trylock_page(page)) __lock_page(page)
}

function __lock_page(page: Page): void {
  for (let losses = 0; ; losses++) {
    const mode = losses < PAGE_LOCK_UNFAIRNESS ? WAIT_EXCLUSIVE : WAIT_HANDOFF
    if (!wait_on_page(page, mode)) return
    if (mode === WAIT_HANDOFF || trylock_page(page)) return
  }
}

/** Waits until `page` is not locked at some moment, without locking it. */
export function wait_on_page_locked(page: Page): void {
  if (PageLocked(page)) wait_on_page(page, WAIT_SHARED)
}

/** Waits until `page`, of which the caller has a reference, is not being written at some moment. */
export function wait_on_page_writeback(page: Page): void {
  while (PageFlag(page, PG_writeback)) wait_on_page(page, WAIT_WRITEBACK)
}

/**
 * Queues this CPU for `page` and sleeps until it is woken; returns false if there was nothing to wait for: the page was
 * found as wished, and has been locked for this CPU if it wants that.
 */
function wait_on_page(page: Page, mode: number): boolean {
  const waits = queue_for_page(page, mode)
  if (waits) schedule_wait()
  return waits
}

/** Queues this CPU for `page`; returns false if there is nothing to wait for. */
function queue_for_page(page: Page, mode: number): boolean {
  const wq = page_waitqueue(page)
  const lock = (wq + wait_queue_head$lock) as Spinlock
  spin_lock_irq(lock)
  // PG_waiters first: an unlock that clears PG_locked after the look below sees it and comes for the queue's lock.
  const flags = atomic_fetch_or(page + page$flags, PG_waiters)
  const locks = mode === WAIT_EXCLUSIVE || mode === WAIT_HANDOFF
  const free = locks
    ? trylock_page(page)
    : !PageFlag(page, mode === WAIT_WRITEBACK ? PG_writeback : PG_locked)
  if (!free) __add_wait_queue_entry_tail(wq, page + mode)
  // No unlock will follow that could clear it.
  else if (!locks && (flags & PG_waiters) === 0) atomic_fetch_and(page + page$flags, ~PG_waiters)
  spin_unlock_irq(lock)
  return !free
}

/**
 * Queues this CPU, before it drops the lock of the entry's table, for a page that a migration entry there keeps locked:
 * that keeps the page, too, so that no reference is needed (migration_entry_wait_on_locked). Returns whether it must
 * sleep (migration_entry_sleep) once the table is unlocked.
 */
export function migration_entry_queue(page: Page): boolean {
  return queue_for_page(page, WAIT_SHARED)
}

/** Sleeps until the page that migration_entry_queue named is unlocked. It may be gone by then. */
export function migration_entry_sleep(): void {
  schedule_wait()
}

export function unlock_page(page: Page): void {
  const flags = atomic_fetch_and(page + page$flags, ~PG_locked)
  VM_BUG_ON_PAGE((flags & PG_locked) === 0, page)
  if ((flags & PG_waiters) !== 0) folio_wake_bit(page, PG_locked)
}

/**
 * The page has been written. Whoever waits for that may free it, so it is held until they have been woken. One that
 * reclaim wants goes to the tail of its list.
 */
export function end_page_writeback(page: Page): void {
  if (SWAP && PageFlag(page, PG_reclaim)) {
    ClearPageFlag(page, PG_reclaim)
    folio_rotate_reclaimable(page)
  }
  get_page(page)
  const flags = atomic_fetch_and(page + page$flags, ~PG_writeback)
  VM_BUG_ON_PAGE((flags & PG_writeback) === 0, page)
  if ((flags & PG_waiters) !== 0) folio_wake_bit(page, PG_writeback)
  put_page(page)
}

/** Wakes those who wait for `bit` of `page`; of those who want its lock, the first. */
function folio_wake_bit(page: Page, bit: number): void {
  const wq = page_waitqueue(page)
  const lock = (wq + wait_queue_head$lock) as Spinlock
  const flags = spin_lock_irqsave(lock)
  let prev = 0
  let taken = false
  let waiters = false
  let others = false
  let cpu = load(wq + wait_queue_head$head)
  while (cpu !== 0) {
    const next = load(per_cpu_ptr(percpu$waiter_next, cpu - 1))
    const key = load(per_cpu_ptr(percpu$waiter_type, cpu - 1))
    const mode = key & WAIT_MODE_MASK
    if (key - mode === page && (mode === WAIT_WRITEBACK) !== (bit === PG_writeback)) {
      // Waits for the other bit.
      others = true
      prev = cpu
    } else if (key - mode === page) {
      // If a newcomer has the lock again, its unlock will find PG_waiters.
      if (mode === WAIT_EXCLUSIVE) taken = taken || PageLocked(page)
      else if (mode === WAIT_HANDOFF) taken = taken || !trylock_page(page)
      if (taken) waiters = true
      else {
        __remove_wait_queue(wq, prev, cpu)
        wake_up_cpu(cpu - 1)
        taken = mode === WAIT_EXCLUSIVE || mode === WAIT_HANDOFF
      }
    }
    if (key - mode !== page || waiters) prev = cpu
    cpu = next
  }
  if (!waiters && !others) atomic_fetch_and(page + page$flags, ~PG_waiters)
  spin_unlock_irqrestore(lock, flags)
}
