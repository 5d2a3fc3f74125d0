/**
 * Threads of one process map, split, protect, resize and unmap small areas side by side, and touch them in between.
 * mmap_lock is taken for writing as often as for reading; VMAs merge with their neighbours' and split again.
 *
 * @form cpus=2 operations=7 pages=1
 * @form cpus=2 operations=7 pages=1 VMA_LOCK=y
 * @reaches __split_vma, vma_merge, __vma_adjust, change_pte_range, move_page_tables, do_munmap
 * @expects nr_tlb_remote_flush in 1
 */
import {
  BUG_ON,
  get_reg,
  last_turn,
  MADV_DONTNEED,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  MREMAP_MAYMOVE,
  nr_cpus,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
  set_reg,
  SIGSEGV,
  sys_clone_thread,
  sys_madvise,
  sys_mmap,
  sys_mprotect,
  sys_mremap,
  sys_munmap,
  user_load,
  user_signal,
  user_store,
} from 'mmtorture/kernel'

/** Pages of an area. */
const PAGES = 8

// Registers: the area, 0 without one; what was last stored to its pages; what it does next.
const AREA = 0
const VALUE = 1
const NEXT = 2

export function setup(): number {
  for (let cpu = 1; cpu < nr_cpus(); cpu++) {
    set_reg(NEXT, cpu)
    const pid = sys_clone_thread(0)
    if (pid < 0) return pid
  }
  return 0
}

/** Writes all pages of the area; out of memory leaves it as it is, to be dropped. */
function fill(area: number): boolean {
  const value = get_reg(VALUE) + 1
  set_reg(VALUE, value)
  for (let i = 0; i < PAGES; i++) if (user_store(area + i, i, value) !== 0) return false
  for (let i = 0; i < PAGES; i++) {
    const got = user_load(area + i, i)
    BUG_ON(user_signal() === 0 && got !== value)
  }
  return true
}

/** Two pages in the middle may not be written, then not be read, then are as before. */
function protect(area: number): void {
  if (sys_mprotect(area + 3, 2, PROT_READ) < 0) return
  BUG_ON(user_store(area + 3, 0, 1) !== SIGSEGV)
  const got = user_load(area + 4, 4)
  BUG_ON(user_signal() === 0 && got !== get_reg(VALUE))
  if (sys_mprotect(area + 2, 4, PROT_NONE) === 0) {
    user_load(area + 2, 0)
    BUG_ON(user_signal() !== SIGSEGV)
  }
  // May fail for lack of memory: the pages then stay as they are until the area goes.
  sys_mprotect(area, PAGES, PROT_READ | PROT_WRITE)
}

function unmap_piecewise(area: number): void {
  BUG_ON(sys_madvise(area, PAGES, MADV_DONTNEED) !== 0)
  const got = user_load(area + 1, 1)
  BUG_ON(user_signal() === 0 && got !== 0)
  // A hole needs another VMA; without memory for it the whole goes at once.
  if (sys_munmap(area + 3, 2) === 0) {
    user_load(area + 3, 0)
  }
  BUG_ON(sys_munmap(area, PAGES) !== 0)
  set_reg(AREA, 0)
}

/** Twice as large and back: it grows where it is or moves, and what was in it comes along. */
function resize(area: number): void {
  const larger = sys_mremap(area, PAGES, PAGES * 2, MREMAP_MAYMOVE, 0)
  if (larger < 0) return
  set_reg(AREA, larger)
  const got = user_load(larger + 1, 1)
  BUG_ON(user_signal() === 0 && got !== get_reg(VALUE))
  user_store(larger + PAGES, 0, 1)
  BUG_ON(sys_mremap(larger, PAGES * 2, PAGES, 0, 0) !== larger)
}

export function program(): void {
  if (last_turn()) return
  const area = get_reg(AREA)
  if (area === 0) {
    const mapped = sys_mmap(0, PAGES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
    if (mapped > 0 && fill(mapped)) set_reg(AREA, mapped)
    else if (mapped > 0) BUG_ON(sys_munmap(mapped, PAGES) !== 0)
    return
  }
  const next = get_reg(NEXT)
  set_reg(NEXT, (next + 1) & 3)
  switch (next) {
    case 0:
      protect(area)
      return
    case 1:
      resize(area)
      return
    case 2:
      unmap_piecewise(area)
      return
    default:
      if (!fill(area)) unmap_piecewise(area)
  }
}
