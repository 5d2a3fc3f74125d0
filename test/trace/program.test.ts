import { expect, test } from 'vitest'
import * as op from '../../src/trace/opcodes.ts'
import type { TraceProgram } from '../../src/trace/operations.ts'
import { operationOf, Recording } from './recording.ts'

const P = 4096
const HEAP = 0x55b1c2721000
const MAPPED = 0x7fb6d25cd000
const STACK = 0x7ffd76340000

const kinds = (program: TraceProgram, stream: number) =>
  program.streams[stream]!.operations.map(({ kind }) => kind)
const implied = (program: TraceProgram) =>
  program.streams
    .flatMap((stream) => stream.operations)
    .filter(({ kind, bits }) => kind === op.TRACE_MMAP && (bits & op.TRACE_F_IMPLIED) !== 0)

test('a task that nobody recorded starting begins with an implied exec, and ends with an implied exit', () => {
  const program = new Recording()
    .mmap(1, MAPPED, P)
    .touch(1, MAPPED + 8)
    .program()
  expect(kinds(program, 0)).toEqual([op.TRACE_EXEC, op.TRACE_MMAP, op.TRACE_TOUCH, op.TRACE_EXIT])
  expect(operationOf(program, 1, op.TRACE_EXEC).bits).toBe(op.TRACE_F_IMPLIED)
  expect(operationOf(program, 1, op.TRACE_EXIT).bits).toBe(op.TRACE_F_IMPLIED)
})

test(
  'a touch keeps its word, its access, whether the page was present, and that its anonymous mmap ' +
    'was recorded',
  () => {
    const touch = operationOf(
      new Recording()
        .mmap(1, MAPPED, P)
        .touch(1, MAPPED + 8, 'present write')
        .program(),
      1,
      op.TRACE_TOUCH,
    )
    expect(touch).toMatchObject({ page: MAPPED / P, offset: 2, access: op.TRACE_WRITE })
    expect(touch.bits).toBe(op.TRACE_F_PRESENT | op.TRACE_F_USER | op.TRACE_F_ANON)
  },
)

test('mmap is placed where it returned, whatever address was asked for', () => {
  const recording = new Recording().enter(1, 'mmap', {
    addr: 0x1000,
    len: 0x1001,
    prot: 3,
    flags: 0x22,
    fd: 0,
    off: 0,
  })
  const mmap = operationOf(recording.return(1, 'mmap', MAPPED).program(), 1, op.TRACE_MMAP)
  expect(mmap).toMatchObject({ page: MAPPED / P, pages: 2, prot: 3, flags: 0x22, file: -1, bits: 0 })
})

test('a call that failed is passed over with its errno', () => {
  const args = { addr: 0, len: P, prot: 3, flags: 0x22, fd: 0, off: 0 }
  const program = new Recording().enter(1, 'mmap', args).return(1, 'mmap', -12).program()
  expect(kinds(program, 0)).not.toContain(op.TRACE_MMAP)
  expect(program.passedOver).toEqual([{ what: 'mmap', why: 'it failed with errno 12', count: 1 }])
})

test('an mprotect that failed at a hole is done again, and has changed what lies below it', () => {
  const program = new Recording()
    .mmap(1, MAPPED, 2 * P, 0)
    .enter(1, 'mprotect', { start: MAPPED, len: 3 * P, prot: 3 })
    .return(1, 'mprotect', -12)
    .touch(1, MAPPED)
    .program()
  expect(operationOf(program, 1, op.TRACE_MPROTECT)).toMatchObject({ pages: 3, errno: 12 })
  expect(operationOf(program, 1, op.TRACE_TOUCH).bits & op.TRACE_F_SEGV).toBe(0)
})

test('an mremap that failed with EFAULT had made room at its new place', () => {
  const args = { addr: MAPPED, old_len: 2 * P, new_len: P, flags: 3, new_addr: MAPPED + 8 * P }
  const program = new Recording()
    .mmap(1, MAPPED, P)
    .mmap(1, MAPPED + 8 * P, P)
    .enter(1, 'mremap', args)
    .return(1, 'mremap', -14)
    .touch(1, MAPPED + 8 * P)
    .program()
  expect(operationOf(program, 1, op.TRACE_MREMAP)).toMatchObject({ errno: 14 })
  // The touch is explained by nothing that was recorded.
  expect(implied(program).map(({ page }) => page)).toEqual([MAPPED / P + 8])
})

test('an mremap of no pages maps shared memory a second time', () => {
  const args = { addr: MAPPED + P, old_len: 0, new_len: P, flags: 1, new_addr: 0 }
  const program = new Recording()
    .mmap(1, MAPPED, 2 * P, 3, 0x21)
    .enter(1, 'mremap', args)
    .return(1, 'mremap', MAPPED + 8 * P)
    .touch(1, MAPPED + 8 * P)
    .touch(1, MAPPED)
    .program()
  expect(operationOf(program, 1, op.TRACE_MREMAP)).toMatchObject({ pages: 0, newPages: 1 })
  expect(implied(program)).toEqual([])
})

test.each([
  ['MADV_HUGEPAGE', (one: Recording) => one.madvise(1, MAPPED, P, 14)],
  ['mlock', (one: Recording) => one.enter(1, 'mlock', { start: MAPPED + 8, len: 8 }).return(1, 'mlock', 0)],
])('touches of an area with %s are shown apart, those beside it are not', (name, call) => {
  const recording = new Recording().mmap(1, MAPPED, 2 * P)
  const program = call(recording)
    .touch(1, MAPPED)
    .touch(1, MAPPED + P)
    .program()
  expect(operationOf(program, 1, op.TRACE_TOUCH).apart).toBe(name)
  expect(operationOf(program, 1, op.TRACE_TOUCH, 1).apart).toBe('')
})

test('MREMAP_DONTUNMAP leaves both areas, and both are shown apart', () => {
  const args = { addr: MAPPED, old_len: P, new_len: P, flags: 5, new_addr: 0 }
  const program = new Recording()
    .mmap(1, MAPPED, P)
    .enter(1, 'mremap', args)
    .return(1, 'mremap', MAPPED + 8 * P)
    .touch(1, MAPPED)
    .touch(1, MAPPED + 8 * P)
    .program()
  expect(implied(program)).toEqual([])
  for (const nth of [0, 1])
    expect(operationOf(program, 1, op.TRACE_TOUCH, nth).apart).toBe('MREMAP_DONTUNMAP')
})

test('a file that mremap makes larger has so many pages', () => {
  const program = new Recording()
    .mmap(1, MAPPED, P, 1, 2, 3)
    .mremap(1, MAPPED, P, 4 * P, MAPPED + 8 * P)
    .program()
  expect(program.files).toEqual([{ pages: 4, shmem: false }])
})

test('a call whose return was not recorded is passed over', () => {
  const program = new Recording().enter(1, 'munmap', { addr: MAPPED, len: P }).program()
  expect(program.passedOver).toEqual([{ what: 'munmap', why: 'its return was not recorded', count: 1 }])
})

test('a fault outside every area makes an inferred private file mapping at the start of the image', () => {
  const program = new Recording()
    .touch(1, 0x400000, 'absent fetch')
    .touch(1, 0x403000, 'present write')
    .program()
  expect(kinds(program, 0).slice(0, 3)).toEqual([op.TRACE_EXEC, op.TRACE_MMAP, op.TRACE_MMAP])
  const [text, data] = implied(program)
  expect(text).toMatchObject({ page: 0x400, pages: 3, prot: 5, flags: 0x12, pgoff: 0 })
  expect(data).toMatchObject({ page: 0x403, pages: 1, prot: 3, flags: 0x12, pgoff: 3, file: text!.file })
})

test('a gap between inferred pages is not filled where a recorded call maps something', () => {
  const program = new Recording()
    .touch(1, 0x400000, 'absent read')
    .mmap(1, 0x402000, P)
    .touch(1, 0x404000, 'absent read')
    .program()
  expect(implied(program).map(({ page, pages }) => [page, pages])).toEqual([
    [0x400, 1],
    [0x404, 1],
  ])
})

test('the inferred stack is one anonymous area from its lowest touched page to its highest', () => {
  const program = new Recording()
    .touch(1, STACK)
    .touch(1, STACK - 6 * P, 'absent read')
    .touch(1, STACK - 3 * P)
    .program()
  expect(implied(program)).toEqual([
    expect.objectContaining({ page: STACK / P - 6, pages: 7, prot: 3, flags: 0x32, file: -1 }),
  ])
})

test('vvar and vdso above the stack are not part of it', () => {
  const program = new Recording()
    .touch(1, STACK)
    .touch(1, STACK + 5 * P, 'absent fetch')
    .program()
  expect(implied(program).map(({ prot, flags }) => [prot, flags])).toEqual([
    [3, 0x32],
    [5, 0x12],
  ])
})

test('what a forked child touches of its image is inferred for the image it was forked from', () => {
  const program = new Recording().touch(1, 0x400000).fork(1, 2).touch(2, 0x401000).program()
  expect(implied(program).map(({ stream, page, pages }) => [stream, page, pages])).toEqual([[0, 0x400, 2]])
})

test('an access where the recording unmapped the page makes a mapping just before it', () => {
  const program = new Recording().mmap(1, MAPPED, P).munmap(1, MAPPED, P).touch(1, MAPPED).program()
  expect(kinds(program, 0).slice(1, -1)).toEqual([
    op.TRACE_MMAP,
    op.TRACE_MUNMAP,
    op.TRACE_MMAP,
    op.TRACE_TOUCH,
  ])
})

test('pages that mprotect succeeded on existed', () => {
  const program = new Recording().mprotect(1, 0x400000, 2 * P, 1).program()
  expect(implied(program)).toEqual([expect.objectContaining({ page: 0x400, pages: 2, prot: 3 })])
})

test('an access that the recorded rights forbid is marked as a SIGSEGV of the recording', () => {
  const program = new Recording().mmap(1, MAPPED, P, 0).touch(1, MAPPED, 'absent read').program()
  expect(operationOf(program, 1, op.TRACE_TOUCH).bits & op.TRACE_F_SEGV).not.toBe(0)
})

test('a null pointer is a SIGSEGV of the recording, never an inferred mapping', () => {
  const program = new Recording().touch(1, 8, 'absent read').program()
  expect(operationOf(program, 1, op.TRACE_TOUCH).bits & op.TRACE_F_SEGV).not.toBe(0)
  expect(implied(program)).toEqual([])
})

test('PROT_NONE memory committed by mprotect or by MAP_FIXED may be written', () => {
  const program = new Recording()
    .mmap(1, MAPPED, 8 * P, 0)
    .mprotect(1, MAPPED, P, 3)
    .mmap(1, MAPPED + P, P, 3, 0x32)
    .touch(1, MAPPED)
    .touch(1, MAPPED + P)
    .program()
  expect(operationOf(program, 1, op.TRACE_TOUCH, 0).bits & op.TRACE_F_SEGV).toBe(0)
  expect(operationOf(program, 1, op.TRACE_TOUCH, 1).bits & op.TRACE_F_SEGV).toBe(0)
})

test("an address of the kernel's is passed over", () => {
  const program = new Recording().touch(1, 0xffffffffff600000, 'absent fetch').program()
  expect(program.passedOver).toEqual([{ what: 'absent fetch', why: "an address of the kernel's", count: 1 }])
})

test('the first brk tells where the heap begins, later ones move its end', () => {
  const program = new Recording()
    .brk(1, 0, HEAP)
    .brk(1, HEAP + 0x21000)
    .touch(1, HEAP + 8)
    .program()
  expect(operationOf(program, 1, op.TRACE_EXEC).page).toBe(HEAP / P)
  expect(operationOf(program, 1, op.TRACE_BRK).page).toBe(HEAP / P + 0x21)
  expect(implied(program)).toEqual([])
  expect(operationOf(program, 1, op.TRACE_TOUCH).bits & op.TRACE_F_ANON).toBe(0)
})

test('a brk that was refused is passed over', () => {
  const program = new Recording()
    .brk(1, 0, HEAP)
    .brk(1, HEAP + P, HEAP)
    .program()
  expect(kinds(program, 0)).not.toContain(op.TRACE_BRK)
  expect(program.passedOver).toEqual([{ what: 'brk', why: 'it failed', count: 1 }])
})

test('a forked child goes on with the heap of its parent', () => {
  const program = new Recording()
    .brk(1, 0, HEAP)
    .brk(1, HEAP + P)
    .fork(1, 2)
    .brk(2, HEAP + 2 * P)
    .program()
  expect(operationOf(program, 2, op.TRACE_BRK)).toMatchObject({ page: HEAP / P + 2, newPage: HEAP / P + 1 })
})

test('MADV_DONTNEED is replayed, other advice is passed over by name', () => {
  const program = new Recording()
    .mmap(1, MAPPED, P)
    .madvise(1, MAPPED, P, 4)
    .madvise(1, MAPPED, P, 8)
    .program()
  expect(kinds(program, 0).filter((kind) => kind === op.TRACE_MADVISE)).toHaveLength(1)
  expect(program.passedOver).toEqual([{ what: 'madvise', why: 'MADV_FREE is not modelled', count: 1 }])
})

test('mremap carries both ranges, and the area goes with it', () => {
  const program = new Recording()
    .mmap(1, MAPPED, 2 * P)
    .mremap(1, MAPPED, 2 * P, 4 * P, MAPPED - 16 * P)
    .touch(1, MAPPED - 13 * P)
    .program()
  expect(operationOf(program, 1, op.TRACE_MREMAP)).toMatchObject({
    pages: 2,
    newPage: MAPPED / P - 16,
    newPages: 4,
  })
  expect(operationOf(program, 1, op.TRACE_TOUCH).bits & op.TRACE_F_ANON).not.toBe(0)
})

test('clone_flags tell thread, vfork and fork apart, and who shares the mm', () => {
  const program = new Recording()
    .thread(1, 2)
    .vfork(1, 3)
    .fork(1, 4)
    .touch(2, 0x400000)
    .touch(4, 0x400000)
    .program()
  expect(kinds(program, 0).filter((kind) => kind >= op.TRACE_CLONE_THREAD && kind <= op.TRACE_VFORK)).toEqual(
    [op.TRACE_CLONE_THREAD, op.TRACE_VFORK, op.TRACE_FORK],
  )
  const mm = operationOf(program, 1, op.TRACE_EXEC).mm
  expect(operationOf(program, 2, op.TRACE_TOUCH).mm).toBe(mm)
  expect(operationOf(program, 4, op.TRACE_TOUCH).mm).not.toBe(mm)
})

test("kernel faults from the first elf_load on belong to the new image, the task's earlier ones to the old", () => {
  const program = new Recording()
    .fork(1, 2)
    .kernelTouch(2, 0x500000, 'strncpy_from_user', 0)
    .kernelTouch(2, 0x600000, 'elf_load')
    .touch(1, 0x700000)
    .kernelTouch(2, STACK, '__put_user_8')
    .exec(2, '/bin/new')
    .touch(2, 0x601000)
    .program()
  const own = program.streams[1]!.operations
  const exec = own.findIndex(({ kind }) => kind === op.TRACE_EXEC)
  expect(own.slice(0, exec).map(({ kind, page }) => [kind, page])).toEqual([[op.TRACE_TOUCH, 0x500]])
  const touched = own.slice(exec).filter(({ kind }) => kind === op.TRACE_TOUCH)
  expect(touched.map(({ page }) => page)).toEqual([0x600, STACK / P, 0x601])
  expect(new Set(touched.map(({ mm }) => mm)).size).toBe(1)
  expect(touched[0]!.mm).toBe(own[exec]!.mm)
})

test('a thread that execs goes on under the id of its leader', () => {
  const program = new Recording()
    .thread(1, 2)
    .exit(1)
    .event(1, 'sched:sched_process_exec: filename=/bin/new pid=1 old_pid=2')
    .touch(1, 0x400000)
    .program()
  expect(kinds(program, 1)).toEqual([op.TRACE_EXEC, op.TRACE_MMAP, op.TRACE_TOUCH, op.TRACE_EXIT])
})

test('a pid used again is another stream', () => {
  const program = new Recording().fork(1, 2).exit(2).fork(1, 2).touch(2, 0x400000).exit(2).program()
  expect(program.streams.map(({ tid }) => tid)).toEqual([1, 2, 2])
  expect(kinds(program, 2)).toEqual([op.TRACE_TOUCH, op.TRACE_EXIT])
})

test('an event of a task that has exited is passed over', () => {
  const program = new Recording().exit(1).touch(1, 0x400000).program()
  expect(program.passedOver).toEqual([{ what: 'absent write', why: 'its task has exited before', count: 1 }])
})

test(
  'segments that a loader maps over a file are pages of that file, and the same library is one file ' +
    'everywhere',
  () => {
    const load = (recording: Recording, tid: number, at: number) =>
      recording.mmap(tid, at, 8 * P, 1, 0x2, 3, 0).mmap(tid, at + 2 * P, 2 * P, 5, 0x12, 3, 2 * P)
    const recording = load(new Recording(), 1, MAPPED)
    const program = load(recording, 2, MAPPED - 64 * P).program()
    const files = [1, 2].flatMap((tid) =>
      [0, 1].map((nth) => operationOf(program, tid, op.TRACE_MMAP, nth).file),
    )
    expect(new Set(files).size).toBe(1)
    expect(program.files[files[0]!]).toEqual({ pages: 8, shmem: false })
  },
)

test('shared anonymous memory is an object of its own', () => {
  const program = new Recording().mmap(1, MAPPED, 4 * P, 3, 0x21).program()
  expect(program.files[operationOf(program, 1, op.TRACE_MMAP).file]).toEqual({ pages: 4, shmem: true })
})

test('events of unknown kinds are counted by name', () => {
  const program = new Recording()
    .touch(1, 0x400000)
    .event(1, 'sched:sched_switch: prev=1')
    .event(1, 'sched:sched_switch: x')
    .program()
  expect([...program.unknownEvents]).toEqual([['sched:sched_switch', 2]])
})
