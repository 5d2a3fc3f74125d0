/**
 * Processes whose pages are swapped out fork, and the swap map has no room for more uses of a slot: pages that continue
 * the counts are added. The first process's slots lie in another cluster than the others', and what continues the
 * counts serves both clusters.
 *
 * @config SWAP=y SWAP_MAP_MAX=1 PAGE_BYTES=128
 * @form cpus=2 operations=2 pages=3
 * @reaches add_swap_count_continuation, swap_count_continued, copy_nonpresent_pte
 * @expects swap_count_continuations in 2
 */
import {
  BUG_ON,
  get_reg,
  last_turn,
  MADV_DONTNEED,
  MADV_PAGEOUT,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  nr_cpus,
  pages,
  prandom,
  PROT_READ,
  PROT_WRITE,
  set_page_cluster,
  set_reg,
  SWP_SYNCHRONOUS_IO,
  sys_exit,
  sys_fork,
  sys_madvise,
  sys_mmap,
  sys_swapon,
  sys_wait,
  task_program,
  user_load,
  user_signal,
  user_store,
} from 'mmtorture/kernel'

/** Pages of a process. */
const PAGES = 4
/** Slots of the first cluster: one of the 16 is the device's header. */
const FIRST_CLUSTER = 15
/** Children that a process has at a time. */
const CHILDREN = 2

// Programs.
const PARENT = 0
const CHILD = 1

// Registers: the area; whether the process's pages are swapped out; children that live.
const BASE = 0
const SWAPPED_OUT = 1
const LIVE = 2

function swap_out(base: number, n: number): void {
  for (let page = base; page < base + n; page++) {
    user_store(page, 0, 1)
    sys_madvise(page, 1, MADV_PAGEOUT)
  }
  set_reg(SWAPPED_OUT, 1)
}

export function setup(): number {
  const own = Math.min(pages(PAGES), FIRST_CLUSTER)
  const length = FIRST_CLUSTER + own * nr_cpus()
  const base = sys_mmap(0, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (base < 0) return base
  const device = sys_swapon(length, SWP_SYNCHRONOUS_IO)
  if (device < 0) return device
  set_page_cluster(0)
  set_reg(BASE, base)
  for (let cpu = 1; cpu < nr_cpus(); cpu++) {
    const pid = sys_fork(PARENT)
    if (pid < 0) return pid
  }
  // Takes all slots and gives those of the second cluster back last: the next process gets them.
  swap_out(base, length)
  sys_madvise(base + own, length - own, MADV_DONTNEED)
  return 0
}

/** Forks, as long as there may be more children, or waits. */
function parent(base: number): void {
  if (get_reg(SWAPPED_OUT) === 0) swap_out(base, Math.min(pages(PAGES), FIRST_CLUSTER))
  if (get_reg(LIVE) === CHILDREN) {
    if (sys_wait() > 0) set_reg(LIVE, CHILDREN - 1)
  } else if (sys_fork(CHILD) > 0) set_reg(LIVE, get_reg(LIVE) + 1)
}

/** Brings a page back, or none, and ends. */
function child(base: number): void {
  if (prandom(2) === 0) {
    const got = user_load(base + prandom(Math.min(pages(PAGES), FIRST_CLUSTER)), 0)
    BUG_ON(user_signal() === 0 && got !== 1)
  }
  sys_exit()
}

export function program(): void {
  const base = get_reg(BASE)
  if (task_program() === CHILD) child(base)
  else if (!last_turn()) parent(base)
}
