/**
 * Threads of one process read, write and page out the same few pages.
 * A swap slot is read by several of them at once, and what a fault saw in the page table is gone again before it has the lock: whoever comes
 * second must notice.
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
  sys_clone_thread,
  sys_madvise,
  sys_mmap,
  sys_swapon,
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
  const page = get_reg(BASE) + prandom(pages(PAGES))
  const word = get_reg(WORD)
  // Read first, so that a write finds the page without the right to write.
  oracle_load(page, prandom(WORDS))
  if (word < WORDS) oracle_store(page, word)
  sys_madvise(page, 1, MADV_PAGEOUT)
}
