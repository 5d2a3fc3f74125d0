/**
 * A process forks, then everybody lets go of the shared pages at once: the parent and the child discard them, while a
 * thread of the parent writes them. A page may lose its last mapping at any moment of the write fault that copies it,
 * and a discard must reach the translations of the thread before it frees what they lead to.
 *
 * @form cpus=2 operations=4 pages=3
 * @form cpus=2 operations=4 pages=3 MMU_GATHER_BUNDLE=2
 * @reaches copy_page_range, zap_pte_range, do_wp_page, tlb_finish_mmu
 * @expects forks, cow_copies in 2
 */
import {
  BUG_ON,
  get_reg,
  last_turn,
  MADV_DONTNEED,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  nr_cpus,
  pages,
  PROT_READ,
  PROT_WRITE,
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

const PAGES = 32

// Programs.
const FORKER = 0
const WRITER = 1
const CHILD = 2

// Registers: the area; the writer's word and last value; how far the forker is (1: the child has been forked, 2: and
// the pages discarded here).
const BASE = 0
const WORD = 1
const VALUE = 2
const LIVE = 3

/** Word 0 of a page is the forker's; further ones are checked as long as a page has them. */
const WORDS = 16

function fill(base: number): boolean {
  for (let i = 0; i < pages(PAGES); i++) if (user_store(base + i, 0, base + i) !== 0) return false
  return true
}

export function setup(): number {
  const base = sys_mmap(0, pages(PAGES), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (base < 0) return base
  set_reg(BASE, base)
  if (!fill(base)) return -1
  for (let thread = 1; thread < nr_cpus(); thread++) {
    set_reg(WORD, thread)
    const pid = sys_clone_thread(WRITER)
    if (pid < 0) return pid
  }
  const child = sys_fork(CHILD)
  if (child < 0) return child
  set_reg(LIVE, 1)
  return 0
}

function discard(base: number): void {
  BUG_ON(sys_madvise(base, pages(PAGES), MADV_DONTNEED) !== 0)
}

/** Discards what the last fork shared, then shares new contents by another. */
function forker(base: number): void {
  if (get_reg(LIVE) === 1) {
    set_reg(LIVE, 2)
    discard(base)
    return
  }
  if (get_reg(LIVE) === 2) {
    if (sys_wait() > 0) set_reg(LIVE, 0)
    return
  }
  fill(base)
  if (sys_fork(CHILD) > 0) set_reg(LIVE, 1)
}

/** Whatever is discarded: a word holds nothing or what its writer stored last. */
function writer(base: number): void {
  const word = get_reg(WORD)
  const value = get_reg(VALUE) + 1
  set_reg(VALUE, value)
  for (let i = 0; i < pages(PAGES); i++) {
    const page = base + i
    // Without memory nothing is stored.
    const stored = word < WORDS && user_store(page, word, value) === 0
    const first = user_load(page, 0)
    BUG_ON(user_signal() === 0 && first !== 0 && first !== page)
    const got = user_load(page, word % WORDS)
    BUG_ON(stored && user_signal() === 0 && got !== 0 && got !== value)
  }
}

export function program(): void {
  const base = get_reg(BASE)
  if (task_program() === CHILD) {
    discard(base)
    sys_exit()
    return
  }
  if (last_turn()) return
  if (task_program() === FORKER) forker(base)
  else writer(base)
}
