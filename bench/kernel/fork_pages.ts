/**
 * For the benchmark: the model's side of bench/c/fork.c, on one CPU. Turns of the machine, each of which ends by
 * stopping it: fork with FORK_PAGES written pages; let the child exit and wait for it; write every page again, so that
 * the next fork finds it writable.
 */
import {
  BUG_ON,
  get_reg,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  NR_PAGES,
  PROT_READ,
  PROT_WRITE,
  set_reg,
  store,
  sys_exit,
  sys_fork,
  sys_mmap,
  sys_wait,
  task_program,
  user_store,
} from 'mmtorture/kernel'
import { machine$stop } from '../../src/kernel/arch/memory_map.ts'

/** Mapped pages: 64 MiB where memory allows. */
export const FORK_PAGES = Math.min(16384, NR_PAGES >> 2)

// Programs.
const PARENT = 0
const CHILD = 1

// Registers.
const BASE = 0
const STEP = 1

// Steps of the parent.
const FORK = 0
const WAIT = 1
const WRITE = 2

function write_pages(base: number): void {
  for (let i = 0; i < FORK_PAGES; i++) BUG_ON(user_store(base + i, 0, i) !== 0)
}

export function setup(): number {
  const base = sys_mmap(0, FORK_PAGES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (base < 0) return base
  set_reg(BASE, base)
  write_pages(base)
  return 0
}

export function program(): void {
  if (task_program() !== PARENT) {
    sys_exit()
    return
  }
  switch (get_reg(STEP)) {
    case FORK:
      BUG_ON(sys_fork(CHILD) < 0)
      set_reg(STEP, WAIT)
      break
    case WAIT:
      // 0: the child has not exited yet; this task sleeps until it has.
      if (sys_wait() === 0) return
      set_reg(STEP, WRITE)
      break
    default:
      write_pages(get_reg(BASE))
      set_reg(STEP, FORK)
  }
  store(machine$stop, 1)
}
