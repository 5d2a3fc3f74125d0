/**
 * One thread forks, and again, while its siblings migrate the pages that it copies. A walk over the reverse map comes
 * to the parent first: what it has changed there by then is what fork copies.
 *
 * @config SWAP=y
 * @form cpus=2 operations=3 pages=2
 * @reaches copy_page_range, try_to_migrate, remove_migration_ptes
 * @expects forks, pgmigrate_success in 4
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
  sys_exit,
  sys_fork,
  sys_mmap,
  sys_move_pages,
  sys_wait,
  task_program,
} from 'mmtorture/kernel'
import { start_threads } from './common/swapped_area.ts'

const PAGES = 8

// Programs.
const FORKER = 0
const MIGRATOR = 1
const CHILD = 2

// Registers: the area; a migrator's number and then what it migrates next, or whether the forker has a child.
const BASE = 0
const NEXT = 1

export function setup(): number {
  const base = sys_mmap(0, pages(PAGES), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (base < 0) return base
  const ret = oracle_window(base, pages(PAGES), 1, 0)
  if (ret < 0) return ret
  for (let i = 0; i < pages(PAGES); i++) oracle_store(base + i, 0)
  set_reg(BASE, base)
  return start_threads(MIGRATOR, NEXT)
}

function forker(): void {
  if (get_reg(NEXT) === 0) set_reg(NEXT, sys_fork(CHILD) > 0 ? 1 : 0)
  else if (sys_wait() !== 0) set_reg(NEXT, 0)
}

function migrator(base: number): void {
  const page = get_reg(NEXT) % pages(PAGES)
  set_reg(NEXT, page + 1)
  sys_move_pages(base + page)
}

/** Reads what it has inherited. */
function child(base: number): void {
  for (let i = 0; i < pages(PAGES); i++) oracle_load(base + i, 0)
  sys_exit()
}

export function program(): void {
  const base = get_reg(BASE)
  if (task_program() === CHILD) {
    child(base)
    return
  }
  if (last_turn()) return
  if (task_program() === FORKER) forker()
  else migrator(base)
}
