/**
 * One process forks once with as many written pages as it was told (--pages), for the time of fork() alone: scenario
 * word 0 has it in ns.
 */
import {
  BUG_ON,
  get_reg,
  ktime_get_ns,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  pages,
  PROT_READ,
  PROT_WRITE,
  scenario_word,
  set_reg,
  stop_task,
  store,
  sys_fork,
  sys_mmap,
  task_program,
  user_store,
} from 'mmtorture/kernel'

const FORKED = 1
const BASE = 0

export function setup(): number {
  const base = sys_mmap(0, pages(1), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (base < 0) return base
  set_reg(BASE, base)
  return 0
}

export function program(): void {
  if (task_program() !== FORKED) {
    for (let i = 0; i < pages(1); i++) BUG_ON(user_store(get_reg(BASE) + i, 0, i) !== 0)
    const begin = ktime_get_ns()
    BUG_ON(sys_fork(FORKED) < 0)
    store(scenario_word(0), ktime_get_ns() - begin)
  }
  stop_task()
}
