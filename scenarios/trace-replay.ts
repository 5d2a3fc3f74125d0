/**
 * The tasks of a recorded trace do again what they did to their address spaces, in the order that the trace demands.
 * Each stream of the trace is a task; a turn is one operation, or none when an operation of another stream comes first:
 * then the task sleeps and holds no CPU. The layout of the trace behind BOOT_DATA: src/trace/opcodes.ts.
 *
 * The first task owns the files (it maps a page of each) until every stream has ended, so that a run that is cut short
 * leaves nothing behind either.
 */
import {
  atomic_fetch_add,
  atomic_load,
  atomic_store,
  BOOT_DATA,
  CONTENT_WORDS,
  EINVAL,
  ENOMEM,
  FAULT_PRESENT,
  file_create,
  load,
  MAP_FIXED,
  MAP_NORESERVE,
  MAP_POPULATE,
  MAP_PRIVATE,
  MAP_SHARED,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  PROT_READ,
  set_brk,
  shmem_create,
  SIGBUS,
  SIGSEGV,
  store,
  sys_brk,
  sys_clone_thread,
  sys_close,
  sys_execve,
  sys_exit,
  sys_fork,
  sys_madvise,
  sys_mmap,
  sys_mprotect,
  sys_mremap,
  sys_munmap,
  sys_vfork,
  task_program,
  task_wait,
  task_wake,
  user_fault,
  user_load,
  user_signal,
  user_store,
} from 'mmtorture/kernel'
import {
  TRACE_BRK,
  TRACE_CLONE_THREAD,
  TRACE_EXEC,
  TRACE_EXIT,
  TRACE_FILE_WORDS,
  TRACE_FORK,
  TRACE_F_WAITED,
  TRACE_KIND_MASK,
  TRACE_MADVISE,
  TRACE_MAGIC,
  TRACE_MMAP,
  TRACE_MPROTECT,
  TRACE_MREMAP,
  TRACE_MUNMAP,
  TRACE_OP_WORDS,
  TRACE_RESULT_ABSENT,
  TRACE_RESULT_DONE,
  TRACE_RESULT_NO_FAULT,
  TRACE_RESULT_OOM,
  TRACE_RESULT_PRESENT,
  TRACE_RESULT_SEGV,
  TRACE_RESULT_SIGBUS,
  TRACE_STREAM_WORDS,
  TRACE_TOUCH,
  TRACE_VFORK,
  TRACE_WRITE,
  trace_file$object,
  trace_file$pages,
  trace_file$shmem,
  trace_header$files,
  trace_header$magic,
  trace_header$nr_ended,
  trace_header$nr_files,
  trace_header$nr_streams,
  trace_header$ops,
  trace_header$streams,
  trace_header$words,
  trace_op$deps,
  trace_op$file,
  trace_op$flags,
  trace_op$kind,
  trace_op$page,
  trace_op$pages,
  trace_op$pgoff,
  trace_op$prot,
  trace_stream$first,
  trace_stream$nr_ops,
  trace_stream$parent,
  trace_stream$progress,
} from '../src/trace/opcodes.ts'

/** Address of the record of a stream. */
function stream_record(stream: number): number {
  return BOOT_DATA + load(BOOT_DATA + trace_header$streams) + stream * TRACE_STREAM_WORDS
}

/** Address of the record of a file. */
function file_record(file: number): number {
  return BOOT_DATA + load(BOOT_DATA + trace_header$files) + file * TRACE_FILE_WORDS
}

/** Creates a file's object. Only the mapping made here keeps it. */
function open_file(record: number): number {
  const npages = load(record + trace_file$pages)
  const object = load(record + trace_file$shmem) !== 0 ? shmem_create(npages) : file_create(npages)
  if (object < 0) return object
  store(record + trace_file$object, object)
  const at = sys_mmap(0, 1, PROT_READ, MAP_SHARED, object, 0)
  sys_close(object)
  return at
}

export function setup(): number {
  if (load(BOOT_DATA + trace_header$magic) !== TRACE_MAGIC) return -EINVAL
  const nr_streams = load(BOOT_DATA + trace_header$nr_streams)
  for (let stream = 0; stream < nr_streams; stream++) {
    if (load(stream_record(stream) + trace_stream$parent) >= 0) continue
    const pid = sys_fork(stream + 1)
    if (pid < 0) return pid
  }
  const nr_files = load(BOOT_DATA + trace_header$nr_files)
  for (let file = 0; file < nr_files; file++) {
    const at = open_file(file_record(file))
    if (at < 0) return at
  }
  return 0
}

/** The first task sleeps until the last stream has ended. */
function wait_for_streams(): void {
  const ended = BOOT_DATA + trace_header$nr_ended
  const nr_streams = load(BOOT_DATA + trace_header$nr_streams)
  for (let seen = atomic_load(ended); seen < nr_streams; seen = atomic_load(ended))
    if (task_wait(ended, seen)) return
  sys_exit()
}

function stream_ended(): void {
  const ended = BOOT_DATA + trace_header$nr_ended
  if (atomic_fetch_add(ended, 1) + 1 === load(BOOT_DATA + trace_header$nr_streams)) task_wake(ended)
}

/** Whether the current task must sleep before this operation. `deps` is the address of its dependency list. */
function must_wait(deps: number): boolean {
  const count = load(deps)
  for (let i = 0; i < count; i++) {
    const progress = stream_record(load(deps + 1 + 2 * i)) + trace_stream$progress
    const index = load(deps + 2 + 2 * i)
    for (let done = atomic_load(progress); done <= index; done = atomic_load(progress))
      if (task_wait(progress, done)) return true
  }
  return false
}

/**
 * Gives up the rest of a stream, from its operation `from` on, with the streams it would start: nobody may wait for
 * them.
 */
function abandon(stream: number, from: number): void {
  const record = stream_record(stream)
  const nr_ops = load(record + trace_stream$nr_ops)
  const ops =
    BOOT_DATA + load(BOOT_DATA + trace_header$ops) + load(record + trace_stream$first) * TRACE_OP_WORDS
  for (let index = from; index < nr_ops; index++) {
    const op = ops + index * TRACE_OP_WORDS
    const kind = load(op + trace_op$kind) & TRACE_KIND_MASK
    if (kind >= TRACE_CLONE_THREAD && kind <= TRACE_VFORK) abandon(load(op + trace_op$page), 0)
  }
  atomic_store(record + trace_stream$progress, nr_ops)
  task_wake(record + trace_stream$progress)
  stream_ended()
}

/** A recorded fault: one access. Returns how it was found, as the recording tells faults apart. */
function touch(op: number, value: number): number {
  const page = load(op + trace_op$page)
  // A page of the model keeps fewer words than the recorded one.
  const word = load(op + trace_op$pages) % CONTENT_WORDS
  // A fetch is a load: the model's entries have no right of their own for it.
  if (load(op + trace_op$prot) === TRACE_WRITE) user_store(page, word, value)
  else user_load(page, word)
  const signal = user_signal()
  if (signal === SIGSEGV) return TRACE_RESULT_SEGV
  if (signal === SIGBUS) return TRACE_RESULT_SIGBUS
  if (signal !== 0) return TRACE_RESULT_OOM
  const fault = user_fault()
  if (fault === 0) return TRACE_RESULT_NO_FAULT
  return fault === FAULT_PRESENT ? TRACE_RESULT_PRESENT : TRACE_RESULT_ABSENT
}

function replay_mmap(op: number): number {
  const file = load(op + trace_op$file)
  const object = file >= 0 ? load(file_record(file) + trace_file$object) : 0
  const flags = load(op + trace_op$flags)
  const kind = (flags & MAP_SHARED) !== 0 ? MAP_SHARED : MAP_PRIVATE
  return sys_mmap(
    load(op + trace_op$page),
    load(op + trace_op$pages),
    load(op + trace_op$prot),
    kind | MAP_FIXED | (flags & (MAP_NORESERVE | MAP_POPULATE)),
    object,
    load(op + trace_op$pgoff),
  )
}

function replay_mremap(op: number): number {
  const from = load(op + trace_op$page)
  const to = load(op + trace_op$flags)
  const flags = from === to ? 0 : MREMAP_MAYMOVE | MREMAP_FIXED
  return sys_mremap(from, load(op + trace_op$pages), load(op + trace_op$prot), flags, to)
}

function replay_clone(op: number, kind: number): number {
  const child = load(op + trace_op$page)
  const part = child + 1
  const pid =
    kind === TRACE_FORK ? sys_fork(part) : kind === TRACE_VFORK ? sys_vfork(part) : sys_clone_thread(part)
  if (pid < 0) abandon(child, 0)
  return pid
}

function replay_execve(op: number): number {
  const ret = sys_execve()
  if (ret === 0) set_brk(load(op + trace_op$page))
  return ret
}

/** Executes one operation. Returns its TRACE_RESULT_, or a negative error. */
function replay(op: number, kind: number, index: number): number {
  const page = load(op + trace_op$page)
  const npages = load(op + trace_op$pages)
  let ret = 0
  switch (kind) {
    case TRACE_TOUCH:
      return touch(op, index + 1)
    case TRACE_MMAP:
      ret = replay_mmap(op)
      break
    case TRACE_MUNMAP:
      ret = sys_munmap(page, npages)
      break
    case TRACE_MPROTECT:
      ret = sys_mprotect(page, npages, load(op + trace_op$prot))
      break
    case TRACE_MREMAP:
      ret = replay_mremap(op)
      break
    case TRACE_BRK:
      ret = sys_brk(page) === page ? 0 : -ENOMEM
      break
    case TRACE_MADVISE:
      ret = sys_madvise(page, npages, load(op + trace_op$prot))
      break
    case TRACE_CLONE_THREAD:
    case TRACE_FORK:
    case TRACE_VFORK:
      ret = replay_clone(op, kind)
      break
    case TRACE_EXEC:
      ret = replay_execve(op)
      break
    case TRACE_EXIT:
      sys_exit()
      break
    default:
      ret = -EINVAL
  }
  return ret < 0 ? ret : TRACE_RESULT_DONE
}

export function program(): void {
  const stream = task_program() - 1
  if (stream < 0) {
    wait_for_streams()
    return
  }
  const record = stream_record(stream)
  const progress = record + trace_stream$progress
  const index = load(progress)
  const nth = load(record + trace_stream$first) + index
  const op = BOOT_DATA + load(BOOT_DATA + trace_header$ops) + nth * TRACE_OP_WORDS
  const deps = load(op + trace_op$deps)
  if (deps !== 0 && must_wait(BOOT_DATA + deps)) return
  const word = load(op + trace_op$kind)
  const kind = word & TRACE_KIND_MASK
  const result = replay(op, kind, index)
  store(BOOT_DATA + load(BOOT_DATA + trace_header$words) + nth, result)
  if (kind === TRACE_EXEC && result < 0) {
    // Without a new address space the rest would happen to the old one, which others may use.
    sys_exit()
    abandon(stream, index)
    return
  }
  atomic_store(progress, index + 1)
  if ((word & TRACE_F_WAITED) !== 0) task_wake(progress)
  if (kind === TRACE_EXIT) stream_ended()
}
