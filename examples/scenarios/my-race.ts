/** Every CPU takes a lock of its own making, a flag that it looks at and then sets: a race for `mmtorture hunt`. */
import { atomic_fetch_add, BUG_ON, last_turn, nr_cpus, READ_ONCE, scenario_word } from 'mmtorture/kernel'
import { sys_clone_thread, WRITE_ONCE } from 'mmtorture/kernel'

export function setup(): number {
  for (let thread = 1; thread < nr_cpus(); thread++) sys_clone_thread(0)
  return 0
}

export function program(): void {
  if (last_turn() || READ_ONCE(scenario_word(0)) !== 0) return
  WRITE_ONCE(scenario_word(0), 1)
  BUG_ON(atomic_fetch_add(scenario_word(1), 1) !== 0)
  atomic_fetch_add(scenario_word(1), -1)
  WRITE_ONCE(scenario_word(0), 0)
}
