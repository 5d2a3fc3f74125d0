/**
 * Threads of one process do all that programs do to their memory, in areas of their own that lie side by side: faults,
 * mmap, munmap, mprotect, madvise, fork and mremap, as often as MIX says. By default that is the mean of three recorded
 * programs, Apache with CGI, a JVM and redis (src/kbuild/mix.ts: where the weights come from, and what they count). A
 * hunt, which has few operations, takes each equally often.
 *
 * A fork copies all areas; the child writes the one of the thread that forked, and ends. Read faults are on anonymous
 * memory, and so map the zero page. Left out: threads that come and go, files.
 *
 * @form cpus=2 operations=6 pages=2 MIX=even
 * @form cpus=3 operations=4 pages=3 MIX=even VMA_LOCK=y
 * @reaches do_anonymous_page, wp_page_copy, zap_pte_range, change_pte_range, copy_page_range, move_ptes, free_pgtables
 * @expects forks in 4
 */
import {
  BUG_ON,
  get_reg,
  last_turn,
  MADV_DONTNEED,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  MIX_COW,
  MIX_FORK,
  MIX_MADVISE,
  MIX_MMAP,
  MIX_MPROTECT,
  MIX_MREMAP,
  MIX_MUNMAP,
  MIX_READ,
  MIX_WRITE,
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
  sys_exit,
  sys_fork,
  sys_madvise,
  sys_mmap,
  sys_mprotect,
  sys_mremap,
  sys_munmap,
  sys_wait,
  task_program,
  user_load,
  user_signal,
  user_store,
} from 'mmtorture/kernel'

/** Pages of an area: the recorded programs fault 12 times for each mmap. */
const PAGES = 12
/** Of so many writes to touched pages one is in another thread's area. */
const OWN = 4
/** The first place of the first thread's area; the others lie behind it. */
const FIRST = 4 * PTRS_PER_PTE

// Weights, each with those before it.
const TO_WRITE = MIX_WRITE
const TO_READ = TO_WRITE + MIX_READ
const TO_COW = TO_READ + MIX_COW
const TO_MMAP = TO_COW + MIX_MMAP
const TO_MUNMAP = TO_MMAP + MIX_MUNMAP
const TO_MPROTECT = TO_MUNMAP + MIX_MPROTECT
const TO_MADVISE = TO_MPROTECT + MIX_MADVISE
const TO_FORK = TO_MADVISE + MIX_FORK
const ALL = TO_FORK + MIX_MREMAP

// Programs.
const THREAD_PROGRAM = 0
const CHILD = 1

// Registers: a task's number; whether its area lies at its second place; how many of its pages were touched since they
// were mapped; whether it has a child.
const THREAD = 0
const MOVED = 1
const TOUCHED = 2
const LIVE = 3

/** The first page of one of the two places of a thread's area. */
function place_of(thread: number, moved: number): number {
  return FIRST + (2 * thread + moved) * pages(PAGES)
}

function place(moved: number): number {
  return place_of(get_reg(THREAD), moved)
}

/** Maps the task's area anew, where it lies. Returns its first page or a negative error. */
function map_area(): number {
  set_reg(TOUCHED, 0)
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED
  return sys_mmap(place(get_reg(MOVED)), pages(PAGES), PROT_READ | PROT_WRITE, flags, 0, 0)
}

export function setup(): number {
  for (let thread = nr_cpus() - 1; thread >= 0; thread--) {
    set_reg(THREAD, thread)
    const at = map_area()
    if (at < 0) return at
    if (thread === 0) continue
    const pid = sys_clone_thread(THREAD_PROGRAM)
    if (pid < 0) return pid
  }
  return 0
}

/** Loads from page `index` of the area: nobody stores anything else there than 1 + its index. */
function load_page(base: number, index: number): void {
  const got = user_load(base + index, 0)
  BUG_ON(user_signal() === 0 && got !== 0 && got !== index + 1)
}

function store_page(base: number, index: number): void {
  if (user_store(base + index, 0, index + 1) === 0) load_page(base, index)
}

/** The next page that was not touched since it was mapped; with all touched the last one. */
function next_page(): number {
  const index = get_reg(TOUCHED)
  if (index < pages(PAGES)) set_reg(TOUCHED, index + 1)
  return Math.min(index, pages(PAGES) - 1)
}

/** Writes a page that was touched: mostly of its own area, now and then of another's, where that is a signal or not. */
function rewrite_page(base: number): void {
  const index = prandom(Math.max(1, get_reg(TOUCHED)))
  store_page(prandom(OWN) !== OWN - 1 ? base : place_of(prandom(nr_cpus()), 0), index)
}

/** Moves the area to its other place. */
function move_area(base: number): void {
  const moved = get_reg(MOVED) !== 0 ? 0 : 1
  const to = place(moved)
  const length = pages(PAGES)
  // After an mmap that failed there is nothing to move.
  if (sys_mremap(base, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, to) === to) set_reg(MOVED, moved)
}

/** Forks, or looks whether the child has ended. */
function fork_or_wait(): void {
  if (get_reg(LIVE) === 0) {
    if (sys_fork(CHILD) > 0) set_reg(LIVE, 1)
  } else if (sys_wait() > 0) set_reg(LIVE, 0)
}

function act(base: number, drawn: number): void {
  if (drawn < TO_WRITE) store_page(base, next_page())
  else if (drawn < TO_READ) load_page(base, next_page())
  else if (drawn < TO_COW) rewrite_page(base)
  else if (drawn < TO_MMAP) map_area()
  else if (drawn < TO_MUNMAP) {
    if (sys_munmap(base, pages(PAGES)) === 0) map_area()
  } else if (drawn < TO_MPROTECT) {
    const page = base + prandom(pages(PAGES))
    if (sys_mprotect(page, 1, PROT_READ) === 0) sys_mprotect(page, 1, PROT_READ | PROT_WRITE)
  } else if (drawn < TO_MADVISE) {
    if (sys_madvise(base, pages(PAGES), MADV_DONTNEED) === 0) set_reg(TOUCHED, 0)
  } else if (drawn < TO_FORK) fork_or_wait()
  else move_area(base)
}

export function program(): void {
  const base = place(get_reg(MOVED))
  if (task_program() === CHILD) {
    for (let index = 0; index < pages(PAGES); index++) store_page(base, index)
    sys_exit()
    return
  }
  if (last_turn()) return
  act(base, prandom(ALL))
}
