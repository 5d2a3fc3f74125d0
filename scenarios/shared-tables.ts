/**
 * Threads and processes write and discard pages that all of them inherited, while one thread has the pages moved to
 * other frames: its walks of the reverse map take the lock of a table of every process, and meet their faults there.
 *
 * @config SWAP=y
 * @form cpus=2 operations=3 pages=2
 * @form cpus=3 operations=3 pages=2
 * @reaches try_to_migrate, remove_migration_ptes, page_vma_mapped_walk, wp_page_copy, zap_pte_range
 * @expects pgmigrate_success in 2
 */
import {
  BUG_ON,
  get_reg,
  last_turn,
  MADV_DONTNEED,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  nr_cpus,
  pages,
  prandom,
  PROT_READ,
  PROT_WRITE,
  PTRS_PER_PTE,
  set_reg,
  sys_clone_thread,
  sys_fork,
  sys_madvise,
  sys_mmap,
  sys_move_pages,
  task_program,
  user_load,
  user_signal,
  user_store,
} from 'mmtorture/kernel'

/** Pages, all in one table of each process. */
const PAGES = 8
/** The area: one page table, which nothing else is in. */
const BASE = 4 * PTRS_PER_PTE

/** The program of all but the mover. */
const WRITER = 1

/** Register of the mover: the entry that comes next. */
const NEXT = 0

function entries(): number {
  return Math.min(pages(PAGES), PTRS_PER_PTE)
}

export function setup(): number {
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED
  const base = sys_mmap(BASE, entries(), PROT_READ | PROT_WRITE, flags, 0, 0)
  if (base < 0) return base
  for (let entry = 0; entry < entries(); entry++) user_store(BASE + entry, 0, BASE + entry)
  for (let cpu = 1; cpu < nr_cpus(); cpu++) {
    const pid = cpu % 2 === 1 ? sys_fork(WRITER) : sys_clone_thread(WRITER)
    if (pid < 0) return pid
  }
  return 0
}

/** Nobody stores anything else in a page than its number. */
function write(page: number): void {
  if (prandom(4) === 3) sys_madvise(page, 1, MADV_DONTNEED)
  else user_store(page, 0, page)
  const got = user_load(page, 0)
  BUG_ON(user_signal() === 0 && got !== 0 && got !== page)
}

export function program(): void {
  if (last_turn()) return
  if (task_program() === WRITER) {
    write(BASE + prandom(entries()))
    return
  }
  const next = get_reg(NEXT)
  set_reg(NEXT, (next + 1) % entries())
  sys_move_pages(BASE + next)
}
