// What calls of the CPUs ended in, as the error that the machine stops with: their states, and what stopped which.
import type { KernelImage } from '../../kbuild/index.ts'
import { packageRoot } from '../../base/root.ts'
import { type CpuState, inspectCpu, KernelException, MachineStopped } from '../../inspect/failure.ts'
import { kernelFrames } from '../../inspect/stack.ts'
import type { MachineView } from '../../inspect/symbols.ts'
import { bugFailure } from './diagnose.ts'
import type { CpuOutcome } from './protocol.ts'

/** What is asked of the machine whose calls ended. */
export interface StoppedMachine {
  readonly image: KernelImage
  readonly view: MachineView
  readonly oracle: Int32Array
  readonly cpus: number
  isBusy(cpu: number): boolean
}

/** By CPU; undefined: it was not called, or has not answered. */
export type Outcomes = readonly (CpuOutcome | undefined)[]

/** Whether one of them is not `done`. */
export function hasFailed(outcomes: Outcomes): boolean {
  return outcomes.some((outcome) => outcome !== undefined && outcome.kind !== 'done')
}

/** The error for outcomes of which at least one is not `done`. */
export function errorOf(machine: StoppedMachine, outcomes: Outcomes): Error {
  const exception = outcomes.findIndex((outcome) => outcome?.kind === 'exception')
  if (exception >= 0) {
    const { message, stack } = outcomes[exception] as CpuOutcome & { kind: 'exception' }
    return new KernelException(exception, message, framesOf(machine, stack))
  }
  const states = statesOf(machine, outcomes)
  const cpu = outcomes.findIndex((outcome) => outcome?.kind === 'bug')
  if (cpu < 0)
    return new MachineStopped({ kind: 'bug', message: 'the machine stopped', details: [], cpus: states })
  const { bug } = outcomes[cpu] as CpuOutcome & { kind: 'bug' }
  return new MachineStopped(bugFailure(machine.view, machine.oracle, cpu, bug, states))
}

/** Where every CPU stands; stacks of those that have answered. */
export function statesOf(machine: StoppedMachine, outcomes: Outcomes): CpuState[] {
  return Array.from({ length: machine.cpus }, (_, cpu) => {
    const outcome = outcomes[cpu]
    const ended = outcome === undefined ? (machine.isBusy(cpu) ? 'lost' : 'done') : outcome.kind
    return {
      ...inspectCpu(machine.view, cpu, machine.cpus),
      ended: ended === 'exception' ? 'bug' : ended,
      stack: outcome !== undefined && 'stack' in outcome ? framesOf(machine, outcome.stack) : [],
    }
  })
}

function framesOf({ image }: StoppedMachine, stack: string): ReturnType<typeof kernelFrames> {
  return kernelFrames(stack, image.file, packageRoot())
}
