/** Processes write what they share and fork, all at the same moment: what a design does about two tables at once. */
import {
  get_reg,
  last_turn,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  nr_cpus,
  PROT_READ,
  PROT_WRITE,
  PTRS_PER_PTE,
  set_reg,
  sys_exit,
  sys_fork,
  sys_mmap,
  sys_wait,
  task_program,
  user_store,
} from 'mmtorture/kernel'

// Programs.
const FORKER = 0
const CHILD = 1
/** Register of a task: the first of its two pages. */
const BASE = 0

export function setup(): number {
  const base = sys_mmap(0, PTRS_PER_PTE + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (base < 0) return base
  set_reg(BASE, base)
  touch(base)
  for (let process = 1; process < nr_cpus(); process++) {
    const pid = sys_fork(FORKER)
    if (pid < 0) return pid
  }
  return 0
}

/** Writes a page in each of two page tables. */
function touch(base: number): void {
  user_store(base, 0, 1)
  user_store(base + PTRS_PER_PTE, 0, 1)
}

export function program(): void {
  if (task_program() === CHILD) sys_exit()
  else if (!last_turn()) {
    touch(get_reg(BASE))
    if (sys_fork(CHILD) > 0) sys_wait()
  }
}
