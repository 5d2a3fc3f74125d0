/**
 * A process forks while another thread reclaims and moves its pages and turns the swap device off and on. When the
 * child is on mmlist, and behind whom, is what fork, reclaim and swapoff must agree on. The pages lie in two page
 * tables, so that one can be copied while the other changes.
 *
 * @config SWAP=y
 * @form cpus=2 operations=2 pages=3
 * @reaches copy_nonpresent_pte, mmlist_add, try_to_unmap, try_to_migrate, do_swapoff, unuse_pte
 * @expects forks, pswpin, pswpout, mmlist_added in 2
 */
import {
  BUG_ON,
  get_reg,
  last_turn,
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
  sys_memory_reclaim,
  sys_mmap,
  sys_move_pages,
  sys_swapoff,
  sys_swapon,
  sys_wait,
  task_program,
} from 'mmtorture/kernel'

const PAGES = 8
/**
 * Children that a process has at a time, and turns of a child. A machine that gives a task no more turns finds them
 * alive at the end.
 */
const CHILDREN = 4
const CHILD_TURNS = 4

// Programs.
const FORKER = 0
const DISTURBER = 1
const CHILD = 2

// Registers: the area; children that live; a child's turns left; what is next.
const BASE = 0
const LIVE = 1
const LEFT = 2
const NEXT = 3

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

/** Which turn of the task this is: 0, 1, 0, … */
function next_turn(): number {
  const next = get_reg(NEXT)
  set_reg(NEXT, 1 - next)
  return next
}

/** Forks; every other time reclaims before. */
function forker(): void {
  if (get_reg(LIVE) === CHILDREN) {
    if (sys_wait() > 0) set_reg(LIVE, CHILDREN - 1)
    return
  }
  if (next_turn() === 1) reclaim()
  set_reg(LEFT, CHILD_TURNS)
  if (sys_fork(CHILD) > 0) set_reg(LIVE, get_reg(LIVE) + 1)
}

/** Whether pages are used shows at the first look only. */
function reclaim(): void {
  for (let i = 0; i < 2; i++) sys_memory_reclaim(1)
}

/** Moves a page; turns the device off and on; reclaims. */
function disturb(base: number): void {
  sys_move_pages(base + prandom(pages(PAGES)))
  if (sys_swapoff(0) === 0) BUG_ON(swap_on() !== 0)
  reclaim()
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
  else if (task_program() === FORKER) forker()
  else disturb(base)
}
