/**
 * Two CPUs copy one page on write: the second finds under the lock that the entry is not the one it copied.
 *
 * @form cpus=2 operations=1 pages=1
 */
import { last_turn, MAP_ANONYMOUS, MAP_FIXED, MAP_PRIVATE, PROT_READ, PROT_WRITE } from 'mmtorture/kernel'
import { sys_clone_thread, sys_mmap, user_load, user_store } from 'mmtorture/kernel'

const PAGE = 64

export function setup(): number {
  sys_mmap(PAGE, 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0, 0)
  user_store(PAGE + 1, 0, 1)
  user_load(PAGE, 0)
  return Math.min(0, sys_clone_thread(0))
}

export function program(): void {
  if (!last_turn()) user_store(PAGE, 0, 1)
}
