/**
 * Threads have swapped pages read ahead with MADV_WILLNEED while another turns the device off. Whoever has read an
 * entry and dropped its lock holds nothing: the page may be back by then, its slot free and the device gone.
 *
 * @config SWAP=y
 * @form cpus=2 operations=4 pages=2
 * @reaches do_swapoff, swapin_walk_pmd_entry, do_swap_page
 * @expects pswpin, pswpout in 4
 */
import {
  get_reg,
  last_turn,
  MADV_PAGEOUT,
  MADV_WILLNEED,
  oracle_load,
  pages,
  set_reg,
  sys_madvise,
  sys_swapoff,
  sys_swapon,
  task_program,
} from 'mmtorture/kernel'
import { start_threads, swapped_area } from './common/swapped_area.ts'

const PAGES = 4

// Programs.
const SWAPPER = 0
const READER = 1

// Registers: the area; a reader's number, or whether the device is off.
const BASE = 0
const OFF = 1

export function setup(): number {
  const base = swapped_area(pages(PAGES), 1, pages(PAGES) * 4, 0)
  if (base < 0) return base
  set_reg(BASE, base)
  return start_threads(READER, OFF)
}

/** Turns the device off in one turn, and in the next on again, with the pages on it. */
function swapper(base: number): void {
  if (get_reg(OFF) === 0) {
    if (sys_swapoff(0) === 0) set_reg(OFF, 1)
    return
  }
  if (sys_swapon(pages(PAGES) * 4, 0) < 0) return
  sys_madvise(base, pages(PAGES), MADV_PAGEOUT)
  set_reg(OFF, 0)
}

function reader(base: number): void {
  sys_madvise(base, pages(PAGES), MADV_WILLNEED)
  for (let i = 0; i < pages(PAGES); i++) oracle_load(base + i, 0)
}

export function program(): void {
  if (last_turn()) return
  if (task_program() === SWAPPER) swapper(get_reg(BASE))
  else reader(get_reg(BASE))
}
