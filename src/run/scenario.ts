// One run on the smp machine: builds the image, boots, warms up, measures a window, checks the machine at rest, and
// reads the counters. Leaves out the report's form: src/report.
import { availableParallelism } from 'node:os'
import { relative } from 'node:path'
import { type CheckResult, runChecks } from '../checks/index.ts'
import { UsageError } from '../base/errors.ts'
import { type Configuration, kbuild, type KernelImage } from '../kbuild/index.ts'
import { type Events, readEvents } from '../inspect/events.ts'
import { type LatencyRow, readLatency } from '../inspect/latency.ts'
import { type LockRow, readLockStat } from '../inspect/lock_stat.ts'
import { countPtlWords } from '../inspect/ptl_words.ts'
import { type Failure, KernelException, MachineStopped } from '../inspect/failure.ts'
import { type MachineOptions, SmpMachine, type Window } from '../machine/smp/machine.ts'
import { noSamples, type WaitSamples } from '../machine/smp/samples.ts'

export interface RunOptions {
  /** Absolute path of the scenario's file. */
  readonly scenario: string
  readonly config: Configuration
  readonly patches: readonly string[]
  readonly cpus: number
  /** Length of the measured window; a finite scenario ends earlier, and has none when it is Infinity. */
  readonly seconds: number
  readonly seed: number
  /** Seconds that the CPUs run before the window. */
  readonly warmup?: number
  readonly cores?: number
  readonly bootData?: Int32Array
  readonly bootScratch?: number
  readonly lockupLimit?: number
  /** Ends the window early; the run is reported all the same. */
  readonly signal?: AbortSignal
  /** Hears which phase begins. */
  readonly progress?: (phase: string) => void
  /** More checks, and whatever else is to be read from the machine before its tasks exit. */
  readonly inspect?: (machine: SmpMachine, finished: boolean) => CheckResult[]
}

/** What a run found out. */
export interface RunResult {
  readonly image: KernelImage
  readonly cores: number
  readonly seconds: number
  readonly operations: number
  readonly finished: boolean
  readonly interrupted: boolean
  readonly events: Events
  readonly latency: readonly LatencyRow[]
  readonly locks: readonly LockRow[]
  readonly distinctPtlWords: number
  readonly samples: WaitSamples
  readonly checks: readonly CheckResult[]
  /** What stopped the machine before its time. */
  readonly failure?: Failure
}

/**
 * Seconds of a core that each CPU gets before the measured window: every worker compiles the kernel for itself. At most
 * WARMUP_LIMIT seconds in all; what many CPUs on few cores do soon after that is still slower than what they do later.
 */
const WARMUP_SECONDS = 0.3
const WARMUP_LIMIT = 5

/**
 * Runs a scenario. Throws UsageError for bad input, a user's file that throws among it, and other errors for defects of
 * the project. A BUG, a lockup and a failed check are results.
 */
export async function runScenario(options: RunOptions): Promise<RunResult> {
  const { config, scenario, patches, cpus, seconds, signal } = options
  const progress = options.progress ?? (() => {})
  if (cpus > config.NR_CPUS)
    throw new UsageError(`--cpus ${cpus}: the kernel is built for NR_CPUS=${config.NR_CPUS} CPUs at most.`)
  progress('building the kernel')
  const image = await kbuild(config, { scenario, patches })
  const cores = options.cores ?? availableParallelism()
  progress(`booting ${cpus} CPU${cpus === 1 ? '' : 's'}`)
  const run = new Run(image, cores)
  let machine: SmpMachine | undefined
  try {
    machine = await SmpMachine.boot(image, machineOptions(options, cores))
    const stop = (): void => machine?.stop()
    signal?.addEventListener('abort', stop)
    if (signal?.aborted) stop()
    try {
      await run.measure(
        machine,
        seconds,
        options.warmup ?? warmupSeconds(options.cpus, cores),
        signal,
        progress,
      )
    } finally {
      signal?.removeEventListener('abort', stop)
    }
    progress('checking')
    await run.check(machine, options.inspect)
  } catch (error) {
    if (error instanceof KernelException) throw blame(error)
    if (!(error instanceof MachineStopped)) throw error
    if (error.failure.kind === 'scenario') throw new UsageError(`${error.failure.message}.`)
    run.failure = error.failure
  } finally {
    if (machine) run.read(machine)
    await machine?.shutdown()
  }
  return run.result(signal?.aborted === true)
}

function warmupSeconds(cpus: number, cores: number): number {
  return Math.min(WARMUP_LIMIT, WARMUP_SECONDS * Math.max(1, cpus / cores))
}

function machineOptions(options: RunOptions, cores: number): MachineOptions {
  const { cpus, seed, bootData, bootScratch, lockupLimit } = options
  return { cpus, seed, cores, bootData, bootScratch, lockupLimit }
}

/** What is known of a run so far: a failure ends it at any point, and what was measured before still counts. */
class Run {
  readonly #image: KernelImage
  readonly #cores: number
  failure?: Failure
  #seconds = 0
  #operations = 0
  #finished = false
  #samples: WaitSamples = noSamples()
  #checks: CheckResult[] = []
  #counters = {
    events: { retries: {} } as Events,
    latency: [] as LatencyRow[],
    locks: [] as LockRow[],
    words: 0,
  }
  #read = false

  constructor(image: KernelImage, cores: number) {
    this.#image = image
    this.#cores = cores
  }

  async measure(
    machine: SmpMachine,
    seconds: number,
    warmup: number,
    signal: AbortSignal | undefined,
    progress: (phase: string) => void,
  ): Promise<void> {
    if (warmup > 0) {
      progress('warming up')
      const window = await this.#window(machine, warmup, 0)
      // A scenario that has come to its end already, or was interrupted, has been measured.
      if (window.finished || signal?.aborted) return
      machine.resetStats()
      this.#read = false
    }
    progress(Number.isFinite(seconds) ? `running for ${seconds} s` : 'running to the end')
    await this.#window(machine, seconds, machine.operations())
  }

  /** Runs a window; what it measured counts, also when a failure ended it, unless another window follows. */
  async #window(machine: SmpMachine, seconds: number, operationsBefore: number): Promise<Window> {
    const started = performance.now()
    try {
      const window = await machine.run(seconds * 1000)
      this.#measured(machine, window, operationsBefore, started)
      return window
    } catch (error) {
      this.#measured(machine, undefined, operationsBefore, started)
      throw error
    }
  }

  #measured(machine: SmpMachine, window: Window | undefined, before: number, started: number): void {
    this.#operations = machine.operations() - before
    this.#seconds = window?.seconds ?? (performance.now() - started) / 1000
    this.#finished = window?.finished ?? false
    this.#samples = machine.samples
    this.read(machine)
  }

  /** Reads the counters, once. */
  read(machine: SmpMachine): void {
    if (this.#read) return
    this.#read = true
    const { symbols } = machine.image
    this.#counters = {
      events: readEvents(machine.stats, symbols),
      latency: readLatency(machine.stats, symbols),
      locks: readLockStat(machine.stats, symbols),
      words: countPtlWords(machine.stats, symbols),
    }
  }

  async check(machine: SmpMachine, inspect: RunOptions['inspect']): Promise<void> {
    const subject = { ...machine.view, config: machine.image.config }
    this.#checks = [...runChecks(subject, 'running'), ...(inspect?.(machine, this.#finished) ?? [])]
    // What is broken already would be found again, or stop the exit.
    if (this.#checks.some((check) => check.ok === false)) return
    await machine.exitAllTasks()
    this.#checks = mergeChecks(this.#checks, runChecks(subject, 'torn-down'))
  }

  result(interrupted: boolean): RunResult {
    const { events, latency, locks, words } = this.#counters
    return {
      image: this.#image,
      cores: this.#cores,
      seconds: this.#seconds,
      operations: this.#operations,
      finished: this.#finished,
      interrupted: interrupted && !this.#finished,
      events,
      latency,
      locks,
      distinctPtlWords: words,
      samples: this.#samples,
      checks: this.#checks,
      ...(this.failure === undefined ? {} : { failure: this.failure }),
    }
  }
}

/** One result a check: the first of its two that failed, or one that applied. */
function mergeChecks(first: readonly CheckResult[], second: readonly CheckResult[]): CheckResult[] {
  const merged = new Map(first.map((check) => [check.name, check]))
  for (const check of second) {
    const earlier = merged.get(check.name)
    if (
      earlier === undefined ||
      (check.ok === false && earlier.ok !== false) ||
      earlier.ok === 'not applicable'
    )
      merged.set(
        check.name,
        check.ok === false
          ? { ...check, detail: `after all tasks have exited: ${check.detail ?? ''}` }
          : check,
      )
  }
  return [...merged.values()]
}

/** Whose fault an exception in kernel code is: the innermost frame's file says. */
function blame(error: KernelException): Error {
  const [frame] = error.frames
  if (frame?.user)
    return new UsageError(
      `${relative('', frame.file)}:${frame.line}: ${frame.function} threw on CPU ${error.cpu}: ${error.message}.`,
    )
  const trace = error.frames.map((entry) => `    at ${entry.function} (${entry.file}:${entry.line})`)
  const internal = new Error(`CPU ${error.cpu}: the kernel threw ${error.message}`, { cause: error })
  internal.stack = [internal.message, ...trace].join('\n')
  return internal
}
