/**
 * Threads use more memory than there is: what they touch pushes out what they touched before.
 * kswapd, on whatever CPU takes it, and direct reclaim take pages off the same LRU lists; pages in use become active again; faults bring
 * back what was swapped out while it still goes out. Forked children share what reclaim must find by both mappings.
 *
 * @config SWAP=y MEMORY=4M
 */
import {
  get_reg,
  kernel_thread,
  kswapd,
  last_turn,
  MADV_FREE,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  nr_cpus,
  nr_free_pages,
  oracle_load,
  oracle_store,
  oracle_window,
  pages,
  prandom,
  PROT_READ,
  PROT_WRITE,
  set_page_cluster,
  set_reg,
  setup_per_zone_wmarks,
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

const PAGES = 160
/** Words of a page: the first thread's, the others'. */
const WORDS = 8
const BATCH = 8
/** Turns of a child. */
const CHILD_TURNS = 4

// Programs.
const FORKER = 0
const THREAD = 1
const CHILD = 2
const KSWAPD = 3

// Registers: the area; the word that the task writes; a child's turns left; whether a child lives; pages whose contents do not matter.
const BASE = 0
const WORD = 1
const LEFT = 2
const LIVE = 3
const SCRATCH = 4

export function setup(): number {
  const base = sys_mmap(0, pages(PAGES), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  const scratch = sys_mmap(0, pages(PAGES), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (base < 0) return base
  if (scratch < 0) return scratch
  const ret = oracle_window(base, pages(PAGES), WORDS, 0)
  if (ret < 0) return ret
  const device = sys_swapon(pages(PAGES) * 6 + 16, 0)
  if (device < 0) return device
  set_page_cluster(1)
  set_reg(BASE, base)
  set_reg(SCRATCH, scratch)
  kernel_thread(KSWAPD)
  for (let thread = 1; thread < nr_cpus(); thread++) {
    set_reg(WORD, thread)
    const pid = sys_clone_thread(THREAD)
    if (pid < 0) return pid
  }
  set_reg(WORD, 0)
  // Room for half of the pages, and for the tables of a child.
  const room = (pages(PAGES) >> 1) + 2 * nr_cpus() + 8
  const gap = Math.max(1, pages(PAGES) >> 5)
  setup_per_zone_wmarks(Math.max(2, nr_free_pages() - room), gap)
  return 0
}

/** Reads and writes some pages, near ones more often than far ones; and gives up pages of the other area. */
function use(base: number, word: number): void {
  for (let i = 0; i < Math.min(BATCH, pages(PAGES)); i++) {
    const page = base + prandom(1 + prandom(pages(PAGES)))
    if (word < WORDS && prandom(2) === 0) oracle_store(page, word)
    oracle_load(page, prandom(WORDS))
  }
  const scratch = get_reg(SCRATCH) + prandom(pages(PAGES))
  if (prandom(2) === 0) user_store(scratch, 0, 1)
  else sys_madvise(scratch, 1, MADV_FREE)
}

function forker(base: number): void {
  use(base, 0)
  if (get_reg(LIVE) !== 0) {
    if (sys_wait() > 0) set_reg(LIVE, 0)
    return
  }
  set_reg(LEFT, CHILD_TURNS)
  if (sys_fork(CHILD) > 0) set_reg(LIVE, 1)
}

function child(base: number): void {
  const left = get_reg(LEFT)
  set_reg(LEFT, left - 1)
  if (left > 0) use(base, prandom(WORDS))
  else sys_exit()
}

export function program(): void {
  const base = get_reg(BASE)
  switch (task_program()) {
    case KSWAPD:
      kswapd()
      return
    case CHILD:
      child(base)
      return
    default:
      if (last_turn()) return
      if (task_program() === FORKER) forker(base)
      else use(base, get_reg(WORD))
  }
}
