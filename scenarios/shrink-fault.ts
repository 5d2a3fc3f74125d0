/**
 * One thread unmaps the second half of an area and maps it again, which only changes where the VMA ends, while its
 * siblings fault there. A fault that found the VMA before it shrank must notice once it has it locked.
 *
 * @config VMA_LOCK=y
 * @form cpus=2 operations=3 pages=3
 * @reaches do_anonymous_page, lock_vma_under_rcu, __vma_adjust
 * @expects vma_lock_success in 2
 */
import {
  get_reg,
  last_turn,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  nr_cpus,
  pages,
  PROT_READ,
  PROT_WRITE,
  PTRS_PER_PTE,
  set_reg,
  sys_clone_thread,
  sys_mmap,
  sys_munmap,
  task_program,
  user_store,
} from 'mmtorture/kernel'

/** Pages of the second half; the first has one. */
const PAGES = 4
const BASE = 4 * PTRS_PER_PTE
const SECOND = BASE + 1

// Programs.
const OWNER = 0
const TOUCHER = 1

// Registers: whether the second half is unmapped; the page that a toucher writes next.
const SHRUNK = 0
const AT = 0

/** Maps `npages` pages. Returns where, or a negative error. */
function map(start: number, npages: number): number {
  return sys_mmap(start, npages, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0, 0)
}

export function setup(): number {
  const base = map(BASE, 1 + pages(PAGES))
  if (base < 0) return base
  // With an anon_vma the siblings' faults can do with the VMA's lock.
  user_store(BASE, 0, 1)
  for (let thread = 1; thread < nr_cpus(); thread++) {
    const pid = sys_clone_thread(TOUCHER)
    if (pid < 0) return pid
  }
  return 0
}

function own(): void {
  if (get_reg(SHRUNK) === 0) {
    if (sys_munmap(SECOND, pages(PAGES)) === 0) set_reg(SHRUNK, 1)
  } else if (map(SECOND, pages(PAGES)) === SECOND) set_reg(SHRUNK, 0)
}

/** Writes a page, if it is mapped just now. */
function touch(): void {
  const at = get_reg(AT)
  set_reg(AT, (at + 1) % pages(PAGES))
  user_store(SECOND + at, 0, 1)
}

export function program(): void {
  if (last_turn()) return
  if (task_program() === OWNER) own()
  else touch()
}
