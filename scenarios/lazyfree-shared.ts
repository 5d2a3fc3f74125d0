/**
 * A process brings swapped pages back, forks and gives them up with MADV_FREE while its child still reads them. Their
 * entries are clean: that the pages themselves are dirty is all that says so, and it is not the parent's to forget.
 *
 * @config SWAP=y
 * @form cpus=2 operations=3 pages=2
 * @reaches copy_page_range, do_swap_page, madvise_free_pte_range
 * @expects forks in 2
 */
import {
  get_reg,
  last_turn,
  MADV_FREE,
  MADV_PAGEOUT,
  oracle_discard,
  oracle_load,
  oracle_store,
  pages,
  set_reg,
  sys_exit,
  sys_fork,
  sys_madvise,
  sys_memory_reclaim,
  sys_wait,
  task_program,
} from 'mmtorture/kernel'
import { start_threads, swapped_area } from './common/swapped_area.ts'

const PAGES = 8

// Programs.
const PARENT = 0
const RECLAIMER = 1
const CHILD = 2

/** Turns of a child: it reads in each. */
const CHILD_TURNS = 4

// Registers: the area; what the parent does next, or how many turns the child has had; a thread's number.
const BASE = 0
const STEP = 1
const THREAD = 2

export function setup(): number {
  const base = swapped_area(pages(PAGES), 1, pages(PAGES) * 4, 0)
  if (base < 0) return base
  set_reg(BASE, base)
  return start_threads(RECLAIMER, THREAD)
}

function load_all(base: number): void {
  for (let i = 0; i < pages(PAGES); i++) oracle_load(base + i, 0)
}

/** Clean entries of pages that came from swap, for both. */
function share(base: number): void {
  load_all(base)
  set_reg(STEP, 0)
  set_reg(STEP, sys_fork(CHILD) > 0 ? 1 : 2)
}

/** Gives the pages up, which the child has, too, and sees to it that they are looked at. They may stay all the same. */
function give_up(base: number): void {
  oracle_discard(base, pages(PAGES))
  sys_madvise(base, pages(PAGES), MADV_FREE)
  sys_memory_reclaim(pages(PAGES))
  set_reg(STEP, 2)
}

/** Once the child has ended, the pages are written anew and go to swap again. */
function renew(base: number): void {
  // 0: the child is still there, and this task about to sleep.
  if (sys_wait() === 0) return
  for (let i = 0; i < pages(PAGES); i++) oracle_store(base + i, 0)
  sys_madvise(base, pages(PAGES), MADV_PAGEOUT)
  set_reg(STEP, 0)
}

function parent(base: number): void {
  const step = get_reg(STEP)
  if (step === 0) share(base)
  else if (step === 1) give_up(base)
  else renew(base)
}

function child(base: number): void {
  const turn = get_reg(STEP)
  set_reg(STEP, turn + 1)
  if (turn === CHILD_TURNS) sys_exit()
  else load_all(base)
}

export function program(): void {
  const base = get_reg(BASE)
  if (task_program() === CHILD) {
    child(base)
    return
  }
  if (last_turn()) return
  if (task_program() === PARENT) parent(base)
  else sys_memory_reclaim(pages(PAGES))
}
