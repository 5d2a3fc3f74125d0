// What stopped a machine before its time, with the state of every CPU, and its text. Leaves out checks at rest: those
// are results, not failures.
import { describeWait, heldLocks } from './waits.ts'
import { nameAddress } from './names.ts'
import { type MachineView, perCpu, symbol } from './symbols.ts'
import { formatFrame, type Frame } from './stack.ts'

/** What one CPU was doing when the machine stopped. */
export interface CpuState {
  readonly cpu: number
  /**
   * `bug`: the cause; `stopped`: it left because of the cause; `done`: it was outside the kernel; `lost`: it did not
   * answer.
   */
  readonly ended: 'bug' | 'stopped' | 'done' | 'lost'
  readonly task?: { readonly pid: number; readonly mm: number; readonly program: number }
  readonly operations: number
  readonly waitsFor?: string
  readonly holds: readonly string[]
  readonly stack: readonly Frame[]
}

/** Why a machine stopped. `message` is one line in the kernel's words. */
export interface Failure {
  readonly kind: 'bug' | 'soft lockup' | 'scenario'
  readonly message: string
  /** More about it: a dumped page, the oracle's explanation. */
  readonly details: readonly string[]
  readonly cpus: readonly CpuState[]
}

/** Thrown by the machine when a check inside of it stopped it: a result of the run, not a defect of the project. */
export class MachineStopped extends Error {
  readonly failure: Failure

  constructor(failure: Failure) {
    super(failure.message)
    this.failure = failure
  }
}

/** Thrown when a CPU's thread ended on its own. */
export class WorkerDied extends Error {
  readonly cpu: number

  constructor(cpu: number, reason: string) {
    super(`CPU ${cpu} is gone: its worker thread ${reason}`)
    this.cpu = cpu
  }
}

/** Thrown when the kernel threw something that is not a BUG: a defect of its source, or of the user's. */
export class KernelException extends Error {
  readonly cpu: number
  readonly frames: readonly Frame[]

  constructor(cpu: number, message: string, frames: readonly Frame[]) {
    super(message)
    this.cpu = cpu
    this.frames = frames
  }
}

/** What memory says about CPU `cpu` now. */
export function inspectCpu(view: MachineView, cpu: number, cpus: number): Omit<CpuState, 'ended' | 'stack'> {
  const { memory, symbols } = view
  const current = memory[perCpu(symbols, cpu, 'percpu$current')]
  const waitsFor = describeWait(view, cpu, cpus)
  return {
    cpu,
    ...(current === 0 || symbols['task$pid'] === undefined ? {} : { task: inspectTask(view, current) }),
    operations: memory[perCpu(symbols, cpu, 'percpu$operations')],
    ...(waitsFor === undefined ? {} : { waitsFor }),
    holds: heldLocks(view, cpu).map((lock) => nameAddress(view, lock)),
  }
}

function inspectTask({ memory, symbols }: MachineView, task: number): NonNullable<CpuState['task']> {
  const mm = memory[task + symbol(symbols, 'task$mm')]
  return {
    pid: memory[task + symbol(symbols, 'task$pid')],
    mm: mm === 0 ? 0 : memory[mm + symbol(symbols, 'mm$id')],
    program: memory[task + symbol(symbols, 'task$program')],
  }
}

/** The failure as text: the message, its details, then each CPU, the cause first. */
export function formatFailure(failure: Failure): string {
  const order = ['bug', 'lost', 'stopped', 'done']
  const cpus = failure.cpus.toSorted((left, right) => order.indexOf(left.ended) - order.indexOf(right.ended))
  return [failure.message, ...failure.details, ...cpus.flatMap(formatCpu)].join('\n')
}

function formatCpu(state: CpuState): string[] {
  const task = state.task
    ? `task ${state.task.pid} (mm ${state.task.mm}, program ${state.task.program})`
    : 'no task'
  const ended = { bug: ' [here]', stopped: '', done: ' [outside the kernel]', lost: ' [did not answer]' }[
    state.ended
  ]
  return [
    `CPU: ${state.cpu} ${task}, ${state.operations} operations${ended}`,
    ...(state.waitsFor === undefined ? [] : [` waits for ${state.waitsFor}`]),
    ...(state.holds.length === 0 ? [] : [` holds ${state.holds.join(', ')}`]),
    ...(state.stack.length === 0 ? [] : [' Call Trace:']),
    ...state.stack.map((frame) => `  ${formatFrame(frame)}`),
  ]
}
