/**
 * Processes fork without pause while a thread of theirs writes, and children write what they inherited.
 * Copying of page tables meets faults on the same tables: COW on both sides, broken and restarted copies, exits.
 *
 * @form cpus=2 operations=2 pages=3
 * @form cpus=2 operations=2 pages=3 VMA_LOCK=y
 * @reaches sys_fork, copy_page_range, wp_page_copy, exit_mmap, free_dead_task
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
  PTRS_PER_PTE,
  set_reg,
  sys_clone_thread,
  sys_exit,
  sys_fork,
  sys_mmap,
  sys_wait,
  task_program,
} from 'mmtorture/kernel'

/** Two tables' worth of neighbourhood: the pages lie around the border of two page tables. */
const PAGES = 96
const WORDS = 2
/** Children that a process has at a time, and turns of a child. */
const CHILDREN = 3
const CHILD_TURNS = 6
const BATCH = 8

// Programs.
const FORKER = 0
const WRITER = 1
const CHILD = 2

// Registers.
const BASE = 0
const STARTED = 1
const LEFT = 2
const LIVE = 3

export function setup(): number {
  const area = sys_mmap(
    0,
    PTRS_PER_PTE * 2 + pages(PAGES),
    PROT_READ | PROT_WRITE,
    MAP_PRIVATE | MAP_ANONYMOUS,
    0,
    0,
  )
  if (area < 0) return area
  const border = Math.floor((area + PTRS_PER_PTE + pages(PAGES)) / PTRS_PER_PTE) * PTRS_PER_PTE
  const base = border - (pages(PAGES) >> 1)
  const ret = oracle_window(base, pages(PAGES), WORDS, 0)
  if (ret < 0) return ret
  set_reg(BASE, base)
  // Pairs of a forking and a writing thread, each pair a process.
  for (let cpu = 2; cpu < nr_cpus(); cpu += 2) {
    const pid = sys_fork(FORKER)
    if (pid < 0) return pid
  }
  return 0
}

/** Touches some pages at random: the words of a task's own are written, both are read. */
function touch(base: number, word: number): void {
  for (let i = 0; i < Math.min(BATCH, pages(PAGES)); i++) {
    const page = base + prandom(pages(PAGES))
    if (prandom(4) !== 0) oracle_store(page, word)
    oracle_load(page, prandom(WORDS))
  }
}

function forker(base: number): void {
  if (last_turn()) return
  if (get_reg(STARTED) === 0) {
    set_reg(STARTED, 1)
    sys_clone_thread(WRITER)
  }
  touch(base, 0)
  if (get_reg(LIVE) < CHILDREN) {
    set_reg(LEFT, Math.min(CHILD_TURNS, pages(PAGES)))
    if (sys_fork(CHILD) > 0) set_reg(LIVE, get_reg(LIVE) + 1)
  } else if (sys_wait() > 0) set_reg(LIVE, get_reg(LIVE) - 1)
}

/** The child's mm has no other writer: both words are its own. */
function child(base: number): void {
  const left = get_reg(LEFT) - 1
  set_reg(LEFT, left)
  if (left <= 0) {
    sys_exit()
    return
  }
  touch(base, prandom(WORDS))
}

export function program(): void {
  const base = get_reg(BASE)
  switch (task_program()) {
    case FORKER:
      forker(base)
      return
    case WRITER:
      if (!last_turn()) touch(base, 1)
      return
    default:
      child(base)
  }
}
