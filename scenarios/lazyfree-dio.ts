/**
 * A thread gives a page up with MADV_FREE and lets a device write it, past its page table; another reclaims it. Reclaim
 * may drop what was given up, but not what the device has written since: it must see either the reference or that the
 * page is dirty.
 *
 * @config SWAP=y
 * @form cpus=2 operations=2 pages=3
 * @reaches get_user_page, try_to_unmap, shrink_page_list
 * @expects pglazyfreed in 4
 */
import {
  BUG_ON,
  dio_read,
  get_reg,
  last_turn,
  MADV_FREE,
  MADV_PAGEOUT,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  nr_cpus,
  pages,
  prandom,
  PROT_READ,
  PROT_WRITE,
  set_page_cluster,
  set_reg,
  SWP_SYNCHRONOUS_IO,
  sys_clone_thread,
  sys_madvise,
  sys_mmap,
  sys_swapon,
  task_program,
  user_load,
  user_signal,
  user_store,
} from 'mmtorture/kernel'

const PAGES = 4

// Programs.
const READER = 0
const RECLAIMER = 1

// Registers: the area; what was read last.
const BASE = 0
const VALUE = 1

export function setup(): number {
  const base = sys_mmap(0, pages(PAGES), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (base < 0) return base
  const device = sys_swapon(2 * pages(PAGES), SWP_SYNCHRONOUS_IO)
  if (device < 0) return device
  set_page_cluster(0)
  set_reg(BASE, base)
  for (let i = 0; i < pages(PAGES); i++) user_store(base + i, 0, 0)
  sys_madvise(base, pages(PAGES), MADV_FREE)
  for (let cpu = 1; cpu < nr_cpus(); cpu++) {
    const pid = sys_clone_thread(RECLAIMER)
    if (pid < 0) return pid
  }
  return 0
}

/** Reads into the page from a device, looks, and gives it up again. */
function read(page: number): void {
  const value = get_reg(VALUE) + 1
  set_reg(VALUE, value)
  if (dio_read(page, 0, value) !== 0) return
  const got = user_load(page, 0)
  BUG_ON(user_signal() === 0 && got !== value)
  sys_madvise(page, 1, MADV_FREE)
}

export function program(): void {
  if (last_turn()) return
  const page = get_reg(BASE) + prandom(pages(PAGES))
  if (task_program() === READER) read(page)
  else sys_madvise(page, 1, MADV_PAGEOUT)
}
