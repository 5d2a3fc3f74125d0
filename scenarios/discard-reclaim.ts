/**
 * A thread writes pages and discards them while its siblings reclaim. Reclaim flushes TLBs late, many pages at once:
 * whoever finds a page's entry gone must flush for it, for afterwards a word reads as 0.
 *
 * @config SWAP=y
 */
import {
  BUG_ON,
  get_reg,
  last_turn,
  MADV_DONTNEED,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  oracle_discard,
  oracle_discarded,
  oracle_load,
  oracle_store,
  oracle_window,
  pages,
  PROT_READ,
  PROT_WRITE,
  set_page_cluster,
  set_reg,
  sys_madvise,
  sys_memory_reclaim,
  sys_mmap,
  sys_swapon,
  task_program,
} from 'mmtorture/kernel'
import { start_threads } from './common/swapped_area.ts'

const PAGES = 4

// Programs.
const WRITER = 0
const RECLAIMER = 1

// Registers: the area; a thread's number; whether the pages have been written.
const BASE = 0
const THREAD = 1
const WRITTEN = 2

export function setup(): number {
  const base = sys_mmap(0, pages(PAGES) + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (base < 0) return base
  const ret = oracle_window(base, pages(PAGES), 1, 0)
  if (ret < 0) return ret
  const device = sys_swapon(pages(PAGES) * 4, 0)
  if (device < 0) return device
  set_page_cluster(0)
  set_reg(BASE, base)
  write(base)
  return start_threads(RECLAIMER, THREAD)
}

/** Writes the pages and sees to it that they are on a list, where reclaim finds them. */
function write(base: number): void {
  for (let i = 0; i < pages(PAGES); i++) oracle_store(base + i, 0)
  // Nothing is there; but this CPU's batches are drained.
  BUG_ON(sys_madvise(base + pages(PAGES), 1, MADV_DONTNEED) !== 0)
  set_reg(WRITTEN, 1)
}

/** What was written is gone when the discard returns, though reclaim may have emptied the entry. */
function discard(base: number): void {
  for (let i = 0; i < pages(PAGES); i++) oracle_load(base + i, 0)
  oracle_discard(base, pages(PAGES))
  BUG_ON(sys_madvise(base, pages(PAGES), MADV_DONTNEED) !== 0)
  oracle_discarded(base, pages(PAGES))
  for (let i = 0; i < pages(PAGES); i++) oracle_load(base + i, 0)
  set_reg(WRITTEN, 0)
}

/** Writes in one turn and discards in the next. */
function renew(base: number): void {
  if (get_reg(WRITTEN) === 0) write(base)
  else discard(base)
}

export function program(): void {
  if (last_turn()) return
  const base = get_reg(BASE)
  if (task_program() === WRITER) renew(base)
  else sys_memory_reclaim(1)
}
