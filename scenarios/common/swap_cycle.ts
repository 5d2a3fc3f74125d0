/**
 * What scenarios begin with in which one process turns a swap device off and on while others have families: programs 0
 * to 2, and a process of program PARENT for each CPU but the first. No scenario itself.
 */
import {
  BUG_ON,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  nr_cpus,
  PROT_READ,
  PROT_WRITE,
  set_page_cluster,
  set_reg,
  sys_fork,
  sys_mmap,
  sys_swapoff,
  sys_swapon,
  user_load,
  user_signal,
} from 'mmtorture/kernel'

// Programs.
export const SWAPPER = 0
export const PARENT = 1
export const CHILD = 2

/** Register of a task: the pages. */
export const BASE = 0

/** Maps `npages` pages, turns on a device of `slots` slots, and forks the parents. Returns 0 or a negative error. */
export function start_families(npages: number, slots: number): number {
  const base = sys_mmap(0, npages, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (base < 0) return base
  const device = sys_swapon(slots, 0)
  if (device < 0) return device
  set_page_cluster(0)
  set_reg(BASE, base)
  for (let cpu = 1; cpu < nr_cpus(); cpu++) {
    const pid = sys_fork(PARENT)
    if (pid < 0) return pid
  }
  return 0
}

/** Turns the device off and on again; without memory for its pages it stays. */
export function cycle_swap(slots: number): void {
  if (sys_swapoff(0) === 0) BUG_ON(sys_swapon(slots, 0) !== 0)
}

/** Reads page `page`, which holds its number. */
export function bring_back(page: number): void {
  const got = user_load(page, 0)
  BUG_ON(user_signal() === 0 && got !== page)
}
