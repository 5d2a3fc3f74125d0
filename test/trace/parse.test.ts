import { expect, test } from 'vitest'
import { UsageError } from '../../src/base/errors.ts'
import { parseLine } from '../../src/trace/parse.ts'

const parse = (text: string) => parseLine(text, 'a.script', 7)

test('a user fault gives its task, address and error code', () => {
  const text =
    '  apache2  7010 [000]  1857.7: exceptions:page_fault_user: address=0x7fb6d25f1b70 ' +
    'ip=0x7fb6d25f1b70 error_code=0x14'
  expect(parse(text)).toEqual({
    type: 'fault',
    line: 7,
    tid: 7010,
    address: 0x7fb6d25f1b70,
    ip: '0x7fb6d25f1b70',
    errorCode: 0x14,
    kernel: false,
  })
})

test('a comm may hold spaces and digits', () => {
  const text =
    'G1 Refine#0 12 11645 [001]  2229.5: exceptions:page_fault_kernel: address=0x10 ip=elf_load error_code=0x2'
  expect(parse(text)).toMatchObject({ tid: 11645, kernel: true, ip: 'elf_load' })
})

test('a task may be printed as pid/tid', () => {
  expect(parse('x  10/11 [001]  2.5: syscalls:sys_exit_brk: 0x1000')).toMatchObject({
    tid: 11,
    value: 0x1000,
  })
})

test('the arguments of a call are read by name', () => {
  const text =
    'java 1 [000] 2.0: syscalls:sys_enter_mmap: addr: 0x00000000, len: 0x00002000, prot: 0x00000003, ' +
    'flags: 0x00000022, fd: 0xffffffff, off: 0x00000000'
  expect(parse(text)).toMatchObject({ type: 'enter', call: 'mmap', arguments: { len: 0x2000, flags: 0x22 } })
})

test('a return value is signed', () => {
  expect(parse('j 1 [000] 2.0: syscalls:sys_exit_mmap: 0xfffffffffffffff4')).toMatchObject({ value: -12 })
})

test('clone_flags are hexadecimal', () => {
  const text =
    'VM Thread 5 [001] 2.7: task:task_newtask: pid=6 comm=VM Thread clone_flags=3d0f00 oom_score_adj=0'
  expect(parse(text)).toEqual({ type: 'clone', line: 7, tid: 5, child: 6, cloneFlags: 0x3d0f00 })
})

test('exec and exit are understood', () => {
  expect(parse('sh 5 [001] 2.7: sched:sched_process_exec: filename=/bin/a b pid=5 old_pid=4')).toMatchObject({
    type: 'exec',
    filename: '/bin/a b',
    oldPid: 4,
  })
  expect(
    parse('sh 5 [001] 2.7: sched:sched_process_exit: comm=sh pid=5 prio=120 group_dead=true'),
  ).toMatchObject({ type: 'exit' })
  expect(parse('sh 5 [001] 2.7: sched:sched_process_exit: comm=sh pid=5 prio=120')).toMatchObject({
    type: 'exit',
  })
})

test('an event of another kind is unknown, not an error', () => {
  expect(parse('sh 5 [001] 2.7: sched:sched_switch: prev_comm=sh')).toMatchObject({
    type: 'unknown',
    name: 'sched:sched_switch',
  })
})

test.each([
  ['sh 5 [001] 2.7:     250000   cpu-clock:      7f0000001000 main+0x0 (/bin/sh)', 'cpu-clock'],
  ['sh 5 2.7:          1                page-faults: ', 'page-faults'],
  ['sh 5 [001] 2.7: 1000 cpu/cycles/u:  7f6a main+0x0 (/bin/sh)', 'cpu/cycles/u'],
  [
    'sh 5 [001] 2.7: PERF_RECORD_MMAP2 5/5: [0x55da(0x13000) @ 0 fe:00 2 0]: r-xp /bin/sh',
    'PERF_RECORD_MMAP2',
  ],
  ['sh 5 [001] 2.7: PERF_RECORD_COMM exec: sh:5/5', 'PERF_RECORD_COMM'],
  ['sh 5 [001] 2.7: PERF_RECORD_FORK(6:6):(5:5)', 'PERF_RECORD_FORK'],
  [
    'swapper -1 [000] 0.0: PERF_RECORD_MMAP -1/0: [0xf(0x1) @ 0xf]: x [kernel.kallsyms]_text',
    'PERF_RECORD_MMAP',
  ],
])('a sample or a record of another kind is unknown by its name: %s', (text, name) => {
  expect(parse(text)).toMatchObject({ type: 'unknown', name })
})

test('blank lines, comments and call chains are no events', () => {
  expect(parse('')).toBeNull()
  expect(parse('# captured on: Sun')).toBeNull()
  expect(parse('\t    7f6a7c94db70 _start+0x0 (/usr/lib/ld.so)')).toBeNull()
})

test.each([
  ['sh 5 [001]', 'comm tid [cpu] time: system:event: fields'],
  ['sh 5 [001] 2.7: exceptions:page_fault_user: address=0x7f ip=0x', 'address=0x… ip=… error_code=0x…'],
  ['sh 5 [001] 2.7: syscalls:sys_enter_munmap: addr: 0x7f', 'addr: 0x…, len: 0x…'],
  ['sh 5 [001] 2.7: syscalls:sys_exit_munmap: ', 'the value that munmap returned, got nothing'],
  ['sh 5 [001] 2.7: task:task_newtask: pid=6 comm=sh clone_', 'pid=… comm=… clone_flags=… oom_score_adj=…'],
  ['sh 5 [001] 2.7: sched:sched_process_exec: filename=/bin/sh pi', 'filename=… pid=… old_pid=…'],
])('a line cut short names file, line and what was expected: %s', (text, expected) => {
  expect(() => parse(text)).toThrow(UsageError)
  expect(() => parse(text)).toThrow('a.script:7: expected ')
  expect(() => parse(text)).toThrow(expected)
})
