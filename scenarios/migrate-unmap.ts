/**
 * A process maps, unmaps and forks while others of its threads have its pages moved to other frames and fault on them:
 * a fault waits for a migration entry, and an entry may be unmapped, or its process end, before the page has arrived.
 *
 * @config SWAP=y
 * @form cpus=3 operations=4 pages=2
 * @reaches migrate_page_of, try_to_migrate, remove_migration_ptes, migration_entry_wait, zap_pte_range, exit_mmap
 * @expects pgmigrate_success in 2
 */
import {
  BUG_ON,
  get_reg,
  last_turn,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  pages,
  prandom,
  PROT_READ,
  PROT_WRITE,
  PTRS_PER_PTE,
  set_reg,
  sys_exit,
  sys_fork,
  sys_mmap,
  sys_move_pages,
  sys_munmap,
  sys_wait,
  task_program,
  user_load,
  user_signal,
  user_store,
} from 'mmtorture/kernel'
import { start_threads } from './common/swapped_area.ts'

const PAGES = 8
/** The area, in a table of its own: a forking process finds it where it was. */
const AREA = 4 * PTRS_PER_PTE
const WORDS = 8

// Programs.
const MAPPER = 0
const THREAD = 1
const CHILD = 2

// Registers: the thread's number; what the first one does next.
const WORD = 0
const NEXT = 1

function map_area(): number {
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED
  const at = sys_mmap(AREA, pages(PAGES), PROT_READ | PROT_WRITE, flags, 0, 0)
  if (at < 0) return at
  for (let page = AREA; page < AREA + pages(PAGES); page++) user_store(page, 0, page)
  return 0
}

export function setup(): number {
  const at = map_area()
  if (at < 0) return at
  return start_threads(THREAD, WORD)
}

/** Forks; unmaps half of the pages; waits; maps them anew: a turn each. */
function mapper(): void {
  const next = get_reg(NEXT)
  set_reg(NEXT, (next + 1) & 3)
  switch (next) {
    case 0:
      sys_fork(CHILD)
      return
    case 1:
      sys_munmap(AREA + (pages(PAGES) >> 1), PTRS_PER_PTE)
      return
    case 2:
      sys_wait()
      return
    default:
      map_area()
  }
}

/** A page has what was written to it, or is new. */
function look(page: number): void {
  const got = user_load(page, 0)
  BUG_ON(user_signal() === 0 && got !== page && got !== 0)
}

export function program(): void {
  const page = AREA + prandom(pages(PAGES))
  if (task_program() === CHILD) {
    sys_move_pages(page)
    look(page)
    sys_exit()
    return
  }
  if (last_turn()) return
  if (task_program() === MAPPER) {
    mapper()
    return
  }
  const word = get_reg(WORD)
  if (word % 2 === 1) sys_move_pages(page)
  else if (word < WORDS) user_store(page, word, page)
  look(page)
}
