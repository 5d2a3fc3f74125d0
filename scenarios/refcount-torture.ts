/**
 * Every CPU takes and drops references to one object. They are counted in one shared word by atomic operations, or with
 * REFCOUNT=percpu in a delta for each CPU by plain ones: a reference may be dropped on another CPU than it was taken
 * on, so that only the sum of all says how many there are. After each round the last thread to arrive looks whether the
 * sum is right.
 */
import {
  atomic_fetch_add,
  atomic_load,
  atomic_store,
  begin_operation,
  BUG_ON,
  get_reg,
  last_turn,
  load,
  nr_cpus,
  REFCOUNT,
  scenario_percpu,
  scenario_word,
  set_reg,
  smp_processor_id,
  store,
  sys_clone_thread,
  task_wait,
  task_wake,
} from 'mmtorture/kernel'

/** A value of REFCOUNT. */
const REFCOUNT_PERCPU = 1
/** Turns of a round. */
const ROUND_TURNS = 1 << 14

// Words: the count, with one reference of the object's own; threads that have arrived at the end of a round, or have
// ended; rounds.
const COUNT = 0
const ARRIVED = 1
const ENDED = 2
const ROUNDS = 3

// Registers.
const HELD = 0
const TURNS = 1
const ROUND = 2
const HAS_ARRIVED = 3

export function setup(): number {
  atomic_store(scenario_word(COUNT), 1)
  for (let thread = 1; thread < nr_cpus(); thread++) {
    const pid = sys_clone_thread(0)
    if (pid < 0) return pid
  }
  return 0
}

/** Adds to this CPU's delta: nobody else writes it, and no other task runs here before the turn is over. */
function add_delta(references: number): void {
  const delta = scenario_percpu(smp_processor_id())
  store(delta, load(delta) + references)
}

function get_ref(): void {
  if (REFCOUNT === REFCOUNT_PERCPU) add_delta(1)
  else BUG_ON(atomic_fetch_add(scenario_word(COUNT), 1) < 1)
}

function put_ref(): void {
  if (REFCOUNT === REFCOUNT_PERCPU) add_delta(-1)
  else BUG_ON(atomic_fetch_add(scenario_word(COUNT), -1) < 2)
}

/** Moves every delta into the count. No thread takes or drops references meanwhile. */
function flush_deltas(): void {
  for (let cpu = 0; cpu < nr_cpus(); cpu++) {
    const delta = scenario_percpu(cpu)
    atomic_fetch_add(scenario_word(COUNT), load(delta))
    store(delta, 0)
  }
}

/** Every thread holds one reference, besides the object's own. */
function check_count(): void {
  if (REFCOUNT === REFCOUNT_PERCPU) flush_deltas()
  BUG_ON(atomic_load(scenario_word(COUNT)) !== nr_cpus() + 1)
}

function end_round(): void {
  const rounds = scenario_word(ROUNDS)
  const round = get_reg(ROUND)
  if (get_reg(HAS_ARRIVED) === 0) {
    set_reg(HAS_ARRIVED, 1)
    if (atomic_fetch_add(scenario_word(ARRIVED), 1) === nr_cpus() - 1) {
      check_count()
      atomic_fetch_add(scenario_word(ARRIVED), -nr_cpus())
      atomic_fetch_add(rounds, 1)
      task_wake(rounds)
    }
  }
  if (atomic_load(rounds) === round && task_wait(rounds, round)) return
  set_reg(ROUND, round + 1)
  set_reg(HAS_ARRIVED, 0)
  set_reg(TURNS, 0)
}

/** Takes a reference and drops the one of the turn before. */
export function program(): void {
  if (get_reg(TURNS) === ROUND_TURNS) {
    end_round()
    return
  }
  if (last_turn()) {
    if (atomic_fetch_add(scenario_word(ENDED), 1) === nr_cpus() - 1) check_count()
    return
  }
  begin_operation()
  get_ref()
  if (get_reg(HELD) !== 0) put_ref()
  set_reg(HELD, 1)
  set_reg(TURNS, get_reg(TURNS) + 1)
}
