/**
 * A thread discards swapped pages, writes them anew and pages them out while others read them.
 * Each page soon has the slot again that it had before: an entry that looks the same stands for other contents, and a page that was read from the
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

// Registers.
const BASE = 0

export function setup(): number {
  const base = sys_mmap(0, pages(PAGES), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (base < 0) return base
  const ret = oracle_window(base, pages(PAGES), 1, 0)
  if (ret < 0) return ret
  const device = sys_swapon(pages(PAGES) * 4, 0)
  if (device < 0) return device
  set_page_cluster(0)
  for (let i = 0; i < pages(PAGES); i++) oracle_store(base + i, 0)
  sys_madvise(base, pages(PAGES), MADV_PAGEOUT)
  set_reg(BASE, base)
  for (let thread = 1; thread < nr_cpus(); thread++) {
    const pid = sys_clone_thread(READER)
    if (pid < 0) return pid
  }
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

export function program(): void {
  if (last_turn()) return
  const page = get_reg(BASE) + prandom(pages(PAGES))
  if (task_program() === WRITER) renew(page)
  else oracle_load(page, 0)
}
