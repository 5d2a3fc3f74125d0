/**
 * Children sleep on one CPU and end on another, while the first idles with their address space: a new child is about to
 * run there when the former is woken. What a CPU has loaded without being its user must stay until the CPU has loaded
 * something else.
 *
 * @form cpus=2 operations=2 pages=3
 * @reaches enter_lazy_tlb, mmdrop, switch_mm, exit_mmap
 * @expects execs, exits in 1
 */
import {
  get_reg,
  last_turn,
  READ_ONCE,
  scenario_word,
  set_reg,
  sys_execve,
  sys_exit,
  sys_fork,
  sys_wait,
  task_program,
  task_wait,
  task_wake,
  WRITE_ONCE,
} from 'mmtorture/kernel'

// Programs.
const PARENT = 0
const CHILD = 1

// Registers: children that have not been waited for; what the word was when they began; whether they were woken.
const LIVE = 0
const OLD = 1
const WOKEN = 2

export function setup(): number {
  return 0
}

/** Forks, forks again and wakes both, waits for their ends: a turn each. */
function parent(): void {
  const word = scenario_word(0)
  if (get_reg(LIVE) === 0) {
    if (last_turn()) return
    set_reg(OLD, READ_ONCE(word))
    set_reg(WOKEN, 0)
    if (sys_fork(CHILD) > 0) set_reg(LIVE, 1)
  } else if (get_reg(WOKEN) === 0) {
    if (sys_fork(CHILD) > 0) set_reg(LIVE, 2)
    WRITE_ONCE(word, get_reg(OLD) + 1)
    task_wake(word)
    set_reg(WOKEN, 1)
  } else if (sys_wait() > 0) set_reg(LIVE, get_reg(LIVE) - 1)
}

export function program(): void {
  if (task_program() === PARENT) {
    parent()
    return
  }
  if (task_wait(scenario_word(0), get_reg(OLD))) return
  // Every second one with an address space of its own.
  if ((get_reg(OLD) & 1) === 1) sys_execve()
  sys_exit()
}
