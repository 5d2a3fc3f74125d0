/**
 * Every CPU takes one spinlock again and again and counts under it by plain accesses. Nothing but the lock keeps the
 * count exact: two CPUs in the section at once, or an unlock that wakes nobody, show here first. Where the machine sets
 * times for the section and for thinking (mmtorture scale --section --think), these are all that happens: thinking is
 * of exponential distribution.
 */
import {
  atomic_fetch_add,
  atomic_load,
  begin_operation,
  BUG_ON,
  get_reg,
  last_turn,
  load,
  LOCK_CLASS_user,
  ndelay,
  nr_cpus,
  prandom,
  prandom_exponential,
  scenario_word,
  section_ns,
  set_reg,
  spin_lock,
  spin_lock_init,
  spin_trylock,
  spin_unlock,
  store,
  sys_clone_thread,
  think_ns,
  type Spinlock,
} from 'mmtorture/kernel'

/** Most rounds of thinking between two critical sections. */
const THINK = 64
/** One take in so many is a trylock. */
const TRIES = 8

// Words: the lock; what is counted under it by plain accesses; the same by an atomic operation.
const LOCK = 0
const COUNT = 1
const EXACT = 2

// Registers.
const THOUGHTS = 0
const TURN = 1

export function setup(): number {
  spin_lock_init(scenario_word(LOCK) as Spinlock, LOCK_CLASS_user)
  for (let thread = 1; thread < nr_cpus(); thread++) {
    const pid = sys_clone_thread(0)
    if (pid < 0) return pid
  }
  return 0
}

function critical_section(): void {
  const count = load(scenario_word(COUNT))
  BUG_ON(count !== atomic_load(scenario_word(EXACT)))
  store(scenario_word(COUNT), (count + 1) | 0)
  atomic_fetch_add(scenario_word(EXACT), 1)
}

export function program(): void {
  if (last_turn()) return
  const lock = scenario_word(LOCK) as Spinlock
  begin_operation()
  if (section_ns() + think_ns() > 0) {
    if (think_ns() > 0) ndelay(prandom_exponential(think_ns()))
    spin_lock(lock)
    ndelay(section_ns())
    spin_unlock(lock)
    return
  }
  const turn = get_reg(TURN)
  set_reg(TURN, (turn + 1) % TRIES)
  if (turn !== TRIES - 1) spin_lock(lock)
  else if (!spin_trylock(lock)) return
  critical_section()
  spin_unlock(lock)
  for (let left = prandom(THINK); left > 0; left--) set_reg(THOUGHTS, get_reg(THOUGHTS) ^ left)
}
