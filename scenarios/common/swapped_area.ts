/**
 * What scenarios about swapped pages begin with: an area that is swapped out, and a thread for each other CPU. No
 * scenario itself.
 */
import {
  MADV_PAGEOUT,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  nr_cpus,
  oracle_store,
  oracle_window,
  PROT_READ,
  PROT_WRITE,
  set_page_cluster,
  set_reg,
  sys_clone_thread,
  sys_madvise,
  sys_mmap,
  sys_swapon,
} from 'mmtorture/kernel'

/**
 * Maps `npages` pages, an oracle window of `words` words a page, writes the first word of each, and swaps them out to a
 * new device of `slots` slots with the SWP_ flags `flags`; slots are read one at a time. Returns the first page or a
 * negative error.
 */
export function swapped_area(npages: number, words: number, slots: number, flags: number): number {
  const base = sys_mmap(0, npages, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (base < 0) return base
  const ret = oracle_window(base, npages, words, 0)
  if (ret < 0) return ret
  const device = sys_swapon(slots, flags)
  if (device < 0) return device
  set_page_cluster(0)
  for (let i = 0; i < npages; i++) oracle_store(base + i, 0)
  sys_madvise(base, npages, MADV_PAGEOUT)
  return base
}

/**
 * Starts a thread of program `program` for each CPU but the first. Each finds its number in register `register`: 1, 2,
 * …; the caller has 0 there. Returns 0 or a negative error.
 */
export function start_threads(program: number, register: number): number {
  for (let thread = 1; thread < nr_cpus(); thread++) {
    set_reg(register, thread)
    const pid = sys_clone_thread(program)
    if (pid < 0) return pid
  }
  set_reg(register, 0)
  return 0
}
