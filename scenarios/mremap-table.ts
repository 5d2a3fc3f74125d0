/**
 * A thread moves the range of a whole page table to and fro with mremap while its siblings write and read at both
 * places, and have their pages moved to other frames: the walks of that meet the move in its tables, whose locks it takes
 * together. What was written before a move is there after it.
 *
 * @config SWAP=y
 * @form cpus=2 operations=3 pages=2
 * @form cpus=2 operations=3 pages=2 VMA_LOCK=y
 * @reaches move_page_tables, move_ptes, copy_vma, free_pgtables, do_anonymous_page, try_to_migrate
 * @expects nr_tlb_remote_flush in 2
 */
import {
  BUG_ON,
  get_reg,
  last_turn,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  nr_cpus,
  pages,
  prandom,
  PROT_READ,
  PROT_WRITE,
  PTRS_PER_PTE,
  set_reg,
  sys_clone_thread,
  sys_mmap,
  sys_move_pages,
  sys_mremap,
  task_program,
  user_load,
  user_signal,
  user_store,
} from 'mmtorture/kernel'

/** Entries that are touched; a thread's word of its entry is its own. */
const PAGES = 8
const WORDS = 16
/** The two places: a page table each, which nothing else is in. */
const HERE = 4 * PTRS_PER_PTE
const THERE = 6 * PTRS_PER_PTE

// Programs.
const MOVER = 0
const TOUCHER = 1

// Registers: a task's number; whether the area lies at the second place; what a toucher stored last.
const THREAD = 0
const MOVED = 1
const LAST = 2

export function setup(): number {
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED
  const base = sys_mmap(HERE, PTRS_PER_PTE, PROT_READ | PROT_WRITE, flags, 0, 0)
  if (base < 0) return base
  for (let thread = 1; thread < nr_cpus(); thread++) {
    set_reg(THREAD, thread - 1)
    const pid = sys_clone_thread(TOUCHER)
    if (pid < 0) return pid
  }
  return 0
}

/** Writes the first page and moves all. */
function move(): void {
  const moved = get_reg(MOVED) !== 0
  const from = moved ? THERE : HERE
  const to = moved ? HERE : THERE
  user_store(from, WORDS - 1, 1)
  const ret = sys_mremap(from, PTRS_PER_PTE, PTRS_PER_PTE, MREMAP_MAYMOVE | MREMAP_FIXED, to)
  if (ret < 0) return
  BUG_ON(ret !== to)
  set_reg(MOVED, moved ? 0 : 1)
}

/** One of the two places. */
function a_place(): number {
  return prandom(2) === 0 ? HERE : THERE
}

/** Stores to its word at one of the places and loads from one; where the area is not, that is a signal. */
function touch(thread: number): void {
  const entries = Math.min(pages(PAGES), PTRS_PER_PTE)
  const entry = thread % entries
  const word = Math.trunc(thread / entries)
  // No word is left for a thread: it reads those of others.
  const mine = word < WORDS - 1
  const value = get_reg(LAST) + 1
  if (mine && user_store(a_place() + entry, word, value) === 0) set_reg(LAST, value)
  if (prandom(2) === 1) sys_move_pages(a_place() + entry)
  const got = user_load(a_place() + entry, word % WORDS)
  BUG_ON(mine && user_signal() === 0 && got !== get_reg(LAST))
}

export function program(): void {
  if (last_turn()) return
  if (task_program() === MOVER) move()
  else touch(get_reg(THREAD))
}
