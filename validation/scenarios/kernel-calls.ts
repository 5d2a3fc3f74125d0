/**
 * Processes do to their address spaces what a list of calls says, one call at a time, and leave what came of each. The
 * list and the results: validation/kernel/layout.ts. The first task makes the objects and the first process.
 */
import {
  atomic_load,
  atomic_store,
  BOOT_DATA,
  EINVAL,
  load,
  MAP_SHARED,
  PROT_READ,
  scenario_word,
  shmem_create,
  stop_task,
  store,
  sys_close,
  sys_exit,
  sys_fork,
  sys_madvise,
  sys_mmap,
  sys_mprotect,
  sys_mremap,
  sys_munmap,
  task_program,
  task_wait,
  task_wake,
  user_fault,
  user_load,
  user_signal,
  user_store,
} from 'mmtorture/kernel'
import {
  call$argument,
  call$kind,
  call$process,
  CALL_EXIT,
  CALL_FORK,
  CALL_MADVISE,
  CALL_MMAP,
  CALL_MPROTECT,
  CALL_MREMAP,
  CALL_MUNMAP,
  CALL_READ,
  CALL_WORDS,
  CALL_WRITE,
  calls_header$count,
  calls_header$next,
  CALLS_BASE,
  CALLS_HEADER_WORDS,
  NR_OBJECTS,
  OBJECT_PAGES,
  outcome$fault,
  outcome$result,
  outcome$signal,
  outcome$value,
  OUTCOME_WORDS,
} from '../kernel/layout.ts'

export function setup(): number {
  // Before the objects are mapped: processes have nothing but what calls map.
  const pid = sys_fork(1)
  if (pid < 0) return pid
  for (let i = 0; i < NR_OBJECTS; i++) {
    const object = shmem_create(OBJECT_PAGES)
    if (object < 0) return object
    store(scenario_word(i), object)
    const at = sys_mmap(0, 1, PROT_READ, MAP_SHARED, object, 0)
    if (at < 0) return at
    sys_close(object)
  }
  return 0
}

/** The result of a call that returns a page. */
function from_base(page: number): number {
  return page < 0 ? page : page - CALLS_BASE
}

function call_mmap(args: number, page: number, npages: number): number {
  const object = load(args + 4)
  const mapping = object < 0 ? 0 : load(scenario_word(object))
  const pgoff = object < 0 ? 0 : load(args + 5)
  return from_base(sys_mmap(page, npages, load(args + 2), load(args + 3), mapping, pgoff))
}

/** Does one call. Returns its result. */
function obey(kind: number, args: number): number {
  const page = CALLS_BASE + load(args)
  const second = load(args + 1)
  const third = load(args + 2)
  switch (kind) {
    case CALL_MMAP:
      return call_mmap(args, page, second)
    case CALL_MUNMAP:
      return sys_munmap(page, second)
    case CALL_MPROTECT:
      return sys_mprotect(page, second, third)
    case CALL_MREMAP:
      return from_base(sys_mremap(page, second, third, load(args + 3), CALLS_BASE + load(args + 4)))
    case CALL_MADVISE:
      return sys_madvise(page, second, third)
    case CALL_FORK: {
      const pid = sys_fork(load(args) + 1)
      return pid < 0 ? pid : 0
    }
    default:
      return -EINVAL
  }
}

/** One load or store, with how it ended. */
function touch(kind: number, args: number, outcome: number): void {
  const page = CALLS_BASE + load(args)
  let value = 0
  if (kind === CALL_WRITE) user_store(page, 0, load(args + 1))
  else value = user_load(page, 0)
  const signal = user_signal()
  store(outcome + outcome$signal, signal)
  store(outcome + outcome$fault, signal === 0 && user_fault() !== 0 ? 1 : 0)
  store(outcome + outcome$value, value)
}

export function program(): void {
  const me = task_program() - 1
  const count = load(BOOT_DATA + calls_header$count)
  const next = atomic_load(BOOT_DATA + calls_header$next)
  if (me < 0 || next === count) {
    // They stay as they are, to be looked at.
    stop_task()
    return
  }
  const call = BOOT_DATA + CALLS_HEADER_WORDS + next * CALL_WORDS
  if (load(call + call$process) !== me) {
    task_wait(BOOT_DATA + calls_header$next, next)
    return
  }
  const outcome = BOOT_DATA + CALLS_HEADER_WORDS + count * CALL_WORDS + next * OUTCOME_WORDS
  const kind = load(call + call$kind)
  const args = call + call$argument
  if (kind === CALL_READ || kind === CALL_WRITE) touch(kind, args, outcome)
  else if (kind === CALL_EXIT) sys_exit()
  else store(outcome + outcome$result, obey(kind, args))
  atomic_store(BOOT_DATA + calls_header$next, next + 1)
  task_wake(BOOT_DATA + calls_header$next)
}
