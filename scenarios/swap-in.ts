/**
 * Threads of one process bring back the pages that setup has swapped out, the same ones at once.
 * A fault may find the slot free already, since another one was faster. There is memory for all, and nothing goes out again: no access may be told
 * that there is no memory.
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
  set_page_cluster,
  set_reg,
  sys_clone_thread,
  sys_madvise,
  sys_mmap,
  sys_swapon,
  user_signal,
} from 'mmtorture/kernel'

const PAGES = 8
/** Words of a page, one a thread. */
const WORDS = 8

// Registers: the area; the word that the task writes.
const BASE = 0
const WORD = 1

export function setup(): number {
  const base = sys_mmap(0, pages(PAGES), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (base < 0) return base
  const ret = oracle_window(base, pages(PAGES), WORDS, 0)
  if (ret < 0) return ret
  const device = sys_swapon(pages(PAGES) * 4, 0)
  if (device < 0) return device
  set_page_cluster(0)
  for (let i = 0; i < pages(PAGES); i++) oracle_store(base + i, 0)
  sys_madvise(base, pages(PAGES), MADV_PAGEOUT)
  set_reg(BASE, base)
  for (let thread = 1; thread < nr_cpus(); thread++) {
    set_reg(WORD, thread)
    const pid = sys_clone_thread(0)
    if (pid < 0) return pid
  }
  set_reg(WORD, 0)
  return 0
}

export function program(): void {
  if (last_turn()) return
  const base = get_reg(BASE)
  const word = get_reg(WORD)
  for (let page = base; page < base + pages(PAGES); page++) {
    if (word < WORDS) oracle_store(page, word)
    BUG_ON(word < WORDS && user_signal() !== 0)
    oracle_load(page, prandom(WORDS))
    BUG_ON(user_signal() !== 0)
  }
}
