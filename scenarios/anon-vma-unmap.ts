/**
 * One thread unmaps pages, and the anon_vma of one of them goes for good, while its siblings look for the reverse map
 * of that page to migrate or reclaim it: they hold nothing but RCU, and by then the page may be mapped no more.
 *
 * @config SWAP=y
 * @form cpus=2 operations=3 pages=2
 * @reaches folio_get_anon_vma, unlink_anon_vmas, try_to_migrate
 */
import {
  get_reg,
  last_turn,
  MADV_DONTNEED,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  nr_cpus,
  PROT_READ,
  PROT_WRITE,
  PTRS_PER_PTE,
  set_page_cluster,
  set_reg,
  sys_clone_thread,
  sys_madvise,
  sys_memory_reclaim,
  sys_mmap,
  sys_move_pages,
  sys_munmap,
  sys_swapon,
  user_store,
} from 'mmtorture/kernel'

/** Two areas of two pages, not next to each other, so that each has an anon_vma of its own. */
const FIRST = 4 * PTRS_PER_PTE
const SECOND = FIRST + 3
const LENGTH = 2

// Registers: a task's number; how many turns it has had.
const THREAD = 0
const TURN = 1

/** Maps an area and writes its first page, which comes to its LRU list. Returns 0 or a negative error. */
function map_area(area: number): number {
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED
  const at = sys_mmap(area, LENGTH, PROT_READ | PROT_WRITE, flags, 0, 0)
  if (at < 0) return at
  user_store(area, 0, area)
  // Nothing is there; but this CPU's batches are drained.
  return sys_madvise(area + 1, 1, MADV_DONTNEED)
}

function map_areas(): number {
  const ret = map_area(FIRST)
  return ret < 0 ? ret : map_area(SECOND)
}

export function setup(): number {
  const device = sys_swapon(16, 0)
  if (device < 0) return device
  set_page_cluster(0)
  const ret = map_areas()
  if (ret < 0) return ret
  for (let thread = 1; thread < nr_cpus(); thread++) {
    set_reg(THREAD, thread)
    const pid = sys_clone_thread(0)
    if (pid < 0) return pid
  }
  set_reg(THREAD, 0)
  return 0
}

/** Unmaps both: this CPU keeps the anon_vma of the first for the next one that it needs, the other's is freed. */
function unmap_areas(): void {
  sys_munmap(FIRST, LENGTH)
  sys_munmap(SECOND, LENGTH)
}

/** Threads of an odd number migrate first, the others reclaim. */
function look(turn: number): void {
  if (turn % 2 === 1) sys_move_pages(SECOND)
  else sys_memory_reclaim(4)
}

export function program(): void {
  if (last_turn()) return
  const thread = get_reg(THREAD)
  const turn = get_reg(TURN)
  set_reg(TURN, turn + 1)
  if (thread !== 0) look(thread + turn)
  else if (turn % 2 === 0) unmap_areas()
  else map_areas()
}
