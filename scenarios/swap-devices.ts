/**
 * Threads swap pages out to two devices, the second when the first is full, while another turns them off in turn: what
 * was on the one comes back and goes to the other, and an entry of either names a slot of the same number.
 *
 * @config SWAP=y
 * @form cpus=2 operations=4 pages=3
 * @reaches do_swapoff, unuse_pte, do_swap_page, shrink_page_list
 * @expects pswpout, pswpin in 2
 */
import {
  BUG_ON,
  get_reg,
  last_turn,
  MADV_PAGEOUT,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
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
  sys_madvise,
  sys_mmap,
  sys_swapoff,
  sys_swapon,
  task_program,
} from 'mmtorture/kernel'
import { start_threads } from './common/swapped_area.ts'

const PAGES = 8
/** Words of a page, one a thread. */
const WORDS = 8

// Programs.
const SWAPPER = 0
const THREAD = 1

// Registers: the area; the word that the task writes; the device to turn off.
const BASE = 0
const WORD = 1
const DEVICE = 2

/** With room for half of the pages: the first device as fast as memory, the second not. */
function swap_on(device: number): number {
  return sys_swapon(((pages(PAGES) + 1) >> 1) + 1, device === 0 ? SWP_SYNCHRONOUS_IO : 0)
}

export function setup(): number {
  const base = sys_mmap(0, pages(PAGES), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (base < 0) return base
  const ret = oracle_window(base, pages(PAGES), WORDS, 0)
  if (ret < 0) return ret
  for (let device = 0; device < 2; device++) {
    const type = swap_on(device)
    if (type < 0) return type
  }
  set_page_cluster(0)
  set_reg(BASE, base)
  for (let i = 0; i < pages(PAGES); i++) oracle_store(base + i, 0)
  sys_madvise(base, pages(PAGES), MADV_PAGEOUT)
  return start_threads(THREAD, WORD)
}

/** Turns a device off and on again; where there is no memory for its pages, it stays. */
function cycle_swap(): void {
  const device = get_reg(DEVICE)
  set_reg(DEVICE, 1 - device)
  if (sys_swapoff(device) === 0) BUG_ON(swap_on(device) !== device)
}

export function program(): void {
  if (last_turn()) return
  const base = get_reg(BASE)
  if (task_program() === SWAPPER) {
    cycle_swap()
    return
  }
  const page = base + prandom(pages(PAGES))
  oracle_load(page, 0)
  if (get_reg(WORD) < WORDS) oracle_store(page, get_reg(WORD))
  sys_madvise(base, pages(PAGES), MADV_PAGEOUT)
}
