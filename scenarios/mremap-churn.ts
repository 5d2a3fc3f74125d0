/**
 * Threads move mapped areas to and fro with mremap while a sibling of each reads at both places.
 * What was written before a move must be there after it; a translation of the old place must not outlive the move.
 *
 * @form cpus=2 operations=2 pages=3
 * @reaches move_page_tables, move_ptes, copy_vma, do_munmap
 * @expects nr_tlb_remote_flush in 2
 */
import {
  BUG_ON,
  get_reg,
  last_turn,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  NR_CPUS,
  nr_cpus,
  oracle_load_as,
  oracle_store_as,
  oracle_window,
  pages,
  prandom,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
  PTRS_PER_PTE,
  set_reg,
  sys_clone_thread,
  sys_mmap,
  sys_mremap,
  task_program,
} from 'mmtorture/kernel'

/** Pages of an area; it lies across the border of two page tables. */
const PAGES = 12
/** Distance of an area's two places, and of two areas. */
const PLACE = PTRS_PER_PTE * 2
const AREA = PLACE * 2
const BATCH = 8
/** Pages that the oracle watches at most: each CPU keeps what it saw of all of them. */
const WATCHED = Math.min(1 << 14, Math.trunc((1 << 21) / NR_CPUS))

// Programs.
const MOVER = 0
const READER = 1

// Registers: the area's first place, its window's page, whether it lies at the second place.
const HOME = 0
const MOVED = 1

export function setup(): number {
  const movers = (nr_cpus() + 1) >> 1
  const reserve = sys_mmap(0, AREA * (movers + 1), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (reserve < 0) return reserve
  const first = Math.floor((reserve + PTRS_PER_PTE * 2) / PTRS_PER_PTE) * PTRS_PER_PTE - (pages(PAGES) >> 1)
  const ret = oracle_window(first, Math.min(AREA * movers, WATCHED), 1, 0)
  if (ret < 0) return ret
  for (let mover = movers - 1; mover >= 0; mover--) {
    const home = first + mover * AREA
    const mapped = sys_mmap(
      home,
      pages(PAGES),
      PROT_READ | PROT_WRITE,
      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
      0,
      0,
    )
    if (mapped < 0) return mapped
    set_reg(HOME, home)
    const reader = sys_clone_thread(READER)
    if (reader < 0) return reader
    if (mover === 0) return 0
    const pid = sys_clone_thread(MOVER)
    if (pid < 0) return pid
  }
  return 0
}

/** Writes and reads some pages where they lie now, then moves the area to its other place. */
function move_area(home: number): void {
  const here = home + (get_reg(MOVED) !== 0 ? PLACE : 0)
  for (let i = 0; i < Math.min(BATCH, pages(PAGES)); i++) {
    const page = prandom(pages(PAGES))
    oracle_store_as(home + page, here + page, 0)
    oracle_load_as(home + page, here + page, 0)
  }
  const there = home + (get_reg(MOVED) !== 0 ? 0 : PLACE)
  const moved = sys_mremap(here, pages(PAGES), pages(PAGES), MREMAP_MAYMOVE | MREMAP_FIXED, there)
  if (moved < 0) return
  BUG_ON(moved !== there)
  set_reg(MOVED, get_reg(MOVED) !== 0 ? 0 : 1)
}

/** Reads at both places; where the area is not, that is a signal. */
function read_places(home: number): void {
  for (let i = 0; i < Math.min(BATCH, pages(PAGES)); i++) {
    const page = prandom(pages(PAGES))
    oracle_load_as(home + page, home + page + (prandom(2) !== 0 ? PLACE : 0), 0)
  }
}

export function program(): void {
  if (last_turn()) return
  if (task_program() === MOVER) move_area(get_reg(HOME))
  else read_places(get_reg(HOME))
}
