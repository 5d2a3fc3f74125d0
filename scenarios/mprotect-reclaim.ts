/**
 * A thread takes the right to write pages away and gives it back while its siblings reclaim them. Reclaim flushes TLBs
 * late: when mprotect returns, no TLB may let anybody do what it forbids, whoever took the page away.
 *
 * @config SWAP=y
 * @form cpus=2 operations=1 pages=2
 * @reaches change_pte_range, try_to_unmap, shrink_page_list
 */
import {
  BUG_ON,
  get_reg,
  last_turn,
  MADV_DONTNEED,
  oracle_load,
  pages,
  PROT_READ,
  PROT_WRITE,
  set_reg,
  sys_madvise,
  sys_memory_reclaim,
  sys_mprotect,
  task_program,
  user_store,
} from 'mmtorture/kernel'
import { start_threads, swapped_area } from './common/swapped_area.ts'

const PAGES = 4

// Programs.
const PROTECTOR = 0
const RECLAIMER = 1

// Registers: the area; a thread's number.
const BASE = 0
const THREAD = 1

export function setup(): number {
  // One page more, for other uses.
  const base = swapped_area(pages(PAGES) + 1, 1, pages(PAGES) * 4, 0)
  if (base < 0) return base
  set_reg(BASE, base)
  use(base)
  return start_threads(RECLAIMER, THREAD)
}

/** This CPU's TLB has the pages, they are on a list, and reclaim has time to find them. */
function use(base: number): void {
  for (let i = 0; i < pages(PAGES); i++) oracle_load(base + i, 0)
  for (let i = 0; i < 2; i++) {
    user_store(base + pages(PAGES), 0, 1)
    BUG_ON(sys_madvise(base + pages(PAGES), 1, MADV_DONTNEED) !== 0)
  }
}

function protect(base: number): void {
  use(base)
  BUG_ON(sys_mprotect(base, pages(PAGES), PROT_READ) !== 0)
  BUG_ON(sys_mprotect(base, pages(PAGES), PROT_READ | PROT_WRITE) !== 0)
}

export function program(): void {
  if (last_turn()) return
  if (task_program() === PROTECTOR) protect(get_reg(BASE))
  else sys_memory_reclaim(pages(PAGES))
}
