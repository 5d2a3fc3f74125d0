/**
 * Threads of one process write and read the same few pages while one of them has the pages moved to other frames. A
 * fault that meets a page on its way waits until it has arrived, if it still is on its way.
 *
 * @config SWAP=y
 * @form cpus=2 operations=3 pages=2
 * @reaches try_to_migrate, remove_migration_ptes, migration_entry_wait
 * @expects pgmigrate_success in 2
 */
import {
  get_reg,
  last_turn,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  oracle_load,
  oracle_store,
  oracle_window,
  pages,
  PROT_READ,
  PROT_WRITE,
  set_reg,
  sys_mmap,
  sys_move_pages,
} from 'mmtorture/kernel'
import { start_threads } from './common/swapped_area.ts'

const PAGES = 4
/** Words of a page, one a thread but the migrator. */
const WORDS = 8

// Registers: the area; a task's number, 0 being the migrator; the page that comes next.
const BASE = 0
const THREAD = 1
const NEXT = 2

export function setup(): number {
  const base = sys_mmap(0, pages(PAGES), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (base < 0) return base
  const ret = oracle_window(base, pages(PAGES), WORDS, 0)
  if (ret < 0) return ret
  for (let i = 0; i < pages(PAGES); i++) oracle_store(base + i, 0)
  set_reg(BASE, base)
  return start_threads(0, THREAD)
}

/** Threads for which no word is left load those of others. */
function access(page: number, thread: number): void {
  if (thread < WORDS) oracle_store(page, thread)
  oracle_load(page, thread % WORDS)
}

export function program(): void {
  if (last_turn()) return
  const next = get_reg(NEXT)
  set_reg(NEXT, (next + 1) % pages(PAGES))
  const page = get_reg(BASE) + next
  if (get_reg(THREAD) === 0) sys_move_pages(page)
  else access(page, get_reg(THREAD))
}
