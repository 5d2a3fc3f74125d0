/**
 * Swap devices that fail one read and one write in so many, are too small for all, and are turned off under load.
 * Whoever needs a page that cannot be read gets SIGBUS: a child ends by it, their parent gives the page up and writes
 * it anew. A page that cannot be written stays in memory; where memory is full as well, the OOM killer ends a child.
 * All other contents must stay.
 *
 * @config SWAP=y MEMORY=4M
 * @form cpus=2 operations=2 pages=3
 * @reaches do_swapoff, oom_kill_process
 * @expects swap_read_errors, swap_write_errors, sigbus_faults in 2
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
  nr_free_pages,
  OOM_SCORE_ADJ_MIN,
  oracle_discard,
  oracle_discarded,
  oracle_load,
  oracle_store,
  oracle_window,
  pages,
  prandom,
  PROT_READ,
  PROT_WRITE,
  set_oom_score_adj,
  set_page_cluster,
  set_reg,
  setup_per_zone_wmarks,
  SIGBUS,
  SWP_SYNCHRONOUS_IO,
  swap_device_set,
  sys_clone_thread,
  sys_exit,
  sys_fork,
  sys_madvise,
  sys_mmap,
  sys_swapoff,
  sys_swapon,
  sys_wait,
  task_program,
  user_signal,
} from 'mmtorture/kernel'

const PAGES = 160
const WORDS = 2
const BATCH = 8
/** One read and one write in so many fails. */
const FAIL_READS = 64
const FAIL_WRITES = 16
/** Pages beside its own that a process needs, for its tables. */
const TABLES = 3

// Programs: the parent, and the two threads of each child.
const PARENT = 0
const FIRST = 1
const SECOND = 2

// Registers: the area; a thread's next page; children that live, and that were started; the device to turn off; whether
// it was.
const BASE = 0
const PAGE = 1
const LIVE = 2
const STARTED = 3
const DEVICE = 4
const CYCLED = 5

/** `own`, or less where the machine has few pages. */
function scaled(own: number): number {
  return Math.min(own, (pages(PAGES) + 1) >> 1)
}

/**
 * Turns a device on, with room for half of one process: number 0 is as fast as memory. Returns its number or a negative
 * error.
 */
function swap_on(device: number): number {
  const type = sys_swapon(1 + (pages(PAGES) >> 1), device === 0 ? SWP_SYNCHRONOUS_IO : 0)
  if (type >= 0) swap_device_set(type, 0, scaled(FAIL_READS), scaled(FAIL_WRITES))
  return type
}

export function setup(): number {
  const base = sys_mmap(0, pages(PAGES), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (base < 0) return base
  const ret = oracle_window(base, pages(PAGES), WORDS, 0)
  if (ret < 0) return ret
  for (let i = 0; i < pages(PAGES); i++) oracle_store(base + i, 0)
  for (let device = 0; device < 2; device++) {
    const type = swap_on(device)
    if (type < 0) return type
  }
  set_page_cluster(1)
  set_reg(BASE, base)
  set_oom_score_adj(OOM_SCORE_ADJ_MIN)
  // Room for a quarter of what the children want.
  const room = nr_cpus() * ((pages(PAGES) >> 2) + TABLES)
  setup_per_zone_wmarks(Math.max(2, nr_free_pages() - room), 1)
  return 0
}

/**
 * Reads a page, as a process that handles SIGBUS: what was in the page is lost, and it gets new contents. Then gives it
 * up.
 */
function use(page: number): void {
  oracle_load(page, 0)
  if (user_signal() === SIGBUS) {
    oracle_discard(page, 1)
    BUG_ON(sys_madvise(page, 1, MADV_DONTNEED) !== 0)
    oracle_discarded(page, 1)
    oracle_store(page, 0)
  }
  sys_madvise(page, 1, MADV_PAGEOUT)
}

/** Turns a device off and on again; where its pages have no room, it stays. */
function cycle_swap(): void {
  const device = get_reg(DEVICE)
  set_reg(DEVICE, 1 - device)
  if (sys_swapoff(device) === 0) BUG_ON(swap_on(device) !== device)
}

/** Starts a child for every CPU, turns a device off, and waits for the children's ends. */
function parent(base: number): void {
  if (get_reg(LIVE) === 0 && last_turn()) return
  const page = base + prandom(pages(PAGES))
  if (get_reg(STARTED) < nr_cpus()) {
    use(page)
    set_reg(STARTED, get_reg(STARTED) + 1)
    set_reg(PAGE, 0)
    set_reg(CYCLED, 0)
    const live = get_reg(LIVE)
    if (sys_fork(FIRST) > 0) set_reg(LIVE, live + 1)
  } else if (get_reg(CYCLED) === 0) {
    set_reg(CYCLED, 1)
    cycle_swap()
  } else {
    use(page)
    if (get_reg(LIVE) === 0) set_reg(STARTED, 0)
    else if (sys_wait() > 0) set_reg(LIVE, get_reg(LIVE) - 1)
  }
}

/**
 * Writes the next pages, reads what was written before, and gives them up. Returns whether the thread ends: after the
 * last page, or by a signal.
 */
function walk(base: number, word: number): boolean {
  const page = get_reg(PAGE)
  const end = Math.min(pages(PAGES), page + BATCH)
  for (let i = page; i < end; i++) {
    if (oracle_store(base + i, word) !== 0) return true
    oracle_load(base + prandom(i + 1), prandom(WORDS))
    if (user_signal() !== 0) return true
  }
  sys_madvise(base + page, end - page, MADV_PAGEOUT)
  set_reg(PAGE, end)
  return end === pages(PAGES)
}

function first_thread(base: number): void {
  if (get_reg(STARTED) > 0) {
    set_reg(STARTED, 0)
    set_oom_score_adj(0)
    sys_clone_thread(SECOND)
  }
  if (walk(base, 0)) sys_exit()
}

export function program(): void {
  const base = get_reg(BASE)
  switch (task_program()) {
    case PARENT:
      parent(base)
      return
    case FIRST:
      first_thread(base)
      return
    default:
      if (walk(base, 1)) sys_exit()
  }
}
