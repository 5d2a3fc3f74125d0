// Writes small recordings as perf script would print them, and makes trace programs of them.
import type { Operation, TraceProgram } from '../../src/trace/operations.ts'
import { orderProgram } from '../../src/trace/order.ts'
import { buildProgram } from '../../src/trace/program.ts'
import { parseTrace } from '../../src/trace/read.ts'

const ERROR_CODES = {
  'absent read': 4,
  'absent write': 6,
  'absent fetch': 0x14,
  'present read': 5,
  'present write': 7,
  'present fetch': 0x15,
}

export type FaultKind = keyof typeof ERROR_CODES

export class Recording {
  lines: string[] = []

  event(tid: number, text: string): this {
    const time = (1000 + this.lines.length / 1e6).toFixed(6)
    this.lines.push(`         program  ${tid} [000]  ${time}:   ${text}`)
    return this
  }

  touch(tid: number, address: number, kind: FaultKind = 'absent write'): this {
    return this.event(
      tid,
      `exceptions:page_fault_user: address=${hex(address)} ip=0x401000 error_code=${hex(ERROR_CODES[kind])}`,
    )
  }

  kernelTouch(tid: number, address: number, ip: string, code = 2): this {
    return this.event(
      tid,
      `exceptions:page_fault_kernel: address=${hex(address)} ip=${ip} error_code=${hex(code)}`,
    )
  }

  enter(tid: number, call: string, args: Record<string, number>): this {
    const list = Object.entries(args).map(([name, value]) => `${name}: ${hex(value)}`)
    return this.event(tid, `syscalls:sys_enter_${call}: ${list.join(', ')}`)
  }

  return(tid: number, call: string, value: number): this {
    return this.event(tid, `syscalls:sys_exit_${call}: 0x${BigInt.asUintN(64, BigInt(value)).toString(16)}`)
  }

  /** An anonymous private mapping unless the flags say otherwise. */
  mmap(tid: number, at: number, length: number, prot = 3, flags = 0x22, fd = 0xffffffff, off = 0): this {
    const addr = (flags & 0x10) !== 0 ? at : 0
    return this.enter(tid, 'mmap', { addr, len: length, prot, flags, fd, off }).return(tid, 'mmap', at)
  }

  munmap(tid: number, addr: number, len: number): this {
    return this.enter(tid, 'munmap', { addr, len }).return(tid, 'munmap', 0)
  }

  mprotect(tid: number, start: number, len: number, prot: number): this {
    return this.enter(tid, 'mprotect', { start, len, prot }).return(tid, 'mprotect', 0)
  }

  madvise(tid: number, start: number, length: number, behavior: number): this {
    return this.enter(tid, 'madvise', { start, len_in: length, behavior }).return(tid, 'madvise', 0)
  }

  brk(tid: number, asked: number, got = asked): this {
    return this.enter(tid, 'brk', { brk: asked }).return(tid, 'brk', got)
  }

  mremap(tid: number, addr: number, oldLength: number, newLength: number, at: number): this {
    const args = { addr, old_len: oldLength, new_len: newLength, flags: 1, new_addr: 0 }
    return this.enter(tid, 'mremap', args).return(tid, 'mremap', at)
  }

  clone(tid: number, child: number, flags: number): this {
    const text = `task:task_newtask: pid=${child} comm=program clone_flags=${flags.toString(16)} oom_score_adj=0`
    return this.event(tid, text)
  }

  thread(tid: number, child: number): this {
    return this.clone(tid, child, 0x3d0f00)
  }

  fork(tid: number, child: number): this {
    return this.clone(tid, child, 0x1200000)
  }

  vfork(tid: number, child: number): this {
    return this.clone(tid, child, 0x4100)
  }

  exec(tid: number, filename = '/bin/program'): this {
    return this.event(tid, `sched:sched_process_exec: filename=${filename} pid=${tid} old_pid=${tid}`)
  }

  exit(tid: number): this {
    return this.event(tid, `sched:sched_process_exit: comm=program pid=${tid} prio=120 group_dead=true`)
  }

  text(): string {
    return this.lines.join('\n') + '\n'
  }

  /** The ordered program. */
  program(): TraceProgram {
    return this.ordered().program
  }

  ordered(): { program: TraceProgram; sorted: Operation[] } {
    const program = buildProgram(parseTrace(this.text(), 'test.script'))
    return { program, sorted: orderProgram(program) }
  }
}

/** The n-th operation of a kind in a task's stream. */
export function operationOf(program: TraceProgram, tid: number, kind: number, nth = 0): Operation {
  const operations = program.streams
    .filter((stream) => stream.tid === tid)
    .flatMap((stream) => stream.operations)
  const found = operations.filter((operation) => operation.kind === kind)[nth]
  if (!found) throw new Error(`task ${tid} has no operation ${nth} of kind ${kind}`)
  return found
}

function hex(value: number): string {
  return `0x${value.toString(16)}`
}
