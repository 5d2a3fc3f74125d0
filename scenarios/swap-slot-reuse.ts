/**
 * Threads read and write one page and swap it out, to a device as fast as memory that has one slot: whatever is swapped out gets that slot.
 * A fault that has read it finds the same entry again, though another page has been there in between.
 *
 * @config SWAP=y
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
  set_page_cluster,
  set_reg,
  SWP_SYNCHRONOUS_IO,
  sys_clone_thread,
  sys_madvise,
  sys_mmap,
  sys_swapon,
} from 'mmtorture/kernel'

const PAGES = 1
/** Words of a page, one a thread. */
const WORDS = 15

// Registers.
const BASE = 0
const WORD = 1

export function setup(): number {
  const base = sys_mmap(0, pages(PAGES), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (base < 0) return base
  const ret = oracle_window(base, pages(PAGES), WORDS, 0)
  if (ret < 0) return ret
  const device = sys_swapon(pages(PAGES), SWP_SYNCHRONOUS_IO)
  if (device < 0) return device
  set_page_cluster(0)
  set_reg(BASE, base)
  for (let i = 0; i < pages(PAGES); i++) oracle_store(base + i, 0)
  sys_madvise(base, pages(PAGES), MADV_PAGEOUT)
  for (let thread = 1; thread < nr_cpus(); thread++) {
    set_reg(WORD, thread)
    const pid = sys_clone_thread(thread)
    if (pid < 0) return pid
  }
  set_reg(WORD, 0)
  return 0
}

export function program(): void {
  if (last_turn()) return
  const page = get_reg(BASE) + prandom(pages(PAGES))
  const word = get_reg(WORD)
  oracle_load(page, word % WORDS)
  if (word < WORDS && prandom(2) === 0) oracle_store(page, word)
  sys_madvise(page, 1, MADV_PAGEOUT)
}
