/**
 * A process forks while its threads touch a fresh mapping for the first time. Fork and fault agree through mmap_lock
 * alone on whether the mapping has an anon_vma yet, and so on whether the child gets copies or faults for itself.
 *
 * @form cpus=2 operations=2 pages=3
 * @form cpus=2 operations=2 pages=3 VMA_LOCK=y
 * @reaches copy_page_range, anon_vma_fork, do_anonymous_page, wp_page_copy
 * @expects forks in 2
 */
import {
  BUG_ON,
  get_reg,
  last_turn,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  nr_cpus,
  pages,
  PROT_READ,
  PROT_WRITE,
  set_reg,
  sys_clone_thread,
  sys_exit,
  sys_fork,
  sys_mmap,
  sys_wait,
  task_program,
  user_load,
  user_signal,
  user_store,
} from 'mmtorture/kernel'

const PAGES = 8

// Programs.
const FORKER = 0
const TOUCHER = 1
const CHILD = 2

// Registers.
const BASE = 0
const WORD = 1
const LIVE = 2
const LEFT = 3

function map(at: number): number {
  const fixed = at === 0 ? 0 : MAP_FIXED
  return sys_mmap(at, pages(PAGES), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | fixed, 0, 0)
}

export function setup(): number {
  const base = map(0)
  if (base < 0) return base
  set_reg(BASE, base)
  for (let toucher = 1; toucher < nr_cpus(); toucher++) {
    set_reg(WORD, toucher)
    const pid = sys_clone_thread(TOUCHER)
    if (pid < 0) return pid
  }
  return 0
}

/** Forks, and maps the area anew when the child is gone. */
function forker(base: number): void {
  if (get_reg(LIVE) !== 0) {
    if (sys_wait() > 0) {
      set_reg(LIVE, 0)
      // Out of memory: the area stays away until the next round maps it.
      map(base)
    }
    return
  }
  set_reg(LEFT, 2)
  if (sys_fork(CHILD) > 0) set_reg(LIVE, 1)
}

/** Stores to each page a value that tells word and page. */
function touch(base: number, word: number): void {
  for (let i = 0; i < pages(PAGES); i++) {
    user_store(base + i, word, base + i)
    const got = user_load(base + i, word)
    BUG_ON(user_signal() === 0 && got !== 0 && got !== base + i)
  }
}

/** Reads what it inherited, or zeros; writes it in the next turn. */
function child(base: number): void {
  const left = get_reg(LEFT) - 1
  set_reg(LEFT, left)
  if (left < 0) {
    sys_exit()
    return
  }
  for (let i = 0; i < pages(PAGES); i++) {
    const got = user_load(base + i, 1)
    BUG_ON(user_signal() === 0 && got !== 0 && got !== base + i)
  }
  touch(base, 0)
}

export function program(): void {
  const base = get_reg(BASE)
  if (task_program() === CHILD) {
    child(base)
    return
  }
  if (last_turn()) return
  if (task_program() === FORKER) forker(base)
  else touch(base, get_reg(WORD) % 16)
}
