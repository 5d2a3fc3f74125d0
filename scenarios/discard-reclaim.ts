/**
 * A thread discards pages while its siblings reclaim them. Reclaim flushes TLBs late, many pages at once, those of
 * clean pages at the very end: whoever finds a page's entry gone must flush for it, for afterwards a word reads as 0.
 *
 * @config SWAP=y
 * @form cpus=2 operations=2 pages=3
 * @reaches zap_pte_range, try_to_unmap, shrink_page_list
 * @expects pgscan_direct in 4
 */
import {
  BUG_ON,
  get_reg,
  last_turn,
  MADV_DONTNEED,
  MADV_PAGEOUT,
  oracle_discard,
  oracle_discarded,
  oracle_load,
  oracle_store,
  pages,
  set_reg,
  sys_madvise,
  sys_memory_reclaim,
  task_program,
  user_store,
} from 'mmtorture/kernel'
import { start_threads, swapped_area } from './common/swapped_area.ts'

const PAGES = 4

// Programs.
const DISCARDER = 0
const RECLAIMER = 1

// Registers: the area; a thread's number; whether the pages are there.
const BASE = 0
const THREAD = 1
const THERE = 2

export function setup(): number {
  // One page more, for other uses.
  const base = swapped_area(pages(PAGES) + 1, 1, pages(PAGES) * 4, 0)
  if (base < 0) return base
  set_reg(BASE, base)
  bring_back(base)
  return start_threads(RECLAIMER, THREAD)
}

function load_all(base: number): void {
  for (let i = 0; i < pages(PAGES); i++) oracle_load(base + i, 0)
}

/** Has clean pages, on a list where reclaim finds them. */
function bring_back(base: number): void {
  load_all(base)
  // Nothing is there; but this CPU's batches are drained.
  BUG_ON(sys_madvise(base + pages(PAGES), 1, MADV_DONTNEED) !== 0)
  set_reg(THERE, 1)
}

/** This CPU's TLB has the pages, and reclaim has time to find them. */
function use(base: number): void {
  load_all(base)
  for (let i = 0; i < 2; i++) {
    user_store(base + pages(PAGES), 0, 1)
    sys_madvise(base + pages(PAGES), 1, MADV_DONTNEED)
  }
}

/** What was there is gone when the discard returns, though reclaim may have emptied the entry. */
function discard(base: number): void {
  use(base)
  oracle_discard(base, pages(PAGES))
  BUG_ON(sys_madvise(base, pages(PAGES), MADV_DONTNEED) !== 0)
  oracle_discarded(base, pages(PAGES))
  load_all(base)
  set_reg(THERE, 0)
}

/** New contents, which go to swap and come back. */
function renew(base: number): void {
  for (let i = 0; i < pages(PAGES); i++) oracle_store(base + i, 0)
  sys_madvise(base, pages(PAGES), MADV_PAGEOUT)
  bring_back(base)
}

function work(base: number): void {
  if (get_reg(THERE) === 1) discard(base)
  else renew(base)
}

export function program(): void {
  if (last_turn()) return
  const base = get_reg(BASE)
  if (task_program() === DISCARDER) work(base)
  else sys_memory_reclaim(pages(PAGES))
}
