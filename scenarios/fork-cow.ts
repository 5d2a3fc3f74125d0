/**
 * A process forks while its threads write the same few pages. A thread whose TLB has forgotten a page faults on what
 * fork has write-protected already, another still writes through the translation that fork has not flushed yet: no
 * write may be lost between the two.
 *
 * @form cpus=2 operations=2 pages=3
 * @form cpus=2 operations=2 pages=3 VMA_LOCK=y
 * @reaches copy_page_range, do_wp_page, wp_page_copy
 * @expects forks in 2
 * @expects cow_copies in 4
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
  TLB_ENTRIES,
} from 'mmtorture/kernel'

const PAGES = 4
const WORDS = 15
/** Page tables behind the one of these pages: fork copies them before it flushes. */
const TABLES = 8
/** Times that a thread reads and writes in a turn. */
const WRITES = 16

// Programs.
const FORKER = 0
const WRITER = 1
const FORGETFUL = 2
const CHILD = 3

// Registers.
const BASE = 0
const WORD = 1
const LIVE = 2

export function setup(): number {
  const length = pages(PAGES) + Math.max(TABLES * PTRS_PER_PTE, TLB_ENTRIES)
  const base = sys_mmap(0, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (base < 0) return base
  const ret = oracle_window(base, length, WORDS, 1)
  if (ret < 0) return ret
  for (let page = base; page < base + length; page += PTRS_PER_PTE) oracle_store(page, 0)
  set_reg(BASE, base)
  for (let thread = 1; thread < nr_cpus(); thread++) {
    set_reg(WORD, thread)
    const pid = sys_clone_thread(thread % 2 === 1 ? WRITER : FORGETFUL)
    if (pid < 0) return pid
  }
  return 0
}

/** One child at a time. */
function fork_or_wait(): void {
  if (get_reg(LIVE) === 0) {
    if (sys_fork(CHILD) > 0) set_reg(LIVE, 1)
  } else if (sys_wait() > 0) set_reg(LIVE, 0)
}

/**
 * Reads what it wrote to the page before, and writes again. Threads beyond the words that the oracle watches only read.
 */
function write_page(page: number, word: number): void {
  oracle_load(page, word % WORDS)
  if (word < WORDS) oracle_store(page, word)
}

/** The same by a thread whose TLB has forgotten the page, since it had to hold another in that place. */
function write_forgotten_page(page: number, word: number): void {
  oracle_load(page + TLB_ENTRIES, word % WORDS)
  write_page(page, word)
}

/** Writes the pages again and again. */
function write_pages(base: number, word: number): void {
  for (let i = 0; i < WRITES; i++) {
    const page = base + prandom(pages(PAGES))
    if (task_program() === WRITER) write_page(page, word)
    else write_forgotten_page(page, word)
  }
}

export function program(): void {
  if (task_program() === CHILD) {
    sys_exit()
    return
  }
  if (last_turn()) return
  if (task_program() === FORKER) fork_or_wait()
  else write_pages(get_reg(BASE), get_reg(WORD))
}
