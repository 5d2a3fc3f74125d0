/**
 * Every CPU takes one semaphore again and again, for reading, for writing, or for writing and then for reading, and
 * counts under it by plain accesses. Nothing but the semaphore keeps the count exact; a wake-up that is lost leaves a
 * CPU asleep for good.
 */
import {
  atomic_fetch_add,
  atomic_load,
  begin_operation,
  BUG_ON,
  down_read,
  down_read_trylock,
  down_write,
  downgrade_write,
  get_reg,
  init_rwsem,
  last_turn,
  load,
  LOCK_CLASS_user_rwsem_R,
  LOCK_CLASS_user_rwsem_W,
  nr_cpus,
  scenario_word,
  set_reg,
  store,
  sys_clone_thread,
  up_read,
  up_write,
  type Rwsem,
} from 'mmtorture/kernel'

// Words: the semaphore; what is counted under it by plain accesses; the same by an atomic operation.
const SEM = 0
const COUNT = 1
const EXACT = 2

// What a turn does.
const TURN = 0
const TURNS = 4

export function setup(): number {
  init_rwsem(scenario_word(SEM) as Rwsem, LOCK_CLASS_user_rwsem_R, LOCK_CLASS_user_rwsem_W)
  for (let thread = 1; thread < nr_cpus(); thread++) {
    set_reg(TURN, thread)
    const pid = sys_clone_thread(0)
    if (pid < 0) return pid
  }
  set_reg(TURN, 0)
  return 0
}

/** No writer is in: both counts agree. */
function read_section(): void {
  BUG_ON(load(scenario_word(COUNT)) !== atomic_load(scenario_word(EXACT)))
}

function write_section(): void {
  read_section()
  store(scenario_word(COUNT), (load(scenario_word(COUNT)) + 1) | 0)
  atomic_fetch_add(scenario_word(EXACT), 1)
}

export function program(): void {
  if (last_turn()) return
  const sem = scenario_word(SEM) as Rwsem
  begin_operation()
  const turn = get_reg(TURN)
  set_reg(TURN, (turn + 1) % TURNS)
  if (turn === 0) {
    down_write(sem)
    write_section()
    up_write(sem)
    return
  }
  if (turn === 1) down_read(sem)
  else if (turn === 2) {
    down_write(sem)
    write_section()
    downgrade_write(sem)
  } else if (!down_read_trylock(sem)) return
  read_section()
  up_read(sem)
}
