/**
 * Processes, the first with threads, have one object of shared memory mapped, each in its own page tables: they fault
 * its pages in, read and write them, and give their mappings up, whose pages stay with the object. A file that all map
 * is told of the first write to each page.
 *
 * @form cpus=2 operations=4 pages=2
 * @form cpus=2 operations=4 pages=2 VMA_LOCK=y
 * @reaches do_read_fault, do_shared_fault, do_wp_page, wp_page_shared, page_add_file_rmap, page_remove_rmap
 */
import {
  BUG_ON,
  file_create,
  get_reg,
  last_turn,
  MADV_DONTNEED,
  MAP_SHARED,
  nr_cpus,
  oracle_load,
  oracle_store,
  oracle_window,
  pages,
  prandom,
  PROT_READ,
  PROT_WRITE,
  set_reg,
  shmem_create,
  sys_clone_thread,
  sys_close,
  sys_fork,
  sys_madvise,
  sys_mmap,
  user_load,
  user_signal,
  user_store,
} from 'mmtorture/kernel'

const PAGES = 8
/** Words of a page: one a task. */
const WORDS = 8

// Programs.
const USER = 0

// Registers: the object and the file where they are mapped; the word that the task writes.
const OBJECT = 0
const FILE = 1
const WORD = 2

export function setup(): number {
  const object = shmem_create(pages(PAGES))
  if (object < 0) return object
  const file = file_create(pages(PAGES))
  if (file < 0) return file
  const shared = sys_mmap(0, pages(PAGES), PROT_READ | PROT_WRITE, MAP_SHARED, object, 0)
  if (shared < 0) return shared
  const mapped = sys_mmap(0, pages(PAGES), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
  if (mapped < 0) return mapped
  // The mappings keep them from now on.
  sys_close(object)
  sys_close(file)
  const ret = oracle_window(shared, pages(PAGES), WORDS, 1)
  if (ret < 0) return ret
  set_reg(OBJECT, shared)
  set_reg(FILE, mapped)
  for (let cpu = 1; cpu < nr_cpus(); cpu++) {
    set_reg(WORD, cpu)
    // The second task is a process, so that two CPUs have two.
    const pid = cpu % 2 === 1 ? sys_fork(USER) : sys_clone_thread(USER)
    if (pid < 0) return pid
  }
  set_reg(WORD, 0)
  return 0
}

/** Reads or writes first, and then the other. */
function use(page: number, word: number): void {
  if (prandom(2) === 0) oracle_load(page, prandom(WORDS))
  if (word < WORDS) oracle_store(page, word)
  oracle_load(page, prandom(WORDS))
}

/** Reads a page of the file, which is zero where nobody wrote, and writes the task's own word. */
function use_file(page: number, word: number): void {
  const own = word % WORDS
  const got = user_load(page, own)
  BUG_ON(user_signal() === 0 && got !== 0 && got !== own + 1)
  user_store(page, own, own + 1)
}

export function program(): void {
  if (last_turn()) return
  const page = prandom(pages(PAGES))
  const word = get_reg(WORD)
  use(get_reg(OBJECT) + page, word)
  use_file(get_reg(FILE) + page, word)
  const area = get_reg(prandom(2) === 0 ? OBJECT : FILE)
  if (prandom(2) === 0) BUG_ON(sys_madvise(area, pages(PAGES), MADV_DONTNEED) !== 0)
}
