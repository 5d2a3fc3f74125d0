/**
 * One thread changes the rights of a mapping while others touch its pages for the first time. Where no page table
 * exists yet, nothing but the lock that a fault takes orders the mapping's new rights before its look at them.
 *
 * @form cpus=2 operations=2 pages=3
 * @form cpus=2 operations=2 pages=3 VMA_LOCK=y
 * @reaches do_mprotect, change_pte_range, do_shared_fault
 */
import {
  BUG_ON,
  get_reg,
  last_turn,
  MAP_FIXED,
  MAP_SHARED,
  nr_cpus,
  pages,
  PROT_READ,
  PROT_WRITE,
  set_reg,
  shmem_create,
  SIGKILL,
  SIGSEGV,
  sys_clone_thread,
  sys_close,
  sys_mmap,
  sys_mprotect,
  task_program,
  user_load,
  user_signal,
  user_store,
} from 'mmtorture/kernel'

const PAGES = 8
/** Turns after which the object is mapped anew, so that first touches do not end. */
const ROUND_TURNS = 8

// Programs.
const PROTECTOR = 0
const TOUCHER = 1

// Registers.
const BASE = 0
const OBJECT = 1
const TURN = 2

function map(at: number, object: number): number {
  const fixed = at === 0 ? 0 : MAP_FIXED
  return sys_mmap(at, pages(PAGES), PROT_READ | PROT_WRITE, MAP_SHARED | fixed, object, 0)
}

export function setup(): number {
  const object = shmem_create(pages(PAGES))
  if (object < 0) return object
  const base = map(0, object)
  if (base < 0) return base
  // Another mapping keeps the object while this one is exchanged.
  const kept = map(0, object)
  if (kept < 0) return kept
  sys_close(object)
  set_reg(BASE, base)
  set_reg(OBJECT, object)
  for (let thread = 1; thread < nr_cpus(); thread++) {
    const pid = sys_clone_thread(TOUCHER)
    if (pid < 0) return pid
  }
  return 0
}

/** Takes the right to write, gives it back, and now and then lets the page tables go. */
function protector(base: number): void {
  const turn = get_reg(TURN)
  set_reg(TURN, (turn + 1) % ROUND_TURNS)
  if (turn === ROUND_TURNS - 1) BUG_ON(map(base, get_reg(OBJECT)) !== base)
  else BUG_ON(sys_mprotect(base, pages(PAGES), turn % 2 === 0 ? PROT_READ : PROT_READ | PROT_WRITE) !== 0)
}

/** The pages may be read at all times, and written by times. */
function toucher(base: number): void {
  for (let i = 0; i < pages(PAGES); i++) {
    const signal = user_store(base + i, 0, base + i)
    BUG_ON(signal !== 0 && signal !== SIGSEGV && signal !== SIGKILL)
    const got = user_load(base + i, 0)
    // There is no memory.
    if (user_signal() === SIGKILL) continue
    BUG_ON(user_signal() !== 0 || (got !== base + i && (signal === 0 || got !== 0)))
  }
}

export function program(): void {
  if (last_turn()) return
  if (task_program() === PROTECTOR) protector(get_reg(BASE))
  else toucher(get_reg(BASE))
}
