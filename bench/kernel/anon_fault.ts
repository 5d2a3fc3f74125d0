/**
 * For the benchmark: the model's side of bench/c/fault.c. A thread a CPU, each with PAGES pages in page tables of its
 * own. Turns of the machine alternate: in one every thread writes its pages once (a fault each), in the next it
 * discards them. The last thread to be through stops the machine, so that the host times faults alone.
 */
import {
  atomic_fetch_add,
  BUG_ON,
  get_reg,
  MADV_DONTNEED,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  NR_PAGES,
  nr_cpus,
  PROT_READ,
  PROT_WRITE,
  PTRS_PER_PTE,
  READ_ONCE,
  scenario_word,
  set_reg,
  store,
  sys_clone_thread,
  sys_madvise,
  sys_mmap,
  user_store,
} from 'mmtorture/kernel'
import { machine$stop } from '../../src/kernel/arch/memory_map.ts'
import { cond_resched } from '../../src/kernel/sched/core.ts'

/** Pages of a thread: 64 MiB where memory allows. */
export const FAULT_PAGES = Math.min(16384, NR_PAGES >> 2)
/** Pages of a turn of a program. */
const BATCH = 512

const START = 0
const PAGE = 1
/** Turn of the machine that the thread is through with. */
const TURN = 2

// Shared words.
const MACHINE_TURN = 0
const DONE = 1

export function setup(): number {
  const base = sys_mmap(
    0,
    FAULT_PAGES * (nr_cpus() + 1),
    PROT_READ | PROT_WRITE,
    MAP_PRIVATE | MAP_ANONYMOUS,
    0,
    0,
  )
  if (base < 0) return base
  const first = Math.floor((base + PTRS_PER_PTE - 1) / PTRS_PER_PTE) * PTRS_PER_PTE
  store(scenario_word(MACHINE_TURN), 1)
  for (let thread = 1; thread < nr_cpus(); thread++) {
    set_reg(START, first + thread * FAULT_PAGES)
    const pid = sys_clone_thread(0)
    if (pid < 0) return pid
  }
  set_reg(START, first)
  return 0
}

/** The current thread is through with turn `turn`. */
function end_turn(turn: number): void {
  set_reg(TURN, turn)
  set_reg(PAGE, 0)
  if (atomic_fetch_add(scenario_word(DONE), 1) + 1 < nr_cpus()) return
  store(scenario_word(DONE), 0)
  store(scenario_word(MACHINE_TURN), turn + 1)
  store(machine$stop, 1)
}

export function program(): void {
  const turn = READ_ONCE(scenario_word(MACHINE_TURN))
  if (get_reg(TURN) === turn) {
    // The others may want this CPU's TLB flushed meanwhile.
    cond_resched()
    return
  }
  const start = get_reg(START)
  if ((turn & 1) === 0) {
    BUG_ON(sys_madvise(start, FAULT_PAGES, MADV_DONTNEED) !== 0)
    end_turn(turn)
    return
  }
  const page = get_reg(PAGE)
  const end = Math.min(FAULT_PAGES, page + BATCH)
  for (let i = page; i < end; i++) BUG_ON(user_store(start + i, 0, i) !== 0)
  set_reg(PAGE, end)
  if (end === FAULT_PAGES) end_turn(turn)
}
