/**
 * A thread moves an area with mremap while others, who have its pages in their TLBs, have them migrated to other
 * frames. A page is found by its reverse map where it lies now, and is taken away there: no translation of its old
 * place may be left.
 *
 * @config SWAP=y
 * @form cpus=3 operations=3 pages=1
 * @reaches move_ptes, try_to_migrate, remove_migration_ptes, migration_entry_wait
 * @expects pgmigrate_success in 2
 */
import {
  BUG_ON,
  get_reg,
  last_turn,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  nr_cpus,
  oracle_load_as,
  oracle_store,
  oracle_window,
  pages,
  prandom,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
  PTRS_PER_PTE,
  set_reg,
  sys_clone_thread,
  sys_mmap,
  sys_move_pages,
  sys_mremap,
  task_program,
  user_signal,
} from 'mmtorture/kernel'

const PAGES = 8
/** The area's two places: tables of their own. */
const HOME = 4 * PTRS_PER_PTE
const PLACE = 2 * PTRS_PER_PTE

// Programs.
const MOVER = 0
const MIGRATOR = 1

// Registers: whether the area lies at the second place.
const MOVED = 0

export function setup(): number {
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED
  const reserved = sys_mmap(HOME, PLACE + pages(PAGES), PROT_NONE, flags, 0, 0)
  if (reserved < 0) return reserved
  const base = sys_mmap(HOME, pages(PAGES), PROT_READ | PROT_WRITE, flags, 0, 0)
  if (base < 0) return base
  const ret = oracle_window(HOME, pages(PAGES), 1, 0)
  if (ret < 0) return ret
  for (let i = 0; i < pages(PAGES); i++) oracle_store(HOME + i, 0)
  for (let thread = 1; thread < nr_cpus(); thread++) {
    const pid = sys_clone_thread(MIGRATOR)
    if (pid < 0) return pid
  }
  return 0
}

/** To the other place and, the next time, back. */
function move_area(): void {
  const moved = get_reg(MOVED)
  const from = HOME + moved * PLACE
  const to = HOME + (1 - moved) * PLACE
  const at = sys_mremap(from, pages(PAGES), pages(PAGES), MREMAP_MAYMOVE | MREMAP_FIXED, to)
  if (at < 0) return
  BUG_ON(at !== to)
  set_reg(MOVED, 1 - moved)
}

/** Reads a page where it lies, so that this CPU's TLB has it, and has it moved to another frame. */
function migrate(): void {
  const page = HOME + prandom(pages(PAGES))
  let at = page
  oracle_load_as(page, at, 0)
  if (user_signal() !== 0) {
    at += PLACE
    oracle_load_as(page, at, 0)
  }
  sys_move_pages(at)
}

export function program(): void {
  if (last_turn()) return
  if (task_program() === MOVER) move_area()
  else migrate()
}
