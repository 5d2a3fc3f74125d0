/**
 * Threads of one process fault, zap and protect entries of one page table, each its own. Nothing that one of them does
 * concerns another, but for the table, its lock and its cache lines.
 *
 * @form cpus=2 operations=4 pages=2
 * @form cpus=3 operations=3 pages=1 VMA_LOCK=y
 * @reaches do_anonymous_page, do_wp_page, zap_pte_range, change_pte_range
 * @expects nr_tlb_remote_flush in 4
 */
import {
  BUG_ON,
  get_reg,
  last_turn,
  MADV_DONTNEED,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  nr_cpus,
  pages,
  prandom,
  PROT_READ,
  PROT_WRITE,
  PTRS_PER_PTE,
  set_reg,
  sys_clone_thread,
  sys_madvise,
  sys_mmap,
  sys_mprotect,
  user_load,
  user_signal,
  user_store,
} from 'mmtorture/kernel'

/** Entries of a thread, if the table has as many for all. */
const PAGES = 8
/** The area: one page table, which nothing else is in. */
const BASE = 4 * PTRS_PER_PTE

// What a turn does before it looks at the page, in sixteenths: it stores, does nothing, zaps, or takes the right to
// write away, which is rare, since it keeps all others out.
const STORES = 7
const LOOKS = STORES + 3
const ZAPS = LOOKS + 5
const ACTIONS = ZAPS + 1

// Registers: a task's number; which of its entries hold what it stored, a bit each.
const THREAD = 0
const STORED = 1
/** Of a register. */
const BITS = 31

export function setup(): number {
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED
  const base = sys_mmap(BASE, PTRS_PER_PTE, PROT_READ | PROT_WRITE, flags, 0, 0)
  if (base < 0) return base
  for (let thread = 1; thread < nr_cpus(); thread++) {
    set_reg(THREAD, thread)
    const pid = sys_clone_thread(0)
    if (pid < 0) return pid
  }
  set_reg(THREAD, 0)
  return 0
}

/** Entries of a thread: every nr_cpus()th. With more threads than entries several share one. */
function own_entries(): number {
  return Math.max(1, Math.min(pages(PAGES), BITS, Math.trunc(PTRS_PER_PTE / nr_cpus())))
}

/** What the task stored last in a page of its own, or zero. */
function check(page: number, stored: boolean): void {
  const got = user_load(page, 0)
  if (nr_cpus() <= PTRS_PER_PTE) BUG_ON(user_signal() === 0 && got !== (stored ? page : 0))
}

export function program(): void {
  if (last_turn()) return
  const action = prandom(ACTIONS)
  const which = prandom(own_entries())
  const page = BASE + ((get_reg(THREAD) + which * nr_cpus()) % PTRS_PER_PTE)
  const bit = 1 << which
  if (action < STORES) {
    if (user_store(page, 0, page) === 0) set_reg(STORED, get_reg(STORED) | bit)
  } else if (action >= ZAPS) {
    // It comes back: the next store finds an entry that is read-only.
    if (sys_mprotect(page, 1, PROT_READ) === 0) sys_mprotect(page, 1, PROT_READ | PROT_WRITE)
  } else if (action >= LOOKS) {
    if (sys_madvise(page, 1, MADV_DONTNEED) === 0) set_reg(STORED, get_reg(STORED) & ~bit)
  }
  check(page, (get_reg(STORED) & bit) !== 0)
}
