/**
 * swapoff brings pages back while threads fault on the same pages.
 * Both have found the entry, and one of them maps the page first.
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
  sys_swapoff,
  sys_swapon,
  task_program,
} from 'mmtorture/kernel'

const PAGES = 8
/** Words of a page, one a thread. */
const WORDS = 8

// Programs.
const SWAPPER = 0
const THREAD = 1

// Registers: the area; the word that the task writes.
const BASE = 0
const WORD = 1

/** Turns the device on and has the pages written to it. Returns its number or a negative error. */
function swap_out(base: number): number {
  const device = sys_swapon(pages(PAGES) * 4, 0)
  if (device >= 0) sys_madvise(base, pages(PAGES), MADV_PAGEOUT)
  return device
}

export function setup(): number {
  const base = sys_mmap(0, pages(PAGES), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (base < 0) return base
  const ret = oracle_window(base, pages(PAGES), WORDS, 0)
  if (ret < 0) return ret
  set_page_cluster(0)
  for (let i = 0; i < pages(PAGES); i++) oracle_store(base + i, 0)
  const device = swap_out(base)
  if (device < 0) return device
  set_reg(BASE, base)
  for (let thread = 1; thread < nr_cpus(); thread++) {
    set_reg(WORD, thread)
    const pid = sys_clone_thread(THREAD)
    if (pid < 0) return pid
  }
  set_reg(WORD, 0)
  return 0
}

export function program(): void {
  if (last_turn()) return
  const base = get_reg(BASE)
  if (task_program() === SWAPPER) {
    BUG_ON(sys_swapoff(0) !== 0)
    BUG_ON(swap_out(base) !== 0)
    return
  }
  const page = base + prandom(pages(PAGES))
  oracle_load(page, 0)
  if (get_reg(WORD) < WORDS) oracle_store(page, get_reg(WORD))
}
