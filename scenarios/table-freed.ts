/**
 * Each thread maps, touches and unmaps one page of the same page table, and touches its neighbour's: whoever unmaps the
 * last one frees the table, which a fault in the entry beside it may be about to fill.
 *
 * @form cpus=2 operations=4 pages=2
 * @form cpus=3 operations=4 pages=3 VMA_LOCK=y
 * @reaches free_pgtables, zap_pte_range, do_anonymous_page, __pmd_alloc, page_tables_freed
 * @expects page_tables_allocated in 2
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
  PTRS_PER_PTE,
  set_reg,
  sys_clone_thread,
  sys_mmap,
  sys_munmap,
  user_load,
  user_signal,
  user_store,
} from 'mmtorture/kernel'

/** Entries, one a thread; further threads share them. */
const PAGES = 16
/** One page table, which nothing else is in. */
const BASE = 4 * PTRS_PER_PTE

// Registers: a task's number; how many turns it has had.
const THREAD = 0
const TURN = 1

export function setup(): number {
  for (let thread = 1; thread < nr_cpus(); thread++) {
    set_reg(THREAD, thread)
    const pid = sys_clone_thread(0)
    if (pid < 0) return pid
  }
  set_reg(THREAD, 0)
  return 0
}

/** Stores the page's number there, and finds it or, when it was mapped anew meanwhile, zero. */
function touch(page: number): void {
  user_store(page, 0, page)
  const got = user_load(page, 0)
  BUG_ON(user_signal() === 0 && got !== 0 && got !== page)
}

export function program(): void {
  if (last_turn()) return
  const entries = Math.min(pages(PAGES), PTRS_PER_PTE)
  const thread = get_reg(THREAD)
  const turn = get_reg(TURN)
  set_reg(TURN, turn + 1)
  const own = BASE + (thread % entries)
  if (turn % 2 === 0) {
    sys_mmap(own, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0, 0)
    touch(own)
  } else {
    // Where nothing is mapped just now, that is a signal.
    touch(BASE + ((thread + 1) % entries))
    sys_munmap(own, 1)
  }
}
