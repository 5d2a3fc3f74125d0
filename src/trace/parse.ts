// One line of `perf script` text -> one typed event. Understands the events that traces of address spaces consist of;
// any other event or record becomes `unknown`, to be counted. Leaves out call chains, the header and what perf prints
// with fields other than the default ones.
import { UsageError } from '../base/errors.ts'

export type CallName = 'mmap' | 'munmap' | 'mprotect' | 'mremap' | 'brk' | 'madvise' | 'mlock' | 'mlock2'

interface Common {
  /** Line number in the file, from 1. Lines are in the order of time, so it also orders events. */
  line: number
  tid: number
}

export interface FaultEvent extends Common {
  type: 'fault'
  /** Byte address. Exact below 2^53; addresses of kernel memory are only known to be large. */
  address: number
  ip: string
  /** Bits as x86 pushes them: 1 present, 2 write, 4 user, 16 instruction fetch. */
  errorCode: number
  /** The fault was taken in kernel mode. */
  kernel: boolean
}

export interface EnterEvent extends Common {
  type: 'enter'
  call: CallName
  /** Arguments by the name perf prints. */
  arguments: Record<string, number>
}

export interface ReturnEvent extends Common {
  type: 'return'
  call: CallName
  /** The return value; a negative errno when the call failed. */
  value: number
}

export interface CloneEvent extends Common {
  type: 'clone'
  child: number
  cloneFlags: number
}

export interface ExecEvent extends Common {
  type: 'exec'
  filename: string
  pid: number
  oldPid: number
}

export interface ExitEvent extends Common {
  type: 'exit'
}

export interface UnknownEvent extends Common {
  type: 'unknown'
  name: string
}

export type TraceEvent =
  FaultEvent | EnterEvent | ReturnEvent | CloneEvent | ExecEvent | ExitEvent | UnknownEvent

const ARGUMENTS: Record<CallName, string[]> = {
  mmap: ['addr', 'len', 'prot', 'flags', 'fd', 'off'],
  munmap: ['addr', 'len'],
  mprotect: ['start', 'len', 'prot'],
  mremap: ['addr', 'old_len', 'new_len', 'flags', 'new_addr'],
  brk: ['brk'],
  madvise: ['start', 'len_in', 'behavior'],
  mlock: ['start', 'len'],
  mlock2: ['start', 'len'],
}

// The comm comes first and may hold spaces and digits, so the line is anchored at `tid [cpu] time:`. Only tracepoints
// always have a CPU.
const LINE = /^\s*(?:.*?\s)?(?:-?\d+\/)?(-?\d+)\s+(?:\[\d+\]\s+)?(?:\S{4,5}\s+)?\d+\.\d+:\s+(.*)$/
const TRACEPOINT = /^([\w-]+:[\w-]+):(?:\s+(.*))?$/
// A sample of another kind (`250000 cpu-clock:u: …`, `cpu/cycles/: …`) or a record (`PERF_RECORD_MMAP2 1/1: …`).
const OTHER = /^(?:\d+\s+)?([A-Za-z]\S*):(?:\s|$)|^(PERF_RECORD_\w+)/
const CALLCHAIN = /^\s+[0-9a-f]+\s+\S.*\(.*\)\s*$/
const FAULT = /^address=(0x[0-9a-f]+) ip=(\S+) error_code=(0x[0-9a-f]+)\s*$/
const CLONE = /^pid=(\d+) comm=.* clone_flags=(?:0x)?([0-9a-f]+) oom_score_adj=-?\d+\s*$/
const EXEC = /^filename=(.*) pid=(\d+) old_pid=(\d+)\s*$/
const EXIT = /^comm=.* pid=(\d+) prio=-?\d+(?: group_dead=(?:true|false))?\s*$/
const SYSCALL = /^syscalls:sys_(enter|exit)_(mmap|munmap|mprotect|mremap|brk|madvise|mlock2?)$/

/**
 * Parses one line. Returns null for blank lines, comments and lines of call chains.
 * @param text the line without its newline
 * @param file the name used in messages
 * @param line its number, from 1
 * @throws UsageError `FILE:LINE: expected …, got …`
 */
export function parseLine(text: string, file: string, line: number): TraceEvent | null {
  if (/^\s*(#|$)/.test(text)) return null
  const match = LINE.exec(text)
  const tid = Number(match?.[1])
  const tracepoint = TRACEPOINT.exec(match?.[2] ?? '')
  if (!tracepoint) {
    const other = OTHER.exec(match?.[2] ?? '')
    if (other) return { type: 'unknown', line, tid, name: (other[1] ?? other[2])! }
    if (CALLCHAIN.test(text)) return null
    throw malformed(file, line, '"comm tid [cpu] time: system:event: fields" as perf script prints it', text)
  }
  const name = tracepoint[1]!
  const fields = tracepoint[2] ?? ''
  switch (name) {
    case 'exceptions:page_fault_user':
    case 'exceptions:page_fault_kernel': {
      const fault = FAULT.exec(fields)
      if (!fault) throw malformed(file, line, `"address=0x… ip=… error_code=0x…" after ${name}`, fields)
      return {
        type: 'fault',
        line,
        tid,
        address: Number(fault[1]),
        ip: fault[2]!,
        errorCode: Number(fault[3]),
        kernel: name === 'exceptions:page_fault_kernel',
      }
    }
    case 'task:task_newtask': {
      const clone = CLONE.exec(fields)
      if (!clone)
        throw malformed(file, line, `"pid=… comm=… clone_flags=… oom_score_adj=…" after ${name}`, fields)
      return { type: 'clone', line, tid, child: Number(clone[1]), cloneFlags: Number.parseInt(clone[2]!, 16) }
    }
    case 'sched:sched_process_exec': {
      const exec = EXEC.exec(fields)
      if (!exec) throw malformed(file, line, `"filename=… pid=… old_pid=…" after ${name}`, fields)
      return { type: 'exec', line, tid, filename: exec[1]!, pid: Number(exec[2]), oldPid: Number(exec[3]) }
    }
    case 'sched:sched_process_exit':
      if (!EXIT.test(fields)) throw malformed(file, line, `"comm=… pid=… prio=…" after ${name}`, fields)
      return { type: 'exit', line, tid }
    default: {
      const syscall = SYSCALL.exec(name)
      if (!syscall) return { type: 'unknown', line, tid, name }
      const call = syscall[2] as CallName
      if (syscall[1] === 'enter')
        return { type: 'enter', line, tid, call, arguments: parseArguments(call, fields, file, line) }
      if (!/^(0x[0-9a-f]+|-?\d+)\s*$/.test(fields))
        throw malformed(file, line, `the value that ${call} returned`, fields)
      return { type: 'return', line, tid, call, value: returnValue(fields.trim()) }
    }
  }
}

function parseArguments(call: CallName, fields: string, file: string, line: number): Record<string, number> {
  const values: Record<string, number> = {}
  for (const field of fields.split(',')) {
    const match = /^\s*(\w+): (0x[0-9a-f]+|\d+)\s*$/.exec(field)
    if (match) values[match[1]!] = Number(match[2])
  }
  // Kernels differ in the name of one argument.
  if (call === 'madvise' && values['len_in'] === undefined && values['len'] !== undefined)
    values['len_in'] = values['len']
  if (call === 'mmap' && values['off'] === undefined && values['offset'] !== undefined)
    values['off'] = values['offset']
  const missing = ARGUMENTS[call].find((name) => values[name] === undefined)
  if (missing) {
    const wanted = ARGUMENTS[call].map((name) => `${name}: 0x…`).join(', ')
    throw malformed(file, line, `"${wanted}" after sys_enter_${call}`, fields)
  }
  return values
}

function returnValue(text: string): number {
  const value = BigInt.asIntN(64, BigInt(text))
  return Number(value)
}

function malformed(file: string, line: number, expected: string, got: string): UsageError {
  const shown = got.trim().slice(0, 80)
  return new UsageError(
    `${file}:${line}: expected ${expected}, got ${shown === '' ? 'nothing' : JSON.stringify(shown)}`,
  )
}
