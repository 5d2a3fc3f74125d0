/**
 * Threads of one process touch neighbouring mappings of different rights for the first time at once. The second to come
 * shares the anon_vma of the first, which it finds without a lock; the pages are migrated as soon as they are there.
 * Then each unmaps its own, and maps it anew.
 *
 * @config SWAP=y
 * @form cpus=2 operations=3 pages=2
 * @reaches do_anonymous_page, find_mergeable_anon_vma, try_to_migrate
 * @expects pgmigrate_success in 4
 */
import {
  get_reg,
  last_turn,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  nr_cpus,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
  PTRS_PER_PTE,
  set_reg,
  sys_clone_thread,
  sys_mmap,
  sys_move_pages,
  sys_munmap,
  user_store,
} from 'mmtorture/kernel'

/** Each thread's page lies behind that of the one before it, in its own mapping. */
const FIRST = 4 * PTRS_PER_PTE

// Registers: a task's number; how many turns it has had.
const THREAD = 0
const TURN = 1

/** Maps the page of a thread; its rights keep it from merging with its neighbours. */
function map_page(thread: number): number {
  const prot = PROT_READ | PROT_WRITE | (thread % 2 === 0 ? 0 : PROT_EXEC)
  return sys_mmap(FIRST + thread, 1, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0, 0)
}

export function setup(): number {
  for (let thread = nr_cpus() - 1; thread >= 0; thread--) {
    const at = map_page(thread)
    if (at < 0) return at
    set_reg(THREAD, thread)
    if (thread === 0) continue
    const pid = sys_clone_thread(0)
    if (pid < 0) return pid
  }
  return 0
}

export function program(): void {
  if (last_turn()) return
  const thread = get_reg(THREAD)
  const turn = get_reg(TURN)
  set_reg(TURN, turn + 1)
  if (turn % 2 === 0) {
    user_store(FIRST + thread, 0, thread)
    sys_move_pages(FIRST + thread)
  } else {
    sys_munmap(FIRST + thread, 1)
    map_page(thread)
  }
}
