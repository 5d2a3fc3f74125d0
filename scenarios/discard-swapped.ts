/**
 * A thread discards swapped pages, writes them anew and pages them out while others read from a device into them.
 * Each page soon has the slot again that it had before: an entry that looks the same stands for other contents, and a page that was found for the
 * slot before is not the slot's any more.
 *
 * @config SWAP=y
 */
import {
  BUG_ON,
  get_reg,
  last_turn,
  MADV_DONTNEED,
  MADV_PAGEOUT,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  nr_cpus,
  oracle_discard,
  oracle_dio_read,
  oracle_discarded,
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
  task_program,
} from 'mmtorture/kernel'

const PAGES = 8

// Programs.
const WRITER = 0
const READER = 1

/** Words of a page: the first thread's, the others'. */
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
    const pid = sys_clone_thread(READER)
    if (pid < 0) return pid
  }
  set_reg(WORD, 0)
  return 0
}

/** New contents, which go where the old ones were. */
function renew(page: number): void {
  oracle_discard(page, 1)
  BUG_ON(sys_madvise(page, 1, MADV_DONTNEED) !== 0)
  oracle_discarded(page, 1)
  oracle_store(page, 0)
  sys_madvise(page, 1, MADV_PAGEOUT)
}

/** A direct read from a device into the page: its fault may not let go of mmap_lock, and sleeps until it has the page. */
function read_device(page: number, word: number): void {
  if (word < WORDS) oracle_dio_read(page, word)
  oracle_load(page, 0)
}

export function program(): void {
  if (last_turn()) return
  const page = get_reg(BASE) + prandom(pages(PAGES))
  if (task_program() === WRITER) renew(page)
  else read_device(page, get_reg(WORD))
}
