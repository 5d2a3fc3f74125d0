/**
 * A thread writes a page while its process forks: fork must take the right to write out of the thread's TLB.
 *
 * @form cpus=2 operations=1 pages=1
 */
import { last_turn, MAP_ANONYMOUS, MAP_FIXED, MAP_PRIVATE, PROT_READ, PROT_WRITE } from 'mmtorture/kernel'
import { sys_clone_thread, sys_fork, sys_mmap, task_program, user_store } from 'mmtorture/kernel'

const PAGE = 64
const WRITER = 1

export function setup(): number {
  sys_mmap(PAGE, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0, 0)
  return Math.min(0, sys_clone_thread(WRITER))
}

export function program(): void {
  if (last_turn()) return
  if (task_program() === WRITER) user_store(PAGE, 0, 1)
  else sys_fork(WRITER)
}
