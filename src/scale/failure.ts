// What stopped a point of scale: a BUG, in the words in which a run reports it, with the stack of the CPU that met it.
// Leaves out where the other CPUs stand in the code: the clock keeps no stacks.
import { packageRoot } from '../base/root.ts'
import { type CpuState, type Failure, inspectCpu } from '../inspect/failure.ts'
import type { KernelImage } from '../kbuild/index.ts'
import { bugFrames } from '../machine/bug_frames.ts'
import type { ClockMachine } from '../machine/clock/machine.ts'
import { bugFailure } from '../machine/smp/diagnose.ts'
import type { KernelBug } from '../step/bug.ts'

/** Frames of a stack: a fault in a system call has more than V8 keeps by itself. */
const DEEPEST = 100

/** Does `action` with whole stacks in the errors that it throws. */
export function withStacks<T>(action: () => T): T {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = DEEPEST
  try {
    return action()
  } finally {
    Error.stackTraceLimit = limit
  }
}

/** The failure that `error`, thrown by `machine` while it ran, is. */
export function pointFailure(
  machine: ClockMachine,
  image: KernelImage,
  cpus: number,
  error: KernelBug,
): Failure {
  const { running } = machine
  const states = Array.from({ length: cpus }, (_, cpu): CpuState => ({
    ...inspectCpu(machine, cpu, cpus),
    ended: cpu === running ? 'bug' : 'stopped',
    stack: cpu === running ? bugFrames(error.stack ?? '', image, packageRoot()) : [],
  }))
  return bugFailure(machine, machine.oracle, running, error, states)
}
