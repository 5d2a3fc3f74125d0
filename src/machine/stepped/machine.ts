/**
 * The stepped machine: all CPUs in one thread. The image's code announces each shared access (S) and performs it (X);
 * in between a Scheduler may let other CPUs go first. Only a change of CPU yields.
 *
 * After setup the memory is the base that every execution starts from; X logs the first write of each word, and reset()
 * undoes the log. Interrupts are contexts of their own (scheduler.ts). Waiting is no spinning: a context that wants a
 * taken lock or waits for a word is not runnable, and if nobody is, that is a deadlock.
 *
 * Left out: weak memory (every access is performed when its turn comes).
 */
import { LockClasses } from '../lock_classes.ts'
import { requireSymbols, type SteppedBoot, type SteppedExports } from '../../step/boot.ts'
import { KernelBug, SetupFailed } from '../../step/bug.ts'
import { ALIVE, Contexts, DONE, UNBORN } from './contexts.ts'
import { Draws, type DrawSource, type TaskDraws } from './draws.ts'
import { environmentOf } from './environment.ts'
import { INTERRUPT_SYMBOLS, Interrupts } from './interrupts.ts'
import type { KeptState } from '../../inspect/symbols.ts'
import { type Observer, Violation } from '../../step/observer.ts'
import { OracleBase } from './oracle_base.ts'
import type { Pending, Random, Scheduler } from '../../step/scheduler.ts'
import { SharedWords } from './shared_words.ts'
import { CutOff, Steps, Trace } from './steps.ts'
import { EXACT, INTERRUPTS, LEARNING, Turn } from './turn.ts'
import { UndoLog } from './undo_log.ts'
import { SiteRecorder, watcherOf } from './watchers.ts'

export type { SteppedBoot, SteppedEnvironment, SteppedExports } from '../../step/boot.ts'
export { KernelBug, SetupFailed } from '../../step/bug.ts'

export interface SteppedOptions {
  readonly cpus: number
  readonly seed: number
  /** Turns a task takes before it stops, and pages of the scenario; 0: the scenario's own. */
  readonly turns: number
  readonly pages: number
  /** Steps in which no task ends a turn and no CPU is done that are a livelock. */
  readonly stepLimit: number
}

/** What an execution ended in. */
export type Ending =
  | { readonly kind: 'held' }
  /** It went on for too long to be awaited, although tasks got their turns done. */
  | { readonly kind: 'cut off' }
  | { readonly kind: 'violation'; readonly check: string; readonly message: string; readonly error: Error }

/** The layout symbols that the machine itself needs. */
/**
 * Looks of a CPU that spins, and steps after which nobody passes who waits: few, so that a hunt meets what lies behind.
 */
const SPIN_PATIENCE = 2
const WAIT_TIMEOUT = 64

const NEEDED = [
  ...INTERRUPT_SYMBOLS,
  'MEMORY_WORDS',
  'ORACLE_WORDS',
  'STAT_WORDS',
  'machine$nr_cpus',
  'machine$spin_budget',
  'machine$spin_patience',
  'machine$wait_timeout',
  'machine$seed',
  'machine$turns',
  'machine$pages',
  'machine$fail_alloc',
  'FAIL_ALLOC',
] as const

export class SteppedMachine implements Pending {
  readonly memory: Int32Array
  readonly oracle: Int32Array
  readonly stat: Float64Array
  readonly cpus: number
  readonly symbols: Readonly<Record<string, number>>
  /** The pending step of each context. */
  readonly kind: Int32Array
  readonly addr: Int32Array
  readonly a: Int32Array
  readonly b: Int32Array
  readonly site: Int32Array
  readonly points: Int32Array
  /** 1 for words that more than one CPU touches and one writes: accesses to others are no scheduling points. */
  readonly shared: Uint8Array
  /**
   * Words that were seen to be shared since the machine was made, and are not in `shared` yet unless share() put them
   * there.
   */
  readonly learned: readonly number[]
  /** Sites of the steps of setup. */
  readonly setupSites: ReadonlySet<number>
  readonly lockClasses = new LockClasses()
  /** Observers of the executions to come. */
  observers: readonly Observer[] = []

  readonly #options: SteppedOptions
  readonly #kernel: SteppedExports
  readonly #contexts: Contexts
  readonly #interrupts: Interrupts
  readonly #turn: Turn
  readonly #sharedWords: SharedWords
  readonly #undo: UndoLog
  readonly #steps: Steps
  readonly #oracleBase: OracleBase
  readonly #draws: Draws

  constructor(boot: SteppedBoot, symbols: Readonly<Record<string, number>>, options: SteppedOptions) {
    requireSymbols(symbols, NEEDED)
    this.symbols = symbols
    this.#options = options
    this.cpus = options.cpus
    this.memory = new Int32Array(symbols['MEMORY_WORDS'])
    this.oracle = new Int32Array(symbols['ORACLE_WORDS'])
    this.stat = new Float64Array(symbols['STAT_WORDS'])
    const percpu = symbols['PERCPU']
    const percpuWords = symbols['PERCPU_WORDS']
    const contexts = new Contexts(options.cpus, this.memory, percpu, percpuWords)
    this.#contexts = contexts
    this.kind = contexts.kind
    this.addr = contexts.addr
    this.a = contexts.a
    this.b = contexts.b
    this.site = contexts.site
    this.points = contexts.points
    this.#interrupts = new Interrupts(contexts, symbols)
    this.#turn = new Turn(contexts, this.#interrupts)
    this.#sharedWords = new SharedWords(this.memory.length)
    this.shared = this.#sharedWords.shared
    this.learned = this.#sharedWords.learned
    this.#undo = new UndoLog(this.memory)
    this.#steps = new Steps(contexts, this.#interrupts, this.#sharedWords, this.#turn, this.#undo)
    const draws = new Draws(options.seed)
    this.#draws = draws
    this.#kernel = boot({
      ...environmentOf(this, contexts, this.#undo, percpu, percpuWords),
      ...this.#steps.functions(),
      observe_turn: () => this.#steps.progress(),
      arch_random_below: (pid, x, bound) => draws.draw(pid, x, bound),
    })
    const recorder = new SiteRecorder()
    this.#steps.watcher = recorder
    this.#setup()
    this.#steps.watcher = undefined
    this.setupSites = recorder.sites
    this.#undo.keep()
    this.lockClasses.keep()
    this.#oracleBase = new OracleBase(this.oracle)
  }

  /** Observers of the executions to come: the checks. */
  observe(observers: readonly Observer[]): void {
    this.observers = observers
    this.#steps.watcher = watcherOf(observers)
  }

  get steps(): number {
    return this.#steps.steps
  }

  /** Changes of context in this execution: pairs of (steps announced before it, context). */
  get schedule(): number[] {
    return this.#steps.schedule
  }

  /** Choices where more than one context could go on, in this execution. */
  get choices(): number {
    return this.#turn.choices
  }

  /** For whoever runs another execution in between. */
  set choices(choices: number) {
    this.#turn.choices = choices
  }

  /** What tasks drew at random in this execution. */
  get draws(): TaskDraws[] {
    return this.#draws.byTask()
  }

  /** A number that tells these draws from others. */
  get drawsHash(): number {
    return this.#draws.hash()
  }

  /** While true, words that turn out to be shared in an execution are added to `learned`. */
  get learning(): boolean {
    return (this.#turn.mode & LEARNING) !== 0
  }

  set learning(on: boolean) {
    this.#turn.setMode(LEARNING, on)
  }

  /** While true every step asks the scheduler, whatever the profile says (replay, and to learn). */
  get exact(): boolean {
    return (this.#turn.mode & EXACT) !== 0
  }

  set exact(on: boolean) {
    this.#turn.setMode(EXACT, on)
  }

  /** Adds words to those whose accesses are scheduling points. */
  share(words: Iterable<number>): void {
    this.#sharedWords.share(words)
  }

  /** The CPU that `context` is. */
  cpuOf(context: number): number {
    return context < this.cpus ? context : context - this.cpus
  }

  /** Whether a CPU has left the kernel in this execution. */
  hasEnded(context: number): boolean {
    return this.#contexts.state[context] === DONE
  }

  /** Whether the context may take its pending step now. */
  isRunnable(context: number): boolean {
    return this.#turn.isRunnable(context)
  }

  /** Whether the pending step of the context cannot be taken now. */
  isBlocked(context: number): boolean {
    return this.#contexts.isBlocked(context)
  }

  /** The context that ran last. */
  get running(): number {
    return this.#contexts.current
  }

  /**
   * Runs one execution to its end. The memory stays as it ends until the next one begins.
   * @param draws where what programs draw comes from; by itself it is the same in every execution
   */
  run(scheduler: Scheduler, execution: number, random: Random, draws: DrawSource = 'sequence'): Ending {
    this.reset()
    this.#draws.begin(draws)
    // Nobody has run yet, whoever ran last in the execution before.
    this.#contexts.enter(0)
    this.#turn.scheduler = scheduler
    scheduler.begin(execution, random, this)
    for (const observer of this.observers) observer.begin()
    try {
      this.#loop()
      for (const observer of this.observers) observer.end?.()
      return { kind: 'held' }
    } catch (error) {
      if (error instanceof CutOff) return { kind: 'cut off' }
      if (error instanceof Violation)
        return { kind: 'violation', check: error.check, message: error.message, error }
      if (error instanceof KernelBug)
        return { kind: 'violation', check: this.checkOf(error), message: error.message, error }
      throw error
    }
  }

  /** What this BUG is called as a check: the oracle and the scenario speak through BUGs too. */
  checkOf({ kind }: KernelBug): string {
    if (kind === this.symbols['BUG_ORACLE']) return 'data-oracle'
    return kind === this.symbols['BUG_SCENARIO'] ? 'scenario' : 'BUG'
  }

  /** Puts everything back to where setup left it. */
  reset(): void {
    this.#undo.undo()
    this.#oracleBase.restore()
    this.#contexts.reset()
    this.lockClasses.reset()
    this.#turn.setMode(INTERRUPTS, false)
    this.#turn.choices = 0
    this.#steps.begin(this.#options.stepLimit)
  }

  /** A number that tells states of the memory at the end of executions apart: of all words written and their values. */
  hash(): number {
    return this.#undo.hash()
  }

  /** What setup left, and the words that were written since. */
  get since(): KeptState {
    return this.#undo.since
  }

  /**
   * Where each context stands after an execution that a violation ended: the text of an Error's stack made in its
   * innermost function; undefined for one that has not begun, has left, or threw. The execution cannot go on
   * afterwards.
   */
  stacks(): (string | undefined)[] {
    return this.#contexts.generators.map((generator, context) => {
      if (generator === undefined || this.#contexts.state[context] !== ALIVE) return undefined
      return this.#stackOf(generator, context)
    })
  }

  #stackOf(generator: Generator<unknown, unknown>, context: number): string | undefined {
    this.#contexts.enter(context)
    const pending = this.kind[context]
    // No step has this kind: performing it throws.
    this.kind[context] = 0
    try {
      generator.next()
    } catch (error) {
      if (error instanceof Trace) return error.stack
    } finally {
      this.kind[context] = pending
    }
    return undefined
  }

  /**
   * Runs `generator` alone on CPU `cpu`, without choices, to its end: setup, and what follows an execution. Its steps
   * belong to no execution: they are not counted, and nothing is learned from them. Throws Violation if it waits.
   */
  alone<T>(cpu: number, start: (kernel: SteppedExports) => Generator<unknown, T>): T {
    const steps = this.#steps
    const { steps: counted } = steps
    const { mode } = this.#turn
    const points = this.points[cpu]
    this.#turn.scheduler = undefined
    this.#turn.setMode(LEARNING, false)
    steps.beginAlone()
    this.#contexts.enter(cpu)
    this.#contexts.state[cpu] = ALIVE
    try {
      const generator = start(this.#kernel)
      const result = generator.next()
      if (!result.done) {
        const error = new Violation('deadlock', 'a wait that nobody can end')
        error.stack = this.#stackOf(generator, cpu) ?? error.stack
        throw error
      }
      return result.value
    } finally {
      steps.steps = counted
      this.points[cpu] = points
      this.#turn.mode = mode
    }
  }

  #setup(): void {
    const { memory, symbols } = this
    memory[symbols['machine$nr_cpus']] = this.cpus
    memory[symbols['machine$spin_budget']] = 1
    memory[symbols['machine$spin_patience']] = SPIN_PATIENCE
    memory[symbols['machine$wait_timeout']] = WAIT_TIMEOUT
    memory[symbols['machine$seed']] = this.#options.seed
    memory[symbols['machine$turns']] = this.#options.turns
    memory[symbols['machine$pages']] = this.#options.pages
    memory[symbols['machine$fail_alloc']] = symbols['FAIL_ALLOC']
    this.alone(0, (kernel) => kernel.start_kernel())
    const ret = this.alone(0, (kernel) => kernel.scenario_setup())
    if (ret < 0) throw new SetupFailed(ret)
  }

  #loop(): void {
    const contexts = this.#contexts
    const steps = this.#steps
    const { generators, state } = contexts
    let live = this.cpus
    let next = this.#turn.choose()
    steps.schedule.push(0, next)
    for (;;) {
      contexts.enter(next)
      const generator = (generators[next] ??= this.#born(next))
      if (!generator.next().done) {
        next = steps.target
        continue
      }
      // An end is a step too: else a schedule could not tell it from a switch before the last access.
      steps.steps++
      this.points[next]++
      if (next < this.cpus) {
        state[next] = DONE
        steps.progress()
        live--
        if (live === 0) return
      } else {
        state[next] = UNBORN
        generators[next] = undefined
        this.#turn.setMode(INTERRUPTS, this.#interrupts.anyPending())
      }
      next = this.#turn.choose()
      steps.schedule.push(steps.steps, next)
    }
  }

  #born(context: number): Generator<unknown, unknown> {
    this.#contexts.state[context] = ALIVE
    return context < this.cpus ? this.#kernel.cpu_run() : this.#kernel.do_IRQ()
  }
}
