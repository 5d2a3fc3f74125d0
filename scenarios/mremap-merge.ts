/**
 * One thread moves the second half of an area away and back again, where it becomes part of the first half's VMA, while
 * its siblings migrate its pages. A walk over the reverse map then looks at the new place before the old: what moves
 * meanwhile would be found at neither.
 *
 * @config SWAP=y
 * @form cpus=2 operations=3 pages=2
 * @reaches take_rmap_locks, move_page_tables, vma_merge, try_to_migrate, remove_migration_ptes
 * @expects pgmigrate_success in 4
 */
import {
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

/** Pages that move. */
const PAGES = 8
/** The page that stays, in front of those that move; their other place, in a table of its own. */
const HOME = 4 * PTRS_PER_PTE
const MOVING = HOME + 1
const PLACE = 4 * PTRS_PER_PTE

// Programs.
const MOVER = 0
const MIGRATOR = 1

// Registers: whether the pages lie at the second place; the page that is migrated next.
const MOVED = 0
const AT = 0

export function setup(): number {
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED
  const base = sys_mmap(HOME, 1 + pages(PAGES), PROT_READ | PROT_WRITE, flags, 0, 0)
  if (base < 0) return base
  const ret = oracle_window(HOME, 1 + pages(PAGES), 1, 0)
  if (ret < 0) return ret
  for (let i = 0; i <= pages(PAGES); i++) oracle_store(HOME + i, 0)
  if (move(1) < 0) return -1
  set_reg(MOVED, 1)
  for (let thread = 1; thread < nr_cpus(); thread++) {
    const pid = sys_clone_thread(MIGRATOR)
    if (pid < 0) return pid
  }
  return 0
}

/** Moves the pages to the second place, or back. Returns a negative error, if any. */
function move(away: number): number {
  const from = MOVING + (1 - away) * PLACE
  const to = MOVING + away * PLACE
  return sys_mremap(from, pages(PAGES), pages(PAGES), MREMAP_MAYMOVE | MREMAP_FIXED, to)
}

function mover(): void {
  const away = 1 - get_reg(MOVED)
  if (move(away) >= 0) set_reg(MOVED, away)
}

/** Has a page moved to another frame, and reads it where it lies. */
function migrate(): void {
  const page = get_reg(AT) % pages(PAGES)
  set_reg(AT, page + 1)
  if (sys_move_pages(MOVING + PLACE + page) < 0) sys_move_pages(MOVING + page)
  oracle_load_as(MOVING + page, MOVING + PLACE + page, 0)
  if (user_signal() !== 0) oracle_load_as(MOVING + page, MOVING + page, 0)
}

export function program(): void {
  if (last_turn()) return
  if (task_program() === MOVER) mover()
  else migrate()
}
