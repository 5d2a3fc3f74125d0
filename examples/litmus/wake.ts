/**
 * One task sleeps until the other has set a word: it must look at the word once more when nobody can miss it any more.
 *
 * @form cpus=2 operations=2 pages=1
 */
import { atomic_load, atomic_store, last_turn, scenario_word, sys_clone_thread } from 'mmtorture/kernel'
import { task_program, task_wait, task_wake } from 'mmtorture/kernel'

const SLEEPER = 0
const WAKER = 1

export function setup(): number {
  return Math.min(0, sys_clone_thread(WAKER))
}

export function program(): void {
  if (last_turn()) return
  const word = scenario_word(0)
  if (task_program() === SLEEPER && atomic_load(word) === 0) task_wait(word, 0)
  else {
    atomic_store(word, 1)
    task_wake(word)
  }
}
