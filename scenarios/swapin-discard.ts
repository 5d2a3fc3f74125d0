/**
 * A thread discards a page that was swapped out, writes it anew and swaps it out again, while another reads it; what
 * was discarded is reclaimed. A fault that has found the old page in the swap cache may find the entry unchanged and
 * that page in the cache still, for another slot.
 *
 * @config SWAP=y
 * @form cpus=2 operations=2 pages=3
 * @reaches do_swap_page, zap_pte_range, shrink_page_list
 * @expects pswpin, pswpout in 1
 */
import {
  get_reg,
  last_turn,
  MADV_DONTNEED,
  MADV_PAGEOUT,
  nr_cpus,
  oracle_discard,
  oracle_discarded,
  oracle_load,
  oracle_store,
  pages,
  prandom,
  set_page_cluster,
  set_reg,
  sys_clone_thread,
  sys_madvise,
  sys_memory_reclaim,
  task_program,
} from 'mmtorture/kernel'
import { swapped_area } from './common/swapped_area.ts'

const PAGES = 2
/** Slots read at once: 1 << CLUSTER. */
const CLUSTER = 2

// Programs.
const OWNER = 0
const READER = 1

const BASE = 0

export function setup(): number {
  const length = pages(PAGES) + 1
  const base = swapped_area(length, 1, 2 * length, 0)
  if (base < 0) return base
  set_page_cluster(CLUSTER)
  set_reg(BASE, base)
  // Brings the others into the swap cache, too, and on the list of reclaim.
  oracle_load(base + length - 1, 0)
  sys_madvise(base + length - 1, 1, MADV_PAGEOUT)
  for (let cpu = 1; cpu < nr_cpus(); cpu++) {
    const pid = sys_clone_thread(READER)
    if (pid < 0) return pid
  }
  return 0
}

/** Brings the page in, discards and writes it, and swaps it out; reclaims what is left of the old one. */
function renew(page: number): void {
  oracle_load(page, 0)
  oracle_discard(page, 1)
  if (sys_madvise(page, 1, MADV_DONTNEED) === 0) oracle_discarded(page, 1)
  oracle_store(page, 0)
  sys_madvise(page, 1, MADV_PAGEOUT)
  sys_memory_reclaim(2)
}

export function program(): void {
  if (last_turn()) return
  const page = get_reg(BASE) + prandom(pages(PAGES))
  if (task_program() === OWNER) renew(page)
  else oracle_load(page, 0)
}
