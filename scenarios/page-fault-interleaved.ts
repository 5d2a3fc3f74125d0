/**
 * Threads of one process fault in interleaved pages of the same page tables. Splitting the page-table lock by table
 * does not help here. After each round the last thread to arrive discards the pages.
 *
 * @form cpus=2 operations=2 pages=3
 * @reaches do_anonymous_page, zap_pte_range
 */
import {
  atomic_fetch_add,
  atomic_load,
  BUG_ON,
  get_reg,
  last_turn,
  MADV_DONTNEED,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  nr_cpus,
  NR_PAGES,
  pages,
  PROT_READ,
  PROT_WRITE,
  scenario_word,
  set_reg,
  stop_task,
  sys_clone_thread,
  sys_madvise,
  sys_mmap,
  task_wait,
  task_wake,
  user_load,
  user_store,
} from 'mmtorture/kernel'

const PAGES = Math.min(16384, NR_PAGES >> 2)
/** Pages of a thread's turn. */
const BATCH = 32

const BASE = 0
const THREAD = 1
const ROUND = 2
const PAGE = 3
const ARRIVED_ROUND = 4

/** In scenario word 0: threads that have left, above those that have arrived. */
const LEFT = 1 << 16

export function setup(): number {
  const base = sys_mmap(0, pages(PAGES), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (base < 0) return base
  set_reg(BASE, base)
  for (let thread = 1; thread < nr_cpus(); thread++) {
    set_reg(THREAD, thread)
    set_reg(PAGE, thread)
    const pid = sys_clone_thread(0)
    if (pid < 0) return pid
  }
  set_reg(THREAD, 0)
  set_reg(PAGE, 0)
  return 0
}

/** Adds one that has arrived, or that has LEFT for good. Nobody is awaited any more: the pages go, a round begins. */
function note(base: number, one: number): void {
  const threads = scenario_word(0)
  const noted = atomic_fetch_add(threads, one) + one
  const arrived = noted & (LEFT - 1)
  if (arrived === 0 || arrived + Math.floor(noted / LEFT) < nr_cpus()) return
  const rounds = scenario_word(1)
  BUG_ON(sys_madvise(base, pages(PAGES), MADV_DONTNEED) !== 0)
  atomic_fetch_add(threads, -arrived)
  atomic_fetch_add(rounds, 1)
  task_wake(rounds)
}

function end_round(base: number, round: number): void {
  const rounds = scenario_word(1)
  if (get_reg(ARRIVED_ROUND) === round) {
    set_reg(ARRIVED_ROUND, round + 1)
    note(base, 1)
  }
  if (atomic_load(rounds) === round && task_wait(rounds, round)) return
  set_reg(ROUND, round + 1)
  set_reg(PAGE, get_reg(THREAD))
}

export function program(): void {
  const base = get_reg(BASE)
  let page = get_reg(PAGE)
  if (get_reg(THREAD) >= pages(PAGES)) {
    // There are more threads than pages.
    note(base, LEFT)
    stop_task()
    return
  }
  if (page >= pages(PAGES)) {
    end_round(base, get_reg(ROUND))
    return
  }
  if (last_turn()) {
    note(base, LEFT)
    return
  }
  const step = nr_cpus()
  for (let i = 0; i < BATCH && page < pages(PAGES); i++) {
    if (user_store(base + page, 0, page + 1) === 0) BUG_ON(user_load(base + page, 0) !== page + 1)
    page += step
  }
  set_reg(PAGE, page)
}
