/**
 * Parents whose pages are swapped out fork: every child takes its uses of the slots, gets on mmlist with the first, and
 * leaves it when it ends. The locks of mmlist and of the swap map's clusters are what the CPUs meet at; children that
 * bring a page back meet there, too. It begins with threads of one process that swap its pages out together: all find
 * that it is not on mmlist, and one puts it there.
 *
 * @config SWAP=y
 * @form cpus=2 operations=2 pages=3
 * @reaches copy_nonpresent_pte, mmlist_add, mmlist_del, do_swap_page
 * @expects forks, pswpin, pswpout in 2
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
  PTRS_PER_PTE,
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
} from 'mmtorture/kernel'

const PAGES = 32
/** Children that a parent has at a time. */
const CHILDREN = 2

// Programs. A thread swaps its share out and forks a parent; the first task, program 0, becomes one itself.
const THREAD = 1
const PARENT = 2
const CHILD = 3

// Registers: the area; a parent's children that live; which thread; whether its share is swapped out.
const BASE = 0
const LIVE = 1
const SHARE = 2
const SWAPPED_OUT = 3

export function setup(): number {
  const room = 2 * PTRS_PER_PTE + pages(PAGES)
  const area = sys_mmap(0, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (area < 0) return area
  // Around the border of two page tables, so that one lock does not keep the threads apart.
  const border = Math.floor((area + PTRS_PER_PTE + pages(PAGES)) / PTRS_PER_PTE) * PTRS_PER_PTE
  const base = border - (pages(PAGES) >> 1)
  const ret = oracle_window(base, pages(PAGES), 1, 0)
  if (ret < 0) return ret
  const device = sys_swapon(nr_cpus() * pages(PAGES) * 4, SWP_SYNCHRONOUS_IO)
  if (device < 0) return device
  set_page_cluster(0)
  set_reg(BASE, base)
  for (let i = 0; i < pages(PAGES); i++) oracle_store(base + i, 0)
  for (let cpu = 1; cpu < nr_cpus(); cpu++) {
    set_reg(SHARE, cpu)
    const pid = sys_clone_thread(THREAD)
    if (pid < 0) return pid
  }
  set_reg(SHARE, 0)
  return 0
}

/** Swaps every nr_cpus-th page out. */
function swap_share_out(base: number): void {
  for (let i = get_reg(SHARE); i < pages(PAGES); i += nr_cpus()) sys_madvise(base + i, 1, MADV_PAGEOUT)
  set_reg(SWAPPED_OUT, 1)
}

function parent(): void {
  if (get_reg(LIVE) === CHILDREN) {
    if (sys_wait() > 0) set_reg(LIVE, CHILDREN - 1)
  } else if (sys_fork(CHILD) > 0) set_reg(LIVE, get_reg(LIVE) + 1)
}

export function program(): void {
  const base = get_reg(BASE)
  if (task_program() === CHILD) {
    oracle_load(base + prandom(pages(PAGES)), 0)
    oracle_store(base + prandom(pages(PAGES)), 0)
    sys_exit()
    return
  }
  if (last_turn()) return
  if (get_reg(SWAPPED_OUT) === 0) swap_share_out(base)
  else if (task_program() === THREAD) {
    sys_fork(PARENT)
    sys_exit()
  } else parent()
}
