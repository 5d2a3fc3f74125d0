/** Every CPU adds 1 to a shared counter, with a load and a store: a lost update for `mmtorture hunt`. */
import {
  atomic_fetch_add,
  BUG_ON,
  last_turn,
  nr_cpus,
  READ_ONCE,
  scenario_word,
  sys_clone_thread,
  WRITE_ONCE,
} from 'mmtorture/kernel'

export function setup(): number {
  for (let thread = 1; thread < nr_cpus(); thread++) sys_clone_thread(0)
  return 0
}

/** One turn of a task. */
export function program(): void {
  const counter = scenario_word(0)
  const turns = scenario_word(1)
  const done = scenario_word(2)
  if (!last_turn()) {
    WRITE_ONCE(counter, READ_ONCE(counter) + 1)
    atomic_fetch_add(turns, 1)
  } else if (atomic_fetch_add(done, 1) === nr_cpus() - 1) BUG_ON(READ_ONCE(counter) !== READ_ONCE(turns))
}
