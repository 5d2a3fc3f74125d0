/**
 * Processes share an object of shared memory, and a file's pages, privately and shared: faults through do_fault in all
 * its forms. Each process writes words of its own, reads the others', and discards its mapping, which must lose
 * nothing. Now and then one maps an object for a moment, and takes it along when it goes.
 *
 * @form cpus=3 operations=2 pages=2
 * @form cpus=3 operations=2 pages=2 VMA_LOCK=y
 * @reaches do_read_fault, do_cow_fault, do_shared_fault, wp_page_shared
 */
import {
  BUG_ON,
  file_create,
  get_reg,
  last_turn,
  MADV_DONTNEED,
  MAP_PRIVATE,
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
  sys_mprotect,
  sys_munmap,
  user_load,
  user_signal,
  user_store,
} from 'mmtorture/kernel'

const PAGES = 64
const WORDS = 15
const BATCH = 8

// Registers.
const SHARED = 0
const FILE = 1
const WORD = 2
const SHARED_FILE = 3

export function setup(): number {
  const object = shmem_create(pages(PAGES))
  const file = file_create(pages(PAGES))
  if (object < 0) return object
  if (file < 0) return file
  const shared = sys_mmap(0, pages(PAGES), PROT_READ | PROT_WRITE, MAP_SHARED, object, 0)
  const priv = sys_mmap(0, pages(PAGES), PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0)
  const shared_file = sys_mmap(0, pages(PAGES), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
  if (shared < 0) return shared
  if (priv < 0) return priv
  if (shared_file < 0) return shared_file
  // The mappings keep them from now on.
  sys_close(object)
  sys_close(file)
  const ret = oracle_window(shared, pages(PAGES), WORDS, 1)
  if (ret < 0) return ret
  set_reg(SHARED, shared)
  set_reg(FILE, priv)
  set_reg(SHARED_FILE, shared_file)
  for (let cpu = 1; cpu < nr_cpus(); cpu++) {
    set_reg(WORD, cpu)
    // Every other one is a thread of the first process, the rest are processes.
    const pid = cpu % 2 === 1 ? sys_clone_thread(0) : sys_fork(0)
    if (pid < 0) return pid
  }
  set_reg(WORD, 0)
  return 0
}

function touch_shared(shared: number, word: number): void {
  for (let i = 0; i < Math.min(BATCH, pages(PAGES)); i++) {
    const page = shared + prandom(pages(PAGES))
    if (word < WORDS && prandom(2) !== 0) oracle_store(page, word)
    oracle_load(page, prandom(WORDS))
  }
}

/** A private mapping of a file that reads as zeros: what is there is zero or the process' own. */
function touch_file(file: number): void {
  for (let i = 0; i < Math.min(BATCH, pages(PAGES)); i++) {
    const page = file + prandom(pages(PAGES))
    const got = user_load(page, 0)
    BUG_ON(user_signal() === 0 && got !== 0 && got !== page)
    if (prandom(2) !== 0) user_store(page, 0, page)
  }
}

/** Writes to a page of the file that was read before, which the file is told of first. Word 0 stays zero. */
function store_to_file(file: number): void {
  const page = file + prandom(pages(PAGES))
  user_load(page, 1)
  if (user_signal() === 0) user_store(page, 1, page)
}

/** An object that only this mapping has, shared with nobody, read, then written, and gone with its pages. */
function pass_by(): void {
  const object = shmem_create(2)
  if (object < 0) return
  const area = sys_mmap(0, 2, PROT_READ, MAP_SHARED, object, 0)
  sys_close(object)
  if (area < 0) return
  const got = user_load(area, 0)
  BUG_ON(user_signal() === 0 && got !== 0)
  if (sys_mprotect(area, 1, PROT_READ | PROT_WRITE) === 0) user_store(area, 0, 1)
  BUG_ON(sys_munmap(area, 2) !== 0)
}

export function program(): void {
  if (last_turn()) return
  const shared = get_reg(SHARED)
  const file = get_reg(FILE)
  touch_shared(shared, get_reg(WORD))
  touch_file(file)
  store_to_file(get_reg(SHARED_FILE))
  if (prandom(8) === 0) pass_by()
  if (prandom(16) === 0) BUG_ON(sys_madvise(shared, pages(PAGES), MADV_DONTNEED) !== 0)
  if (prandom(16) === 0) BUG_ON(sys_madvise(file, pages(PAGES), MADV_DONTNEED) !== 0)
}
