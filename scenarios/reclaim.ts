/**
 * Threads use more memory than there is: what they touch pushes out what they touched before. kswapd, on whatever CPU
 * takes it, and direct reclaim take pages off the same LRU lists; pages in use become active again; faults bring back
 * what was swapped out while it still goes out; direct reads from a device write pages that nobody maps any more; clean
 * pages of a file and pages that were given up (MADV_FREE) go without a copy.
 *
 * @config SWAP=y MEMORY=4M
 * @form cpus=2 operations=2 pages=3
 * @reaches kswapd, balance_pgdat, shrink_active_list, shrink_inactive_list, try_to_unmap, do_swap_page
 * @expects kswapd_wake, pgscan_kswapd, pgsteal_kswapd, pgsteal_direct in 4
 * @expects pswpin, pglazyfreed in 20
 */
import {
  file_create,
  get_reg,
  kernel_thread,
  kswapd,
  last_turn,
  MADV_DONTNEED,
  MADV_FREE,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  nr_cpus,
  nr_free_pages,
  oracle_dio_read,
  oracle_load,
  oracle_store,
  oracle_window,
  pages,
  prandom,
  PROT_READ,
  PROT_WRITE,
  set_page_cluster,
  set_reg,
  setup_per_zone_wmarks,
  sys_clone_thread,
  sys_close,
  sys_madvise,
  sys_mmap,
  sys_swapon,
  task_program,
  user_load,
  user_store,
  write_file,
} from 'mmtorture/kernel'

const PAGES = 160
/** Words of a page: the first thread's, the others'. */
const WORDS = 8
const BATCH = 8

// Programs.
const THREAD = 0
const KSWAPD = 1

// Registers: the area; the word that the task writes; pages whose contents do not matter; pages of a file; a file that
// is written.
const BASE = 0
const WORD = 1
const SCRATCH = 2
const FILE = 3
const LOG = 4

export function setup(): number {
  const base = sys_mmap(0, pages(PAGES), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  const scratch = sys_mmap(0, pages(PAGES), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (base < 0) return base
  if (scratch < 0) return scratch
  const data = file_create(pages(PAGES))
  if (data < 0) return data
  const file = sys_mmap(0, pages(PAGES), PROT_READ, MAP_PRIVATE, data, 0)
  if (file < 0) return file
  const log = file_create(1 + (pages(PAGES) >> 4))
  if (log < 0) return log
  // The mappings keep the files from now on.
  const kept = sys_mmap(0, 1, PROT_READ, MAP_PRIVATE, log, 0)
  if (kept < 0) return kept
  sys_close(data)
  sys_close(log)
  const ret = oracle_window(base, pages(PAGES), WORDS, 0)
  if (ret < 0) return ret
  const device = sys_swapon(pages(PAGES) * 6 + 16, 0)
  if (device < 0) return device
  set_page_cluster(1)
  set_reg(BASE, base)
  set_reg(SCRATCH, scratch)
  set_reg(FILE, file)
  set_reg(LOG, log)
  kernel_thread(KSWAPD)
  for (let thread = 1; thread < nr_cpus(); thread++) {
    set_reg(WORD, thread)
    const pid = sys_clone_thread(THREAD)
    if (pid < 0) return pid
  }
  set_reg(WORD, 0)
  // Room for half of the pages, and for what is written to the file.
  const room = (pages(PAGES) >> 1) + (pages(PAGES) >> 4) + 2 * nr_cpus() + 2
  const gap = Math.max(1, pages(PAGES) >> 5)
  setup_per_zone_wmarks(Math.max(2, nr_free_pages() - room), gap)
  return 0
}

/** Reads and writes some pages, near ones more often than far ones; and gives up pages of the other area. */
function use(base: number, word: number): void {
  for (let i = 0; i < Math.min(BATCH, pages(PAGES)); i++) {
    const page = base + prandom(1 + prandom(pages(PAGES)))
    const way = prandom(4)
    if (word < WORDS && way === 0) oracle_dio_read(page, word)
    else if (word < WORDS && way < 3) oracle_store(page, word)
    oracle_load(page, prandom(WORDS))
  }
  const scratch = get_reg(SCRATCH) + prandom(pages(PAGES))
  if (prandom(2) === 0) user_store(scratch, 0, 1)
  else sys_madvise(scratch, 1, MADV_FREE)
}

/** Reads a page of the file and gives its mapping up; writes a page to the other file. */
function use_files(base: number): void {
  const page = get_reg(FILE) + prandom(pages(PAGES))
  user_load(page, 0)
  sys_madvise(page, 1, MADV_DONTNEED)
  if (prandom(4) === 0)
    write_file(get_reg(LOG), prandom(1 + (pages(PAGES) >> 4)), base + prandom(pages(PAGES)))
}

export function program(): void {
  if (task_program() === KSWAPD) {
    kswapd()
    return
  }
  if (last_turn()) return
  const base = get_reg(BASE)
  use(base, get_reg(WORD))
  use_files(base)
}
