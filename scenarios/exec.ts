/**
 * Threads touch memory and move their heap while one of them vforks and forks: the child runs in their address space,
 * or in a copy of it that a thread of its own is in, too, until it executes. Then it fills an empty one and ends. What
 * it leaves goes with whoever leaves it last.
 *
 * @form cpus=2 operations=4 pages=2
 * @reaches sys_vfork, sys_execve, mm_release, exit_mm, do_brk, exit_mmap
 */
import {
  BUG_ON,
  get_reg,
  last_turn,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  pages,
  prandom,
  PROT_READ,
  PROT_WRITE,
  PTRS_PER_PTE,
  set_brk,
  set_reg,
  SIGSEGV,
  sys_brk,
  sys_clone_thread,
  sys_execve,
  sys_exit,
  sys_fork,
  sys_mmap,
  sys_vfork,
  sys_wait,
  task_program,
  user_load,
  user_signal,
  user_store,
} from 'mmtorture/kernel'
import { start_threads } from './common/swapped_area.ts'

const PAGES = 8
/** The heap of each address space, in a table of its own. */
const HEAP = 8 * PTRS_PER_PTE

// Programs. The first task, program 0, has the children.
const TOUCHER = 1
const VFORKED = 2
const FORKED = 3
const SIBLING = 4

// Registers: a mapping of all threads; children that live; whether the next child is forked.
const BASE = 0
const LIVE = 1
const NEXT = 2

export function setup(): number {
  set_brk(HEAP)
  const base = sys_mmap(0, pages(PAGES), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (base < 0) return base
  set_reg(BASE, base)
  return start_threads(TOUCHER, LIVE)
}

/** Waits for the last child; then vforks, and forks the next time. */
function parent(base: number): void {
  if (get_reg(LIVE) > 0) {
    if (sys_wait() > 0) set_reg(LIVE, get_reg(LIVE) - 1)
    return
  }
  user_store(base, 0, 1)
  const forks = get_reg(NEXT)
  set_reg(NEXT, 1 - forks)
  const pid = forks === 1 ? sys_fork(FORKED) : sys_vfork(VFORKED)
  if (pid > 0) set_reg(LIVE, 1)
}

/** Makes the heap larger or smaller, as the other threads do, and touches what may be there. */
function touch(base: number): void {
  sys_brk(HEAP + prandom(pages(PAGES) + 1))
  user_store(HEAP + prandom(pages(PAGES)), 0, 1)
  user_store(base + prandom(pages(PAGES)), 1, 1)
}

/** Begins anew: nothing is left of what the address space had. Ends the task. */
function execute(base: number): void {
  if (sys_execve() === 0) {
    BUG_ON(user_store(base, 0, 1) !== SIGSEGV)
    set_brk(HEAP)
    const end = sys_brk(HEAP + pages(PAGES))
    for (let page = HEAP; page < end; page++) {
      const got = user_load(page, 0)
      BUG_ON(user_signal() === 0 && got !== 0)
      user_store(page, 0, page)
    }
    sys_brk(HEAP)
  }
  sys_exit()
}

export function program(): void {
  const base = get_reg(BASE)
  switch (task_program()) {
    case TOUCHER:
      if (!last_turn()) touch(base)
      return
    case VFORKED:
      user_store(base + prandom(pages(PAGES)), 2, 2)
      execute(base)
      return
    case FORKED:
      sys_clone_thread(SIBLING)
      user_store(base, 0, 3)
      execute(base)
      return
    case SIBLING:
      user_store(base + prandom(pages(PAGES)), 1, 3)
      sys_exit()
      return
    default:
      if (!last_turn()) parent(base)
  }
}
