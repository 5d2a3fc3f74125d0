// The smp machine: worker threads are the CPUs, one shared memory is theirs. Boots an image, lets the CPUs run for a
// window of time, stops them, and says what stopped them if it was something else. Leaves out measuring and checks:
// run.ts.
import { setFlagsFromString } from 'node:v8'
import type { Remote } from 'comlink'
import type { KernelImage } from '../../kbuild/index.ts'
import type { CpuStats } from '../../inspect/stats.ts'
import { type MachineView, perCpu, symbol } from '../../inspect/symbols.ts'
import { isIdle, waitingOn } from '../../inspect/waits.ts'
import { allocateMemory, memoryWords } from './allocate.ts'
import { lockupFailure, setupFailure } from './diagnose.ts'
import { MachineStopped } from '../../inspect/failure.ts'
import { errorOf, hasFailed, type Outcomes, statesOf } from './outcomes.ts'
import {
  CONTROL_ABORT,
  CONTROL_ARRIVED,
  CONTROL_EXPECTED,
  CONTROL_WINDOW,
  CONTROL_WORDS,
  type CpuApi,
  type CpuOutcome,
} from './protocol.ts'
import { noSamples, takeSample, type WaitSamples } from './samples.ts'
import { softLockupWatchdog, type WatchedCpu } from './watchdog.ts'
import { type Cpu, startCpu, V8_FLAGS } from './worker.ts'

export interface MachineOptions {
  /** 1 to NR_CPUS. */
  readonly cpus: number
  readonly seed: number
  /** Processor cores of the host: with more CPUs than these, waiters halt early. */
  readonly cores: number
  /** Words that the scenario finds at BOOT_DATA. */
  readonly bootData?: Int32Array
  /** Further words behind them, for what the scenario writes. */
  readonly bootScratch?: number
  /** Milliseconds without an operation after which a busy CPU is locked up. */
  readonly lockupLimit?: number
}

/** A window of time in which the CPUs ran. */
export interface Window {
  /** From the first CPU's begin to the last one's end. */
  readonly seconds: number
  /** Whether the CPUs ended on their own: no task was left. */
  readonly finished: boolean
}

const SPIN_LONG = 2000
const SPIN_SHORT = 50
/** ns after which nobody passes somebody who waits for a semaphore: 4 ms, as Linux's. */
const WAIT_TIMEOUT_NS = 4_000_000
const LOCKUP_LIMIT = 10_000
/** A CPU that is busy with start-up or teardown gets this much longer. */
const SETUP_FACTOR = 6
const SAMPLE_INTERVAL = 20
/** How long CPUs have to leave after a BUG, in milliseconds. */
const PANIC_TIMEOUT = 2000
const ORACLE_WORDS = 16

export class SmpMachine {
  readonly image: KernelImage
  readonly memory: Int32Array
  readonly oracle: Int32Array
  /** Counters of each CPU. */
  readonly stats: CpuStats
  readonly cpus: number
  /** Of the window that runs or ran last. */
  samples: WaitSamples = noSamples()
  readonly #options: MachineOptions
  readonly #control: Int32Array
  readonly #cpus: Cpu[] = []
  #window = 0
  #stopRequested = false

  private constructor(image: KernelImage, options: MachineOptions) {
    const { symbols } = image
    this.image = image
    this.cpus = options.cpus
    this.#options = options
    const words = memoryWords(image, (options.bootData?.length ?? 0) + (options.bootScratch ?? 0))
    const buffer = allocateMemory(image, words)
    this.memory = new Int32Array('buffer' in buffer ? buffer.buffer : buffer, 0, words)
    this.oracle = new Int32Array(new SharedArrayBuffer((symbols['ORACLE_WORDS'] ?? ORACLE_WORDS) * 4))
    const statWords = symbol(symbols, 'STAT_WORDS')
    const statStride = (statWords + 15) & ~15
    const stat = new SharedArrayBuffer(options.cpus * statStride * 8)
    this.stats = each(options.cpus, (cpu) => new Float64Array(stat, cpu * statStride * 8, statWords))
    this.#control = new Int32Array(new SharedArrayBuffer(CONTROL_WORDS * 4))
    const wake = each(options.cpus, (cpu) => perCpu(symbols, cpu, 'percpu$wake'))
    for (const flag of V8_FLAGS) setFlagsFromString(flag)
    for (let cpu = 0; cpu < options.cpus; cpu++)
      this.#cpus.push(
        startCpu({
          cpu,
          image: image.file,
          memory: buffer,
          words,
          stat,
          statWords,
          statStride,
          oracle: this.oracle.buffer as SharedArrayBuffer,
          control: this.#control.buffer as SharedArrayBuffer,
          panic: symbol(symbols, 'machine$panic'),
          wake,
          bugStopped: symbols['BUG_STOPPED'] ?? 2,
        }),
      )
  }

  /**
   * Allocates a machine for `image`, starts its CPUs and boots the kernel on them; the scenario is set up when it
   * resolves. Throws UsageError when the scenario cannot be set up (MEMORY too small), MachineStopped on a BUG,
   * WorkerDied, KernelException.
   */
  static async boot(image: KernelImage, options: MachineOptions): Promise<SmpMachine> {
    const machine = new SmpMachine(image, options)
    try {
      await machine.#boot()
      return machine
    } catch (error) {
      await machine.shutdown()
      throw error
    }
  }

  get view(): MachineView {
    return { memory: this.memory, symbols: this.image.symbols }
  }

  /** Operations that the CPUs have begun since boot. */
  operations(): number {
    let sum = 0
    for (let cpu = 0; cpu < this.cpus; cpu++) sum += this.#operations(cpu)
    return sum
  }

  /** Whether the CPU has been called and has not answered. */
  isBusy(cpu: number): boolean {
    return this.#cpus[cpu].busy
  }

  /** Sets all counters to zero. Only while no CPU runs. */
  resetStats(): void {
    for (const stat of this.stats) stat.fill(0)
  }

  /**
   * Lets all CPUs run, together from a barrier on, for `milliseconds` or until no task is left or stop() is called.
   * Throws MachineStopped on a BUG and on a soft lockup, WorkerDied, KernelException; then the machine cannot run
   * again.
   */
  async run(milliseconds: number): Promise<Window> {
    this.#store('machine$stop', 0)
    const window = ++this.#window
    Atomics.store(this.#control, CONTROL_ARRIVED, 0)
    Atomics.store(this.#control, CONTROL_EXPECTED, this.cpus)
    this.samples = noSamples()
    let finished = true
    let deadline: number | undefined
    const outcomes = await this.#callAll(
      this.#cpus.map((_, cpu) => cpu),
      (api) => api.run(window),
      'operations',
      (now) => {
        if (Atomics.load(this.#control, CONTROL_WINDOW) !== window) return
        deadline ??= now + milliseconds
        if (finished && (now >= deadline || this.#stopRequested)) {
          finished = false
          this.#stopCpus()
        }
        if (finished) takeSample(this.samples, this.view, this.cpus)
      },
    )
    const times = outcomes.filter((outcome) => outcome.kind === 'done')
    const begin = Math.min(...times.map((outcome) => outcome.begin))
    const end = Math.max(...times.map((outcome) => outcome.end))
    return { seconds: (end - begin) / 1000, finished }
  }

  /** Ends the window that runs now; those after it end as soon as they begin. */
  stop(): void {
    this.#stopRequested = true
  }

  /** Lets every task that is left exit, on CPU 0. Throws as run() does. */
  async exitAllTasks(): Promise<void> {
    this.#store('machine$stop', 0)
    await this.#callAll([0], (api) => api.exitAllTasks(), 'setup')
  }

  /** Ends the worker threads. */
  async shutdown(): Promise<void> {
    Atomics.store(this.#control, CONTROL_WINDOW, CONTROL_ABORT)
    Atomics.notify(this.#control, CONTROL_WINDOW)
    await Promise.all(this.#cpus.map(({ worker }) => worker.terminate()))
  }

  /**
   * What the watchdog sees of CPU `cpu`: start-up and teardown are no operations, so only who waits is stuck soon
   * there.
   */
  #watch(cpu: number, work: 'operations' | 'setup'): WatchedCpu {
    const limit = this.#options.lockupLimit ?? LOCKUP_LIMIT
    const idle = !this.#cpus[cpu].busy || isIdle(this.view, cpu)
    const operations = this.#operations(cpu)
    const waiting = waitingOn(this.view, cpu)
    if (work === 'operations') return { progress: operations, idle, limit }
    return {
      progress: operations + waiting * 2 ** 20,
      idle,
      limit: waiting === 0 ? limit * SETUP_FACTOR : limit,
    }
  }

  async #boot(): Promise<void> {
    const { cpus, seed, cores, bootData } = this.#options
    const { config, symbols } = this.image
    this.#store('machine$nr_cpus', cpus)
    this.#store('machine$spin_budget', cpus <= cores ? SPIN_LONG : SPIN_SHORT)
    this.#store('machine$spin_patience', cpus <= cores ? SPIN_LONG : SPIN_SHORT)
    this.#store('machine$wait_timeout', WAIT_TIMEOUT_NS)
    this.#store('machine$seed', seed)
    this.#store('machine$fail_alloc', config.FAIL_ALLOC)
    if (bootData) this.memory.set(bootData, symbol(symbols, 'BOOT_DATA'))
    const all = this.#cpus.map((_, cpu) => cpu)
    await this.#callAll(all, (api) => api.boot(), 'setup')
    const [outcome] = await this.#callAll([0], (api) => api.setup(), 'setup')
    if (outcome.kind === 'done' && outcome.value < 0) throw setupFailure(this.image, this.cpus, outcome.value)
  }

  /**
   * Calls `call` on the CPUs of `cpus` and waits for all, looking at the machine now and then (`look`, with the time in
   * ms). One that dies, throws or locks up ends all.
   */
  async #callAll(
    cpus: readonly number[],
    call: (api: Remote<CpuApi>) => Promise<CpuOutcome>,
    work: 'operations' | 'setup',
    look: (now: number) => void = () => {},
  ): Promise<CpuOutcome[]> {
    const outcomes: (CpuOutcome | undefined)[] = Array.from({ length: this.cpus })
    const calls = cpus.map(async (cpu) => {
      const { api, died } = this.#cpus[cpu]
      this.#cpus[cpu].busy = true
      outcomes[cpu] = await Promise.race([call(api), died])
      this.#cpus[cpu].busy = false
    })
    const watchdog = softLockupWatchdog(this.cpus, (cpu) => this.#watch(cpu, work))
    const all = Promise.all(calls)
    all.catch(() => {})
    try {
      for (;;) {
        const ended = await Promise.race([all.then(() => true), sleep(SAMPLE_INTERVAL)])
        if (hasFailed(outcomes)) break
        if (ended) break
        const now = performance.now()
        look(now)
        const stuck = watchdog(now)
        if (stuck >= 0) throw await this.#lockedUp(stuck, this.#watch(stuck, work).limit, outcomes, all)
      }
    } catch (error) {
      this.#panic()
      throw error
    }
    if (hasFailed(outcomes)) {
      this.#panic()
      await Promise.race([all, sleep(PANIC_TIMEOUT)]).catch(() => {})
      throw errorOf(this, outcomes)
    }
    return cpus.map((cpu) => outcomes[cpu]!)
  }

  /** Reports the lockup of CPU `cpu`: first what memory shows, then the stacks of the CPUs that still answer. */
  async #lockedUp(
    cpu: number,
    limit: number,
    outcomes: Outcomes,
    all: Promise<unknown>,
  ): Promise<MachineStopped> {
    const before = statesOf(this, outcomes)
    this.#panic()
    await Promise.race([all, sleep(PANIC_TIMEOUT)]).catch(() => {})
    const after = statesOf(this, outcomes)
    const cpus = before.map((state, index) => ({
      ...state,
      ended: index === cpu ? ('bug' as const) : after[index].ended,
      stack: after[index].stack,
    }))
    return new MachineStopped(lockupFailure(cpu, limit, cpus))
  }

  #operations(cpu: number): number {
    return this.memory[perCpu(this.image.symbols, cpu, 'percpu$operations')] >>> 0
  }

  /** Lets the CPUs leave between two operations, idle ones at once. */
  #stopCpus(): void {
    this.#store('machine$stop', 1)
    const { symbols } = this.image
    for (let cpu = 0; symbols['RQ'] !== undefined && cpu < this.cpus; cpu++) {
      const rq = symbols['RQ'] + cpu * symbol(symbols, 'RQ_WORDS')
      Atomics.add(this.memory, rq + symbol(symbols, 'rq$event'), 1)
    }
    this.#kick()
  }

  /** Lets the CPUs leave at once, wherever they wait. */
  #panic(): void {
    this.#store('machine$panic', 1)
    this.#store('machine$stop', 1)
    Atomics.store(this.#control, CONTROL_WINDOW, CONTROL_ABORT)
    Atomics.notify(this.#control, CONTROL_WINDOW)
    this.#kick()
  }

  #kick(): void {
    for (let cpu = 0; cpu < this.cpus; cpu++) {
      const wake = perCpu(this.image.symbols, cpu, 'percpu$wake')
      Atomics.add(this.memory, wake, 1)
      Atomics.notify(this.memory, wake)
    }
  }

  #store(name: string, value: number): void {
    Atomics.store(this.memory, symbol(this.image.symbols, name), value)
  }
}

function each<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index))
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds)
  })
}
