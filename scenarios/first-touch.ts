/**
 * Threads of one process touch a fresh mapping for the first time at the same moment, each time with no page table
 * there. All levels of tables, the anon_vma and the pages are allocated by several CPUs at once; one of each may stay.
 * After each round the last thread to arrive unmaps everything, tables included, and maps it anew.
 *
 * @form cpus=2 operations=2 pages=3
 * @reaches do_anonymous_page, __pmd_alloc
 * @expects page_tables_allocated in 1
 */
import {
  atomic_fetch_add,
  atomic_load,
  BUG_ON,
  CONTENT_WORDS,
  get_reg,
  last_turn,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  nr_cpus,
  pages,
  PROT_READ,
  PROT_WRITE,
  PTRS_PER_PTE,
  scenario_word,
  set_reg,
  sys_clone_thread,
  sys_mmap,
  sys_munmap,
  task_wait,
  task_wake,
  user_load,
  user_signal,
  user_store,
} from 'mmtorture/kernel'

/** Tables that are touched, one page in each. */
const TABLES = 16

const BASE = 0
const THREAD = 1
const ROUND = 2
const AT = 3
const ARRIVED_ROUND = 4

function map(at: number): number {
  const fixed = at === 0 ? 0 : MAP_FIXED
  return sys_mmap(
    at,
    pages(TABLES) * PTRS_PER_PTE,
    PROT_READ | PROT_WRITE,
    MAP_PRIVATE | MAP_ANONYMOUS | fixed,
    0,
    0,
  )
}

export function setup(): number {
  const base = map(0)
  if (base < 0) return base
  set_reg(BASE, base)
  for (let thread = 1; thread < nr_cpus(); thread++) {
    set_reg(THREAD, thread)
    const pid = sys_clone_thread(0)
    if (pid < 0) return pid
  }
  set_reg(THREAD, 0)
  return 0
}

function end_round(base: number, round: number): void {
  const arrived = scenario_word(0)
  const rounds = scenario_word(1)
  if (get_reg(ARRIVED_ROUND) === round) {
    set_reg(ARRIVED_ROUND, round + 1)
    if (atomic_fetch_add(arrived, 1) === nr_cpus() - 1) {
      BUG_ON(sys_munmap(base, pages(TABLES) * PTRS_PER_PTE) !== 0)
      // Out of memory: the next round faults nowhere, and the one after maps again.
      map(base)
      atomic_fetch_add(arrived, -nr_cpus())
      atomic_fetch_add(rounds, 1)
      task_wake(rounds)
    }
  }
  if (atomic_load(rounds) === round && task_wait(rounds, round)) return
  set_reg(ROUND, round + 1)
  set_reg(AT, 0)
}

export function program(): void {
  const base = get_reg(BASE)
  const table = get_reg(AT)
  if (table === pages(TABLES)) {
    end_round(base, get_reg(ROUND))
    return
  }
  if (last_turn()) return
  const page = base + table * PTRS_PER_PTE
  const thread = get_reg(THREAD)
  // A page keeps CONTENT_WORDS words: with more threads several share one, and any of these may have stored last.
  const word = thread % CONTENT_WORDS
  if (user_store(page, word, thread + 1) === 0) {
    const last = user_load(page, word) - 1
    BUG_ON(user_signal() === 0 && (last < 0 || last >= nr_cpus() || last % CONTENT_WORDS !== word))
  }
  set_reg(AT, table + 1)
}
