/**
 * Pages go out to swap and come back while processes fork, and the swap devices are turned off and on under them. A
 * swap slot is read by several threads and processes at once, freed and used anew; fork copies entries that reclaim and
 * swapoff change; a slot's count outgrows the swap map.
 *
 * @config SWAP=y SWAP_MAP_MAX=2
 * @form cpus=2 operations=2 pages=3
 * @reaches do_swap_page, try_to_unmap, copy_nonpresent_pte, do_swapoff, try_to_migrate
 * @expects pswpin, pswpout in 1
 * @expects pgsteal_direct in 20
 */
import {
  BUG_ON,
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
  set_fail_page_alloc,
  set_page_cluster,
  set_reg,
  SWP_STABLE_WRITES,
  SWP_SYNCHRONOUS_IO,
  sys_clone_thread,
  sys_exit,
  sys_fork,
  sys_madvise,
  sys_memory_reclaim,
  sys_mmap,
  sys_move_pages,
  sys_swapoff,
  sys_swapon,
  sys_wait,
  task_program,
} from 'mmtorture/kernel'

const PAGES = 128
/** Words of a page: the first thread's, the others'. */
const WORDS = 8
/** Pages that a turn uses and gives up at most, and one access in so many is a write. */
const WINDOW = 96
const WRITES = 16
/**
 * Children that a process has at a time, and turns of a child: few, since the first thread waits for one before it
 * forks again.
 */
const CHILDREN = 3
const CHILD_TURNS = 2
/** Every turn of the first thread forks, one in so many turns a device off and on. */
const SWAPOFF_TURNS = 32
/** One turn in so many of the others reclaims what anybody has, or moves a page. */
const RECLAIM_TURNS = 4
const RECLAIM = 32

/** `own`, or less where the machine has few pages. */
function scaled(own: number): number {
  return Math.min(own, (pages(PAGES) + 1) >> 1)
}

// Programs.
const FORKER = 0
const THREAD = 1
const CHILD = 2

// Registers: the area; the word that the task writes; a child's turns left; children that live; the device to turn off.
const BASE = 0
const WORD = 1
const LEFT = 2
const LIVE = 3
const DEVICE = 4

/** Turns a device on: the first as fast as memory, the second not, and what it writes must stay the same meanwhile. */
function swap_on(device: number): number {
  return sys_swapon(pages(PAGES) * 2, device === 0 ? SWP_SYNCHRONOUS_IO : SWP_STABLE_WRITES)
}

export function setup(): number {
  const base = sys_mmap(0, pages(PAGES), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (base < 0) return base
  const ret = oracle_window(base, pages(PAGES), WORDS, 0)
  if (ret < 0) return ret
  for (let device = 0; device < 2; device++) {
    const error = swap_on(device)
    if (error < 0) return error
  }
  set_page_cluster(1)
  set_fail_page_alloc(2)
  set_reg(BASE, base)
  for (let i = 0; i < pages(PAGES); i++) oracle_store(base + i, 0)
  sys_madvise(base, pages(PAGES), MADV_PAGEOUT)
  for (let thread = 1; thread < nr_cpus(); thread++) {
    set_reg(WORD, thread)
    const pid = sys_clone_thread(THREAD)
    if (pid < 0) return pid
  }
  set_reg(WORD, 0)
  return 0
}

/** Uses some pages, then gives them up. */
function use(base: number, word: number): void {
  const n = 1 + prandom(Math.min(WINDOW, pages(PAGES)))
  const first = base + prandom(pages(PAGES) - n + 1)
  for (let page = first; page < first + n; page++) {
    if (word < WORDS && prandom(scaled(WRITES)) === 0) oracle_store(page, word)
    else oracle_load(page, prandom(WORDS))
  }
  sys_madvise(first, n, MADV_PAGEOUT)
}

/** Turns a device off and on again. */
function cycle_swap(): void {
  const device = get_reg(DEVICE)
  set_reg(DEVICE, 1 - device)
  if (sys_swapoff(device) === 0) BUG_ON(swap_on(device) < 0)
}

function forker(base: number): void {
  if (get_reg(LIVE) === CHILDREN) {
    if (sys_wait() > 0) set_reg(LIVE, CHILDREN - 1)
    return
  }
  use(base, 0)
  if (prandom(SWAPOFF_TURNS) === 0) cycle_swap()
  set_reg(LEFT, scaled(CHILD_TURNS))
  if (sys_fork(CHILD) > 0) set_reg(LIVE, get_reg(LIVE) + 1)
}

/**
 * Reclaim finds pages by all of their mappings, while fork makes more of them. Every other further thread does nothing
 * else.
 */
function disturb(base: number): void {
  if (get_reg(WORD) % 2 === 1) use(base, get_reg(WORD))
  else sys_memory_reclaim(scaled(RECLAIM))
  const other = prandom(2 * scaled(RECLAIM_TURNS))
  if (other === 0) sys_memory_reclaim(scaled(RECLAIM))
  else if (other === 1) sys_move_pages(base + prandom(pages(PAGES)))
}

function child(base: number): void {
  const left = get_reg(LEFT)
  if (left === 0) {
    sys_exit()
    return
  }
  set_reg(LEFT, left - 1)
  use(base, prandom(WORDS))
}

export function program(): void {
  const base = get_reg(BASE)
  if (task_program() === CHILD) {
    child(base)
    return
  }
  if (last_turn()) return
  if (task_program() === FORKER) forker(base)
  else disturb(base)
}
