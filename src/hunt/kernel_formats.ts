// What failed, in the format in which the kernel says it: BUG, bad page, lockdep, KCSAN, KASAN, soft lockup. A check
// that already speaks so is left as it is. Leaves out the interleaving.
import { bugText } from '../inspect/bug.ts'
import type { Finding } from '../explore/attempt.ts'
import { WHILE_EXITING } from '../explore/subject.ts'
import { formatFrame, type Frame } from '../inspect/stack.ts'
import { KernelBug, type SteppedMachine } from '../machine/stepped/machine.ts'
import type { EndState } from './violation.ts'
import { shortFile } from './interleaving.ts'
import { IDLE } from '../inspect/waits.ts'
import type { Sleeper } from './sleepers.ts'
import type { DescribedStep } from './narrator.ts'

export interface SplatContext {
  readonly finding: Finding
  readonly error?: Error
  readonly machine: SteppedMachine
  readonly cpus: readonly EndState[]
  /** Of a deadlock. */
  readonly sleepers: readonly Sleeper[]
  /** The last step that was taken. */
  readonly failedStep: DescribedStep | undefined
  /** Whether it is the scenario's own assertion that failed. */
  readonly ofScenario: boolean
}

const RULER = '='.repeat(66)
/** The lines of a report in the kernel's format. */
export function splat(context: SplatContext): string[] {
  const { finding, error } = context
  if (error instanceof KernelBug) return bug(context, error)
  const lines = finding.message.split('\n')
  switch (finding.check) {
    case 'deadlock':
      return deadlock(context)
    case 'livelock':
      return livelock(context)
  }
  if (/^(BUG|WARNING|INFO|={10}|-{10})/.test(lines[0])) return framed(lines)
  return [`${finding.check}: ${lines[0]}`, ...lines.slice(1), ...header(context)]
}

/** Rulers around what the kernel prints between rulers. */
function framed(lines: readonly string[]): string[] {
  return lines[0].startsWith('=') || !/KCSAN|KASAN|locking dependency|recursive locking/.test(lines[0])
    ? [...lines]
    : [RULER, ...lines, RULER]
}

function bug(context: SplatContext, error: KernelBug): string[] {
  const { finding, machine, cpus } = context
  const stack = cpus.find((cpu) => cpu.failed)?.stack ?? []
  const text = bugText(machine, machine.oracle, error, stack)
  if (text.kind !== 'bug') return [text.message, ...header(context)]
  const { message, reason, dump } = text
  const where = reason === undefined ? text.function : undefined
  return [
    ...dump,
    ...(reason === undefined ? [] : [dump.length > 0 ? `page dumped because: ${reason}` : reason]),
    `${message}${finding.message.endsWith(WHILE_EXITING) ? WHILE_EXITING : ''}!`,
    ...(where === undefined ? [] : [`in ${where}${context.ofScenario ? ', of the scenario' : ''}`]),
    ...header(context),
  ]
}

/** Who was it: the line that every report of the kernel has. */
function header({ cpus }: SplatContext): string[] {
  const failed = cpus.find((cpu) => cpu.failed)
  if (failed === undefined) return []
  return [cpuLine(failed)]
}

/** `CPU: 1 PID: 3 mm 1`, without what is not known. */
export function cpuLine({ cpu, task }: EndState): string {
  return `CPU: ${cpu}${task ? ` PID: ${task.pid} mm ${task.mm} program ${task.program}` : ''}`
}

/** Who waits; CPUs that have no task only where nobody else does. */
function deadlock({ finding, cpus, sleepers }: SplatContext): string[] {
  const waiting = cpus.filter((cpu) => cpu.waitsFor !== undefined)
  const busy = waiting.filter(({ waitsFor }) => waitsFor !== IDLE)
  const shown = busy.length + sleepers.length > 0 ? busy : waiting
  return [
    `BUG: deadlock: ${finding.message}`,
    ...shown.map(({ cpu, waitsFor }) => ` CPU ${cpu} waits for ${waitsFor}`),
    ...sleepers.map(({ task, word }) => ` ${task} sleeps until ${word} changes`),
  ]
}

function livelock({ finding, cpus, failedStep }: SplatContext): string[] {
  const cpu = failedStep?.cpu ?? 0
  const state = cpus.find((one) => one.cpu === cpu)
  const task = state?.task ? ` [program ${state.task.program}:${state.task.pid}]` : ''
  return [
    `watchdog: BUG: soft lockup - CPU#${cpu} stuck: ${finding.message}${task}`,
    ...(failedStep
      ? [`RIP: ${failedStep.function} ${shortFile(failedStep.file)}:${failedStep.line}, ${failedStep.text}`]
      : []),
  ]
}

/** A call trace, an interrupt's frames marked as the kernel marks them. */
export function callTrace(stack: readonly (Frame & { readonly irq?: true })[]): string[] {
  if (stack.length === 0) return []
  const lines = ['Call Trace:']
  let irq = false
  for (const frame of stack) {
    if (frame.irq === true && !irq) lines.push(' <IRQ>')
    if (frame.irq !== true && irq) lines.push(' </IRQ>')
    irq = frame.irq === true
    lines.push(` ${formatFrame({ ...frame, file: shortFile(frame.file) })}`)
  }
  if (irq) lines.push(' </IRQ>')
  return lines
}
