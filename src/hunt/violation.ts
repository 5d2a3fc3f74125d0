// Runs a violation once more and describes it: what failed in the kernel's words, the interleaving, and what each CPU
// was doing at the end. Leaves out text and documents: hunt_text.ts, hunt_report.ts.
import { resolve } from 'node:path'
import type { Finding, Subject } from '../explore/attempt.ts'
import type { Course } from '../explore/course.ts'
import { type Recording, record } from '../explore/record.ts'
import { Violation } from '../step/observer.ts'
import type { Site } from '../step/site.ts'
import type { BugCalls } from '../kbuild/bug_calls.ts'
import { type CpuState, inspectCpu } from '../inspect/failure.ts'
import { type Frame, kernelFrames } from '../inspect/stack.ts'
import { bugFrames, frameOf, plainName } from '../machine/bug_frames.ts'
import { KernelBug, type SteppedMachine } from '../machine/stepped/machine.ts'
import { hex } from '../inspect/names.ts'
import { perCpu } from '../inspect/symbols.ts'
import { oraclePlace } from '../inspect/oracle_report.ts'
import { isIdle } from '../inspect/waits.ts'
import { nameWord } from '../inspect/hunt_names.ts'
import { type CausingStep, causingSteps, wrongValueSteps } from './causes.ts'
import { type Interleaving, interleave } from './interleaving.ts'
import { splat } from './kernel_formats.ts'
import { type Sleeper, sleepCauses, sleepersOf } from './sleepers.ts'
import { HELPERS } from '../inspect/stack.ts'
import { Narrator, describeStep, type DescribedStep } from './narrator.ts'

/** The image as far as a report needs it. */
export interface DescribedImage {
  /** Absolute path of its module, with the source map beside it. */
  readonly file: string
  readonly sites: readonly Site[]
  /** Absolute path of the scenario; none for a program without one. */
  readonly scenario?: string
  /** None where no function was put into another. */
  readonly bugs?: BugCalls
}

/** A CPU when the execution ended. */
export interface EndState {
  readonly cpu: number
  /** Of the step that failed. */
  readonly failed: boolean
  readonly state: 'in the kernel' | 'not begun' | 'done'
  readonly task?: CpuState['task']
  readonly waitsFor?: string
  readonly holds: readonly string[]
  /** Innermost first; those of an interrupt that it was taking come before those it interrupted. */
  readonly stack: readonly (Frame & { readonly irq?: true })[]
}

/** A violation as the report describes it. */
export interface Description {
  readonly finding: Finding
  /** What failed, in the kernel's own format where there is one. */
  readonly splat: readonly string[]
  /** All steps, and what CPUs wanted when it ended. */
  readonly steps: readonly DescribedStep[]
  /** Steps that the check names as what led to it. */
  readonly causes: readonly CausingStep[]
  /** Empty when it failed at rest. */
  readonly cpus: readonly EndState[]
  readonly atRest: boolean
  /** Whether it is a BUG_ON of the scenario's own, and no check of the kernel. */
  readonly ofScenario: boolean
  /** The execution that was described, for a replay file. */
  readonly recording: Recording
}

/**
 * Runs `course` and describes what fails. Undefined if nothing does.
 * @param root the package's folder, for the names of files
 */
export function describeViolation(
  subject: Subject,
  image: DescribedImage,
  course: Course,
  root: string,
): Description | undefined {
  return describeRun(subject, image, root, (narrator) => record(subject, course, [narrator]))
}

/**
 * Describes what fails in one execution, which is recorded at the same time. Undefined if nothing does.
 * @param run runs it on the subject, with the narrator among those that see each step first
 */
export function describeRun(
  subject: Subject,
  image: DescribedImage,
  root: string,
  run: (narrator: Narrator) => Recording,
): Description | undefined {
  const { machine } = subject
  const narrator = new Narrator(machine, image.sites)
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 100
  try {
    const recording = run(narrator)
    const { finding, error } = recording
    if (finding === null) return undefined
    const { atRest } = recording
    // The checks at rest run the machine on.
    const performed = narrator.steps.slice(0, recording.history.length)
    const wanted = atRest ? [] : pendingSteps(machine, image.sites, performed, finding.check)
    const cpus = error === undefined ? [] : endStates(machine, image, root, error, performed, finding.check)
    const failedStep = performed.at(-1)
    const sleepers = finding.check === 'deadlock' ? sleepersOf(machine) : []
    const ofScenario = error instanceof KernelBug && isOfScenario(image, root, cpus)
    return {
      finding,
      splat: splat({ finding, error, machine, cpus, sleepers, failedStep, ofScenario }),
      steps: [...performed, ...wanted],
      causes: causesOf(machine, performed, error, sleepers),
      cpus,
      atRest,
      ofScenario,
      recording,
    }
  } finally {
    Error.stackTraceLimit = limit
  }
}

/** What the check names; of a deadlock what sent the task to sleep that nobody wakes; of a wrong value its store. */
function causesOf(
  machine: SteppedMachine,
  performed: readonly DescribedStep[],
  error: Error | undefined,
  sleepers: readonly Sleeper[],
): CausingStep[] {
  const { symbols } = machine
  if (error instanceof KernelBug && error.kind === symbols['BUG_ORACLE'])
    return wrongValueSteps(performed, oraclePlace(machine.oracle, error.a, symbols))
  const named = error instanceof Violation ? error.causes : []
  return causingSteps(performed, named.length > 0 ? named : sleepCauses(sleepers))
}

/** Whether whoever noticed the BUG is a function of the scenario. */
function isOfScenario({ scenario }: DescribedImage, root: string, cpus: readonly EndState[]): boolean {
  const stack = cpus.find(({ failed }) => failed)?.stack ?? []
  const frame = stack.find((entry) => !HELPERS.has(entry.function))
  return frame !== undefined && resolve(root, frame.file) === scenario
}

/** The rows of a described violation. */
export function interleavingOf(description: Description, verbose: boolean): Interleaving {
  return interleave(description.steps, {
    verbose,
    deadlock: !description.atRest && description.finding.check === 'deadlock',
    causes: description.causes,
  })
}

/**
 * What CPUs wait for at the end: of a deadlock all, else only those that cannot go on. A CPU that has no task waits for
 * nothing that matters.
 */
function pendingSteps(
  machine: SteppedMachine,
  sites: readonly Site[],
  performed: readonly DescribedStep[],
  check: string,
): DescribedStep[] {
  const wanted: DescribedStep[] = []
  const view = waitingView(machine)
  for (let context = 0; context < machine.kind.length; context++) {
    const kind = machine.kind[context]
    const waits = kind !== 0 && !machine.hasEnded(context) && machine.isBlocked(context)
    if (!waits || (check !== 'deadlock' && !performed.some((step) => step.cpu === machine.cpuOf(context))))
      continue
    if (context < machine.cpus && isIdle(view, context)) continue
    const addr = machine.addr[context]
    const old = machine.memory[addr]
    const step = {
      context,
      kind,
      addr,
      a: machine.a[context],
      b: machine.b[context],
      old,
      result: old,
      site: machine.site[context],
    }
    wanted.push(describeStep(machine, sites, performed.length + wanted.length, step, 'waiting'))
  }
  return wanted
}

function endStates(
  machine: SteppedMachine,
  image: DescribedImage,
  root: string,
  error: Error,
  performed: readonly DescribedStep[],
  check: string,
): EndState[] {
  const { cpus, running } = machine
  const waiting = waitingView(machine)
  const inspected = Array.from({ length: cpus }, (_, cpu) => inspect(machine, waiting, cpu))
  const ended = Array.from({ length: cpus }, (_, cpu) => machine.hasEnded(cpu))
  const thrown = thrownFrames(machine, image, root, error)
  const traces = machine.stacks()
  const frames = (context: number): Frame[] =>
    traces[context] === undefined
      ? []
      : withSite(framesOf(traces[context], image, root), image.sites[machine.site[context]])
  return inspected.map((state, cpu) => {
    const own = running === cpu && !ended[cpu] ? thrown : frames(cpu)
    const irq = running === cpu + cpus ? thrown : frames(cpu + cpus)
    const stack = [...irq.map((frame) => ({ ...frame, irq: true as const })), ...own]
    const begun = performed.some((step) => step.cpu === cpu) || stack.length > 0
    return {
      ...state,
      failed: check !== 'deadlock' && machine.cpuOf(running) === cpu && thrown.length > 0,
      state: ended[cpu] ? 'done' : begun ? 'in the kernel' : 'not begun',
      stack,
    }
  })
}

/**
 * Memory with what CPUs wait for where the waiting primitives of a real kernel note it (percpu$waiting_on); of one that
 * is parked the word behind its wake word.
 */
function waitingView(machine: SteppedMachine): { memory: Int32Array; symbols: SteppedMachine['symbols'] } {
  const { symbols, cpus } = machine
  const memory = machine.memory.slice()
  if (symbols['percpu$waiting_on'] !== undefined)
    for (let cpu = 0; cpu < cpus; cpu++)
      memory[perCpu(symbols, cpu, 'percpu$waiting_on')] =
        !machine.hasEnded(cpu) && machine.isBlocked(cpu)
          ? memory[perCpu(symbols, cpu, 'percpu$parked_on')] || machine.addr[cpu]
          : 0
  return { memory, symbols }
}

function inspect(
  machine: SteppedMachine,
  view: ReturnType<typeof waitingView>,
  cpu: number,
): Pick<EndState, 'cpu' | 'task' | 'waitsFor' | 'holds'> {
  if (view.symbols['percpu$held_locks'] !== undefined && view.symbols['percpu$waiting_on'] !== undefined) {
    const { task, waitsFor, holds } = inspectCpu(view, cpu, machine.cpus)
    return { cpu, ...(task ? { task } : {}), ...(waitsFor === undefined ? {} : { waitsFor }), holds }
  }
  const waits = !machine.hasEnded(cpu) && machine.isBlocked(cpu)
  const address = machine.addr[cpu]
  const name = nameWord(view, address)
  const holder = machine.memory[address]
  return {
    cpu,
    ...(waits
      ? { waitsFor: `${name} (word ${hex(address)})${holder === 0 ? '' : `, held by CPU ${holder - 1}`}` }
      : {}),
    holds: [],
  }
}

function framesOf(stack: string, image: DescribedImage, root: string): Frame[] {
  return kernelFrames(stack, image.file, root).map(plainName)
}

/** The frames of what was thrown, with those of functions that kbuild has put in place of their calls. */
function thrownFrames(machine: SteppedMachine, image: DescribedImage, root: string, error: Error): Frame[] {
  const stack = error.stack ?? ''
  // A check fails at a step; before a BUG the last step may have been made anywhere.
  if (!(error instanceof KernelBug) || image.bugs === undefined)
    return withSite(framesOf(stack, image, root), image.sites[machine.site[machine.running]])
  return bugFrames(stack, { file: image.file, bugs: image.bugs }, root)
}

/** kbuild puts small functions where they are called: then only the last step says that the CPU was in one. */
function withSite(frames: readonly Frame[], site: Site | undefined): Frame[] {
  if (site === undefined || frames.some((frame) => frame.function === site.fn)) return [...frames]
  const helpers = frames.findIndex((frame) => !HELPERS.has(frame.function))
  const at = helpers < 0 ? frames.length : helpers
  const { fn, file, line } = site
  return [...frames.slice(0, at), frameOf(fn, file, line), ...frames.slice(at)]
}
