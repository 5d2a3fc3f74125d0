/**
 * One thread forks and changes rights while its siblings fault on the same VMAs, which they lock alone. Whoever changes
 * the map must have locked each VMA that a fault could see half changed, and pages that fork has write-protected must
 * not be copied before the other CPUs know.
 * @config VMA_LOCK=y
 * @form cpus=2 operations=2 pages=3
 * @reaches lock_vma_under_rcu, vma_start_write, copy_page_range, do_mprotect
 * @expects vma_lock_success in 1
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
  MAP_SHARED,
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
  shmem_create,
  sys_clone_thread,
  sys_close,
  sys_exit,
  sys_fork,
  sys_madvise,
  sys_mmap,
  sys_mprotect,
  sys_wait,
  task_program,
  user_load,
  user_signal,
  user_store,
} from 'mmtorture/kernel'

const PAGES = 16
/** The private area: it lies before the other, so that fork copies it first. */
const BASE = 4 * PTRS_PER_PTE
/** Words of a private page, one a writer. */
const WORDS = 15
/** Pages behind them, two a toucher, which are touched for the first time again and again. */
const SCRATCH = 2 * WORDS
/** The shared area: pages of one table, which nothing else is in. */
const SHARED = BASE + 4 * PTRS_PER_PTE
const SHARED_PAGES = PTRS_PER_PTE

// Programs.
const CHANGER = 0
const TOUCHER = 1
const CHILD = 2

// Registers: a task's word; what is next; children.
const WORD = 0
const NEXT = 1
const LIVE = 2

export function setup(): number {
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED
  const base = sys_mmap(BASE, pages(PAGES) + SCRATCH, PROT_READ | PROT_WRITE, flags, 0, 0)
  if (base < 0) return base
  const shared = map_shared()
  if (shared < 0) return shared
  const ret = oracle_window(BASE, pages(PAGES), WORDS, 0)
  if (ret < 0) return ret
  for (let i = 0; i < pages(PAGES); i++) oracle_store(BASE + i, 0)
  for (let cpu = 1; cpu < Math.min(nr_cpus(), WORDS); cpu++) {
    set_reg(WORD, cpu)
    const pid = sys_clone_thread(TOUCHER)
    if (pid < 0) return pid
  }
  set_reg(WORD, 0)
  return 0
}

/** Maps a new object as the shared area. Returns where that lies, or a negative error. */
function map_shared(): number {
  const object = shmem_create(SHARED_PAGES)
  if (object < 0) return object
  const flags = MAP_SHARED | MAP_FIXED
  const mapped = sys_mmap(SHARED, SHARED_PAGES, PROT_READ | PROT_WRITE, flags, object, 0)
  sys_close(object)
  return mapped
}

/** A fresh mapping, which then may not be written any more. Without memory the area is away until the next time. */
function protect(): void {
  if (map_shared() === SHARED) sys_mprotect(SHARED, SHARED_PAGES, PROT_READ)
}

/** Forks and protects in turns; the scratch pages are new for the touchers then. */
function changer(): void {
  if (get_reg(LIVE) !== 0 && sys_wait() > 0) set_reg(LIVE, 0)
  const next = get_reg(NEXT)
  set_reg(NEXT, 1 - next)
  BUG_ON(sys_madvise(BASE + pages(PAGES), SCRATCH, MADV_DONTNEED) !== 0)
  if (next === 0) {
    if (get_reg(LIVE) === 0 && sys_fork(CHILD) > 0) set_reg(LIVE, 1)
  } else protect()
}

/** Two first touches: faults that take no more than the VMA's lock. */
function scratch(word: number): void {
  for (let i = 0; i < 2; i++) user_store(BASE + pages(PAGES) + 2 * word + i, 0, 1)
}

function write(word: number): void {
  for (let i = 0; i < pages(PAGES); i++) oracle_store(BASE + i, word)
}

/** Writes its word in each page, twice, and reads it back; looks at the shared area in the next turn. */
function toucher(word: number): void {
  const next = get_reg(NEXT)
  set_reg(NEXT, 1 - next)
  if (next !== 0) {
    const got = user_load(SHARED + prandom(SHARED_PAGES), 0)
    BUG_ON(user_signal() === 0 && got !== 0)
    return
  }
  // The odd ones have the right to write before fork takes it away, the even ones need it then.
  if (word % 2 === 1) write(word)
  scratch(word)
  write(word)
  for (let i = 0; i < pages(PAGES); i++) oracle_load(BASE + i, word)
}

export function program(): void {
  if (task_program() === CHILD) {
    for (let i = 0; i < pages(PAGES); i++) oracle_load(BASE + i, prandom(WORDS))
    sys_exit()
    return
  }
  if (last_turn()) return
  if (task_program() === CHANGER) changer()
  else toucher(get_reg(WORD))
}
