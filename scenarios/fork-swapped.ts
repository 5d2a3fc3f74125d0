/**
 * Parents whose pages are swapped out fork: every child takes its uses of the slots, gets on mmlist with the first, and leaves it when it ends.
 * The locks of mmlist and of the swap map's clusters are what the CPUs meet at; children that bring a page back meet there, too. Besides, a
 * process of two threads swaps its first pages out: both find that it is not on mmlist.
 *
 * @config SWAP=y
 */
import {
  get_reg,
  last_turn,
  MADV_PAGEOUT,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  nr_cpus,
  oracle_load,
  oracle_store,
  oracle_window,
  pages,
  prandom,
  PROT_READ,
  PROT_WRITE,
  set_page_cluster,
  set_reg,
  SWP_SYNCHRONOUS_IO,
  sys_clone_thread,
  sys_exit,
  sys_fork,
  sys_madvise,
  sys_mmap,
  sys_swapon,
  sys_wait,
  task_program,
  user_store,
} from 'mmtorture/kernel'

const PAGES = 32
/** Children that a parent has at a time. */
const CHILDREN = 2

// Programs.
const PARENT = 0
const CHILD = 1
const YOUNG = 2
const YOUNG_THREAD = 3

// Registers: the area; a parent's children that live; the page of a young process's thread.
const BASE = 0
const LIVE = 1
const OWN = 2

export function setup(): number {
  const own = sys_mmap(0, 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (own < 0) return own
  set_reg(OWN, own)
  const pid = sys_fork(YOUNG)
  if (pid < 0) return pid
  const base = sys_mmap(0, pages(PAGES), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (base < 0) return base
  const ret = oracle_window(base, pages(PAGES), 1, 0)
  if (ret < 0) return ret
  const device = sys_swapon(nr_cpus() * pages(PAGES) * 4, SWP_SYNCHRONOUS_IO)
  if (device < 0) return device
  set_page_cluster(0)
  set_reg(BASE, base)
  for (let i = 0; i < pages(PAGES); i++) oracle_store(base + i, 0)
  sys_madvise(base, pages(PAGES), MADV_PAGEOUT)
  // A parent for each CPU.
  for (let cpu = 1; cpu < nr_cpus(); cpu++) {
    const error = sys_fork(PARENT)
    if (error < 0) return error
  }
  return 0
}

function parent(base: number): void {
  const children = Math.min(CHILDREN, pages(PAGES) >> 1)
  if (get_reg(LIVE) === children) {
    if (sys_wait() > 0) set_reg(LIVE, children - 1)
    return
  }
  if (sys_fork(CHILD) > 0) set_reg(LIVE, get_reg(LIVE) + 1)
}

/** Each thread of the young process writes a page and swaps it out; the first makes the second. */
function young(): void {
  const first = task_program() === YOUNG
  const page = get_reg(OWN) + (first ? 0 : 1)
  user_store(page, 0, 1)
  if (first && get_reg(LIVE) === 0) {
    set_reg(LIVE, 1)
    sys_clone_thread(YOUNG_THREAD)
  } else {
    sys_madvise(page, 1, MADV_PAGEOUT)
    sys_exit()
  }
}

export function program(): void {
  const base = get_reg(BASE)
  if (task_program() === CHILD) {
    oracle_load(base + prandom(pages(PAGES)), 0)
    oracle_store(base + prandom(pages(PAGES)), 0)
    sys_madvise(base, pages(PAGES), MADV_PAGEOUT)
    sys_exit()
    return
  }
  if (task_program() !== PARENT) young()
  else if (!last_turn()) parent(base)
}
