/**
 * Many processes that share a large region by fork break it up at once, two threads each on the same pages.
 * The parent writes too. Copies meet copies: the loser of two threads must find the PTE changed, the last owner of a
 * page may reuse it.
 *
 * @form cpus=2 operations=4 pages=2
 * @form cpus=2 operations=4 pages=2 COW_REUSE=refcount
 * @reaches copy_page_range, do_wp_page, wp_page_copy, exit_mmap
 * @expects forks, cow_copies in 2
 */
import {
  get_reg,
  last_turn,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  nr_cpus,
  oracle_load,
  oracle_store,
  oracle_window,
  pages,
  prandom,
  PROT_READ,
  PROT_WRITE,
  set_reg,
  sys_clone_thread,
  sys_exit,
  sys_fork,
  sys_mmap,
  sys_wait,
  task_program,
} from 'mmtorture/kernel'

const PAGES = 256
const WORDS = 2
const BATCH = 8

// Programs: the parent, and the two threads of each child.
const PARENT = 0
const FIRST = 1
const SECOND = 2

// Registers.
const BASE = 0
const PAGE = 1
const LIVE = 2
const STARTED = 3

export function setup(): number {
  const base = sys_mmap(0, pages(PAGES), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (base < 0) return base
  const ret = oracle_window(base, pages(PAGES), WORDS, 0)
  if (ret < 0) return ret
  set_reg(BASE, base)
  return 0
}

/** Writes the next pages; returns whether all are written. */
function walk(base: number, word: number): boolean {
  const page = get_reg(PAGE)
  const end = Math.min(pages(PAGES), page + BATCH)
  for (let i = page; i < end; i++) {
    if (prandom(8) === 0) oracle_load(base + i, 1 - word)
    oracle_store(base + i, word)
    oracle_load(base + i, word)
  }
  set_reg(PAGE, end)
  return end === pages(PAGES)
}

/** Forks a child for every other CPU, writes all pages beside them, and waits for them. */
function parent(base: number): void {
  if (get_reg(LIVE) === 0 && last_turn()) return
  if (get_reg(STARTED) === 0) {
    set_reg(STARTED, 1)
    set_reg(PAGE, 0)
    for (let i = 0; i < nr_cpus(); i += 2) if (sys_fork(FIRST) > 0) set_reg(LIVE, get_reg(LIVE) + 1)
    return
  }
  if (get_reg(PAGE) < pages(PAGES)) {
    walk(base, 0)
    return
  }
  if (get_reg(LIVE) > 0) {
    if (sys_wait() > 0) set_reg(LIVE, get_reg(LIVE) - 1)
    return
  }
  set_reg(STARTED, 0)
}

function first_thread(base: number): void {
  if (get_reg(STARTED) === 1) {
    set_reg(STARTED, 2)
    sys_clone_thread(SECOND)
  }
  if (walk(base, 0)) sys_exit()
}

export function program(): void {
  const base = get_reg(BASE)
  switch (task_program()) {
    case PARENT:
      parent(base)
      return
    case FIRST:
      first_thread(base)
      return
    default:
      if (walk(base, 1)) sys_exit()
  }
}
