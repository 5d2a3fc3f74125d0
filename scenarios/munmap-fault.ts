/**
 * One thread maps an area, touches it and unmaps it again, page tables and all, while its siblings fault in it.
 * What munmap takes away under mmap_lock held for reading must be out of every fault's reach before.
 *
 * @form cpus=2 operations=2 pages=3
 * @form cpus=2 operations=2 pages=3 VMA_LOCK=y
 * @reaches free_pgtables, zap_pte_range, downgrade_write, do_anonymous_page
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

/** Pages that are touched. */
const PAGES = 8
/** The area: one page table, which nothing else is in. */
const BASE = 4 * PTRS_PER_PTE
const LENGTH = PTRS_PER_PTE

// Programs.
const OWNER = 0
const TOUCHER = 1

// Registers: the page that comes next; whether the area is mapped.
const AT = 0
const MAPPED = 1

export function setup(): number {
  for (let cpu = 1; cpu < nr_cpus(); cpu++) {
    set_reg(AT, cpu)
    const pid = sys_clone_thread(TOUCHER)
    if (pid < 0) return pid
  }
  return 0
}

/** Maps the area in one turn and unmaps it in the next. */
function own(): void {
  if (get_reg(MAPPED) !== 0) {
    if (sys_munmap(BASE, LENGTH) === 0) set_reg(MAPPED, 0)
    return
  }
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED
  if (sys_mmap(BASE, LENGTH, PROT_READ | PROT_WRITE, flags, 0, 0) !== BASE) return
  set_reg(MAPPED, 1)
  // With an anon_vma the siblings' faults can do with the VMA's lock.
  user_store(BASE, 0, 1)
}

/** Touches a page, if there is one just now. */
function touch(): void {
  const at = get_reg(AT)
  set_reg(AT, (at + 1) % pages(PAGES))
  user_store(BASE + at, 0, 1)
}

export function program(): void {
  if (last_turn()) return
  if (task_program() === OWNER) own()
  else touch()
}
