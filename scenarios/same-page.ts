/**
 * Threads of one process touch the same untouched pages at the same moment, round after round. Two CPUs allocate a page
 * for one PTE, and the loser must find that under the lock. After each round the last thread to arrive discards the
 * pages.
 *
 * @form cpus=2 operations=2 pages=3
 * @form cpus=2 operations=2 pages=3 VMA_LOCK=y
 * @reaches do_anonymous_page, do_wp_page, wp_page_copy
 * @expects cow_copies in 2
 */
import {
  atomic_fetch_add,
  atomic_load,
  BUG_ON,
  ENOMEM,
  get_reg,
  last_turn,
  MADV_DONTNEED,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  nr_cpus,
  oracle_discard_own,
  oracle_discarded,
  oracle_load,
  oracle_store,
  oracle_window,
  pages,
  prandom,
  PROT_READ,
  PROT_WRITE,
  scenario_word,
  set_reg,
  sys_clone_thread,
  sys_madvise,
  sys_mmap,
  task_wait,
  task_wake,
  user_load,
  user_store,
} from 'mmtorture/kernel'

const PAGES = 128
/** Words of a page that have a writer, one a thread; further threads write none that is checked. */
const WORDS = 15

// Registers of a thread.
const BASE = 0
const THREAD = 1
const ROUND = 2
const PAGE = 3
const ARRIVED_ROUND = 4

export function setup(): number {
  // One page more, touched now: the tables and the anon_vma are there already. First touches race in first-touch.
  const base = sys_mmap(0, pages(PAGES) + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (base < 0) return base
  const ret = oracle_window(base, pages(PAGES), WORDS, 0)
  if (ret < 0) return ret
  set_reg(BASE, base)
  if (user_store(base + pages(PAGES), 0, 1) !== 0) return -ENOMEM
  for (let thread = 1; thread < nr_cpus(); thread++) {
    set_reg(THREAD, thread)
    const pid = sys_clone_thread(0)
    if (pid < 0) return pid
  }
  set_reg(THREAD, 0)
  return 0
}

function touch(base: number, i: number, thread: number): void {
  const page = base + i
  // Some pages are read first, by all or by every other thread: then the zero page is replaced by a write.
  if (i % 4 === 0 || (i % 8 === 1 && thread % 2 === 0)) oracle_load(page, prandom(WORDS))
  if (thread < WORDS) {
    oracle_store(page, thread)
    oracle_load(page, thread)
  } else {
    user_store(page, WORDS, thread)
    user_load(page, WORDS)
  }
  oracle_load(page, prandom(WORDS))
}

/** The end of a round: everybody waits for the last one, who discards the pages. */
function end_round(base: number, round: number): void {
  const arrived = scenario_word(0)
  const rounds = scenario_word(1)
  if (get_reg(ARRIVED_ROUND) === round) {
    set_reg(ARRIVED_ROUND, round + 1)
    oracle_discard_own(base, pages(PAGES))
    if (atomic_fetch_add(arrived, 1) === nr_cpus() - 1) {
      BUG_ON(sys_madvise(base, pages(PAGES), MADV_DONTNEED) !== 0)
      atomic_fetch_add(arrived, -nr_cpus())
      atomic_fetch_add(rounds, 1)
      task_wake(rounds)
    }
  }
  if (atomic_load(rounds) === round && task_wait(rounds, round)) return
  oracle_discarded(base, pages(PAGES))
  set_reg(ROUND, round + 1)
  set_reg(PAGE, 0)
}

export function program(): void {
  const base = get_reg(BASE)
  const page = get_reg(PAGE)
  if (page === pages(PAGES)) {
    end_round(base, get_reg(ROUND))
    return
  }
  if (last_turn()) return
  touch(base, page, get_reg(THREAD))
  set_reg(PAGE, page + 1)
}
