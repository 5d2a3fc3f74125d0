/**
 * lock-torture on a ticket lock whose waiters watch a line that arrivals do not touch: beside the next ticket lies a
 * copy of whose turn it is, for those who find the lock free. So the Markov model of lock collapse has it, against
 * which the clock is validated: an arrival disturbs nobody who waits. The built-in lock has both words on one line, as
 * Linux has.
 */
import {
  atomic_fetch_add,
  atomic_load,
  atomic_store,
  begin_operation,
  last_turn,
  ndelay,
  nr_cpus,
  prandom_exponential,
  READ_ONCE,
  scenario_word,
  section_ns,
  smp_cond_load,
  smp_wake,
  sys_clone_thread,
  think_ns,
  WRITE_ONCE,
} from 'mmtorture/kernel'

/** Words: the next ticket, with a copy of the owner behind it, and whose turn it is. */
const NEXT = 0
const OWNER = 1

export function setup(): number {
  for (let thread = 1; thread < nr_cpus(); thread++) {
    const pid = sys_clone_thread(0)
    if (pid < 0) return pid
  }
  return 0
}

export function program(): void {
  if (last_turn()) return
  begin_operation()
  if (think_ns() > 0) ndelay(prandom_exponential(think_ns()))
  const next = scenario_word(NEXT)
  const owner = scenario_word(OWNER)
  const ticket = atomic_fetch_add(next, 1)
  // The copy may lag behind the owner, so that it says free too late and never too early.
  if (READ_ONCE(next + 1) !== ticket) {
    let turn = atomic_load(owner)
    while (turn !== ticket) turn = smp_cond_load(owner, turn)
  }
  ndelay(section_ns())
  atomic_store(owner, (ticket + 1) | 0)
  smp_wake(owner)
  WRITE_ONCE(next + 1, (ticket + 1) | 0)
}
