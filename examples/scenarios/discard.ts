/**
 * One thread of a process discards pages with MADV_DONTNEED while the others write them.
 *
 * @form cpus=3 operations=4 pages=2
 * @reaches do_madvise, zap_pte_range, do_anonymous_page
 * @expects nr_tlb_remote_flush in 2
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
  prandom,
  PROT_READ,
  PROT_WRITE,
  set_reg,
  sys_clone_thread,
  sys_madvise,
  sys_mmap,
  task_program,
  user_load,
  user_store,
} from 'mmtorture/kernel'

/** In a hunt --pages says how many. */
const PAGES = 64
const WRITER = 0
const DISCARDER = 1
/** Register of a task: the first page of the mapping. Threads start with a copy of their maker's. */
const BASE = 0

/** Runs once, on one CPU, as a task with an empty mm. Returns 0 or a negative errno. */
export function setup(): number {
  const base = sys_mmap(0, pages(PAGES), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (base < 0) return base
  set_reg(BASE, base)
  for (let thread = 1; thread < nr_cpus(); thread++) {
    const pid = sys_clone_thread(thread === 1 ? DISCARDER : WRITER)
    if (pid < 0) return pid
  }
  return 0
}

/** One turn of a task. Between two turns it may move to another CPU. */
export function program(): void {
  // In a hunt a task has only so many turns; in a run it goes on until time is up.
  if (last_turn()) return
  const page = get_reg(BASE) + prandom(pages(PAGES))
  if (task_program() === DISCARDER) BUG_ON(sys_madvise(page, 1, MADV_DONTNEED) !== 0)
  else {
    user_store(page, 0, page)
    // Either what was written, or the zero of a page that was discarded in between.
    const value = user_load(page, 0)
    BUG_ON(value !== page && value !== 0)
  }
}
