/**
 * A process forks while another thread reclaims and moves its pages and turns the swap device off and on. When the child is on mmlist, and behind
 * whom, is what fork, reclaim and swapoff must agree on. The pages lie in two page tables, so that one can be copied while the other changes.
 *
 * @config SWAP=y
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
  PTRS_PER_PTE,
  set_page_cluster,
  set_reg,
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

const PAGES = 8
/** Children that a process has at a time, and turns of a child. A machine that gives a task no more turns finds them alive at the end. */
const CHILDREN = 4
const CHILD_TURNS = 4

// Programs.
const FORKER = 0
const DISTURBER = 1
const CHILD = 2

// Registers: the area; children that live; a child's turns left.
const BASE = 0
const LIVE = 1
const LEFT = 2

function swap_on(): number {
  return sys_swapon(4 * pages(PAGES), SWP_SYNCHRONOUS_IO)
}

export function setup(): number {
  const room = 2 * PTRS_PER_PTE + pages(PAGES)
  const area = sys_mmap(0, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (area < 0) return area
  const border = Math.floor((area + PTRS_PER_PTE + pages(PAGES)) / PTRS_PER_PTE) * PTRS_PER_PTE
  const base = border - (pages(PAGES) >> 1)
  const ret = oracle_window(base, pages(PAGES), 1, 0)
  if (ret < 0) return ret
  const device = swap_on()
  if (device < 0) return device
  set_page_cluster(0)
  set_reg(BASE, base)
  for (let i = 0; i < pages(PAGES); i++) oracle_store(base + i, 0)
  for (let cpu = 1; cpu < nr_cpus(); cpu++) {
    const pid = sys_clone_thread(DISTURBER)
    if (pid < 0) return pid
  }
  return 0
}

/** Forks; may swap a page out before, or have swapped it out and brought it back. */
function forker(base: number): void {
  if (get_reg(LIVE) === CHILDREN) {
    if (sys_wait() > 0) set_reg(LIVE, CHILDREN - 1)
    return
  }
  const page = base + prandom(pages(PAGES))
  const what = prandom(3)
  if (what !== 0) sys_madvise(page, 1, MADV_PAGEOUT)
  if (what === 1) oracle_load(page, 0)
  set_reg(LEFT, CHILD_TURNS)
  if (sys_fork(CHILD) > 0) set_reg(LIVE, get_reg(LIVE) + 1)
}

/** Turns the device off and on, and reclaims what anybody has. */
function cycle_swap(): void {
  if (sys_swapoff(0) === 0) BUG_ON(swap_on() !== 0)
}

function disturb(base: number): void {
  const what = prandom(3)
  if (what === 0) sys_move_pages(base + prandom(pages(PAGES)))
  else {
    if (what === 1) cycle_swap()
    for (let i = 0; i < 2; i++) sys_memory_reclaim(1)
  }
}

function child(base: number): void {
  const left = get_reg(LEFT)
  set_reg(LEFT, left - 1)
  if (left === 0) sys_exit()
  else oracle_load(base + prandom(pages(PAGES)), 0)
}

export function program(): void {
  const base = get_reg(BASE)
  if (last_turn()) return
  if (task_program() === CHILD) child(base)
  else if (task_program() === FORKER) forker(base)
  else disturb(base)
}
