/**
 * A process forks again and again while its threads fault and zap entries of the one table that fork copies, each its
 * own or its neighbour's. The child breaks up what it shares with them, in a table of its own, and ends.
 *
 * @form cpus=2 operations=3 pages=2
 * @form cpus=3 operations=2 pages=2 VMA_LOCK=y
 * @reaches copy_page_range, do_anonymous_page, wp_page_copy, zap_pte_range, exit_mmap
 * @expects forks in 2
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
  sys_exit,
  sys_fork,
  sys_madvise,
  sys_mmap,
  sys_wait,
  task_program,
  user_load,
  user_signal,
  user_store,
} from 'mmtorture/kernel'

/** Entries that are touched, one a thread; further threads share them. */
const PAGES = 32
/** The area: one page table, which nothing else is in. */
const BASE = 4 * PTRS_PER_PTE

// Programs.
const FORKER = 0
const TOUCHER = 1
const CHILD = 2

// Registers: a toucher's entry; whether the forker has a child.
const ENTRY = 0
const LIVE = 1

export function setup(): number {
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED
  const base = sys_mmap(BASE, PTRS_PER_PTE, PROT_READ | PROT_WRITE, flags, 0, 0)
  if (base < 0) return base
  const entries = Math.min(pages(PAGES), PTRS_PER_PTE)
  for (let thread = 1; thread < nr_cpus(); thread++) {
    set_reg(ENTRY, thread % entries)
    const pid = sys_clone_thread(TOUCHER)
    if (pid < 0) return pid
  }
  set_reg(ENTRY, 0)
  return 0
}

function forker(): void {
  if (get_reg(LIVE) === 0) {
    if (sys_fork(CHILD) > 0) set_reg(LIVE, 1)
  } else if (sys_wait() > 0) set_reg(LIVE, 0)
}

/** Nobody stores anything else in a page than its number. */
function check(page: number): void {
  const got = user_load(page, 0)
  BUG_ON(user_signal() === 0 && got !== 0 && got !== page)
}

/** Stores to an entry, or discards it. */
function touch(page: number): void {
  if (prandom(3) === 2) sys_madvise(page, 1, MADV_DONTNEED)
  else user_store(page, 0, page)
  check(page)
}

/** Looks at what it inherited, then writes all of it. */
function child(): void {
  for (let entry = 0; entry < Math.min(pages(PAGES), PTRS_PER_PTE); entry++) {
    check(BASE + entry)
    user_store(BASE + entry, 0, BASE + entry)
  }
  sys_exit()
}

export function program(): void {
  if (task_program() === CHILD) {
    child()
    return
  }
  // Who has a child waits for it, so that it ends.
  if (get_reg(LIVE) === 0 && last_turn()) return
  if (task_program() === FORKER) forker()
  else touch(BASE + ((get_reg(ENTRY) + prandom(2)) % Math.min(pages(PAGES), PTRS_PER_PTE)))
}
