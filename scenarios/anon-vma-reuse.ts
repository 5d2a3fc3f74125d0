/**
 * A process unmaps pages and forks while others migrate and reclaim those pages. Whoever looks for a page's reverse map
 * holds nothing that keeps it: by then it may be gone, or that of another family.
 *
 * @config SWAP=y
 * @form cpus=2 operations=4 pages=3
 * @reaches folio_get_anon_vma, unlink_anon_vmas, anon_vma_fork, try_to_migrate, try_to_unmap
 * @expects pgmigrate_success, pgsteal_direct in 20
 */
import {
  get_reg,
  last_turn,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  nr_cpus,
  prandom,
  PROT_READ,
  PROT_WRITE,
  PTRS_PER_PTE,
  set_page_cluster,
  set_reg,
  sys_clone_thread,
  sys_exit,
  sys_fork,
  sys_memory_reclaim,
  sys_mmap,
  sys_move_pages,
  sys_munmap,
  sys_swapon,
  sys_wait,
  task_program,
  user_store,
} from 'mmtorture/kernel'

/** A page that stays, and two that come and go: none next to another, so that each has an anon_vma of its own. */
const STAYS = 4 * PTRS_PER_PTE
const FIRST = STAYS + 2
const SECOND = STAYS + 4

// Programs.
const MAPPER = 0
const RECLAIMER = 1
const CHILD = 2

// Registers: what the mapper does next.
const STEP = 0

/** Maps and writes one page. Returns 0 or a negative error. */
function map_page(page: number): number {
  const at = sys_mmap(page, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0, 0)
  if (at < 0) return at
  user_store(page, 0, page)
  return 0
}

export function setup(): number {
  const ret = map_page(STAYS)
  if (ret < 0) return ret
  const device = sys_swapon(16, 0)
  if (device < 0) return device
  set_page_cluster(0)
  for (let thread = 1; thread < nr_cpus(); thread++) {
    const pid = sys_clone_thread(RECLAIMER)
    if (pid < 0) return pid
  }
  return 0
}

/**
 * Maps two pages; unmaps them and forks, so that the child may have what was the anon_vma of one of them; waits: a turn
 * each.
 */
function mapper(): void {
  const step = get_reg(STEP)
  if (step === 0) {
    map_page(FIRST)
    map_page(SECOND)
    set_reg(STEP, 1)
  } else if (step === 1) {
    sys_munmap(FIRST, 1)
    sys_munmap(SECOND, 1)
    set_reg(STEP, sys_fork(CHILD) > 0 ? 2 : 0)
  } else if (sys_wait() > 0) set_reg(STEP, 0)
}

export function program(): void {
  if (task_program() === CHILD) {
    user_store(STAYS, 0, 0)
    sys_exit()
    return
  }
  if (last_turn()) return
  if (task_program() === MAPPER) mapper()
  else if (prandom(2) === 0) sys_move_pages(prandom(2) === 0 ? FIRST : SECOND)
  else sys_memory_reclaim(4)
}
