/**
 * The stepped machine: all CPUs in one thread. The image's code announces each shared access (S) and performs it (X); in
 * between a Scheduler may let other CPUs go first. Only a change of CPU yields.
 *
 * After setup the memory is the base that every execution starts from; X logs the first write of each word, and reset()
 * undoes the log. Interrupts are entities of their own (scheduler.ts). Waiting is no spinning: an entity that wants a taken
 * lock or waits for a word is not runnable, and if nobody is, that is a deadlock.
 *
 * Left out: weak memory (every access is performed when its turn comes).
 */
import type { BootEnvironment } from '../../kernel/arch/machine.ts'
import { BLOCKS, Kind, KIND_FLAGS, KINDS, WRITES } from '../../step/kinds.ts'
import { FENCE_MB, FENCE_RMB, FENCE_WMB, type Observer, Violation } from '../../step/observer.ts'
import type { Pending, Random, Scheduler } from '../../step/scheduler.ts'

/** Entry functions of a stepped image: generators. */
export interface SteppedExports {
  start_kernel(): Generator<unknown, void>
  scenario_setup(): Generator<unknown, number>
  cpu_run(): Generator<unknown, void>
  do_IRQ(): Generator<unknown, void>
  exit_all_tasks(): Generator<unknown, void>
}

/** What boot() of a stepped image needs beside the native environment's observers. */
export interface SteppedEnvironment extends Omit<BootEnvironment, 'wasm' | 'this_cpu'> {
  S(kind: number, addr: number, a: number, b: number, site: number): boolean
  X(): number
  this_cpu_read(offset: number): number
  this_cpu_write(offset: number, value: number): void
  this_cpu_add(offset: number, value: number): void
  this_cpu_ptr(offset: number): number
  private_load(p: number): number
  private_store(p: number, value: number): void
  per_cpu_ptr(offset: number, cpu: number): number
  smp_processor_id(): number
  smp_mb(): void
  smp_wmb(): void
  smp_rmb(): void
  check_panic(): void
  smp_wake(p: number): void
  smp_wake_one(p: number): void
  kick_cpu(cpu: number): void
  observe_table_locked(table: number): void
  observe_table_unlocked(table: number): void
  observe_lock_acquire(lock: number, subclass: number, how: number): void
  observe_lock_release(lock: number): void
  observe_lock_wanted(lock: number): void
  observe_exception(): void
  ndelay(ns: number): void
  ktime_get_ns(): number
  observe_contended(lock: number): boolean
}

export type SteppedBoot = (env: SteppedEnvironment) => SteppedExports

export interface SteppedOptions {
  readonly cpus: number
  readonly seed: number
  /** Turns a task takes before it stops, and pages of the scenario; 0: the scenario's own. */
  readonly turns: number
  readonly pages: number
  /** Steps after which an execution is given up as a livelock. */
  readonly stepLimit: number
}

/** A BUG in the kernel under test. */
export class KernelBug extends Error {
  override readonly name = 'KernelBug'
  readonly kind: number
  readonly a: number
  readonly b: number
  constructor(kind: number, a: number, b: number) {
    super(`BUG ${kind}`)
    this.kind = kind
    this.a = a
    this.b = b
  }
}

/** What an execution ended in. */
export type Ending =
  | { readonly kind: 'held' }
  | { readonly kind: 'violation'; readonly check: string; readonly message: string; readonly error: Error }

/** The layout symbols that the machine itself needs. */
const NEEDED = [
  'MEMORY_WORDS',
  'ORACLE_WORDS',
  'STAT_WORDS',
  'PERCPU',
  'PERCPU_WORDS',
  'percpu$irq_pending',
  'percpu$irqs_off',
  'percpu$in_irq',
  'percpu$instruction',
  'machine$nr_cpus',
  'machine$spin_budget',
  'machine$seed',
  'machine$turns',
  'machine$pages',
  'machine$fail_alloc',
  'FAIL_ALLOC',
] as const

export class SetupFailed extends Error {
  readonly errno: number
  constructor(errno: number) {
    super(`setup of the scenario failed with ${errno}`)
    this.errno = errno
  }
}

/** Steps of setup, and of what follows an execution. */
const ALONE_LIMIT = 20_000_000

/** Thrown where a step would be performed, for its stack. */
class Trace extends Error {}

type StepWatcher = Required<Pick<Observer, 'step'>>

/** Several that watch steps, as one. */
class Watchers implements StepWatcher {
  readonly #all: readonly StepWatcher[]

  constructor(all: readonly StepWatcher[]) {
    this.#all = all
  }

  step(
    entity: number,
    kind: number,
    addr: number,
    a: number,
    b: number,
    old: number,
    result: number,
    site: number,
  ): void {
    for (const watcher of this.#all) watcher.step(entity, kind, addr, a, b, old, result, site)
  }
}

/** The sites that took a step. */
class SiteRecorder implements StepWatcher {
  readonly sites = new Set<number>()

  step(
    _e: number,
    _kind: number,
    _addr: number,
    _a: number,
    _b: number,
    _old: number,
    _result: number,
    site: number,
  ): void {
    this.sites.add(site)
  }
}

/** Bits of a machine's mode. */
const LEARNING = 1
const EXACT = 2
/** An interrupt may be pending. */
const INTERRUPTS = 4

/** By kind: 1 if all that the step needs is at its address, and it never waits. */
const FIRST_WORD: Uint8Array = (() => {
  const first = new Uint8Array(KINDS)
  for (let kind = 1; kind < KINDS; kind++)
    first[kind] = (KIND_FLAGS[kind]! & BLOCKS) === 0 && kind !== Kind.CLEAR && kind !== Kind.COPY ? 1 : 0
  return first
})()

/** What performing a step does to the word at its address, by kind. */
const DOES_NOTHING = 0
const DOES_STORE = 1
const DOES_MORE = 2

const DOES: Uint8Array = (() => {
  const does = new Uint8Array(KINDS).fill(DOES_MORE)
  for (const kind of [
    ...[Kind.PLAIN_READ, Kind.RACE_READ, Kind.ONCE_READ, Kind.USER_READ],
    ...[Kind.ACQUIRE_READ, Kind.ATOMIC_READ, Kind.WAIT, Kind.SPIN],
  ])
    does[kind] = DOES_NOTHING
  for (const kind of [
    ...[Kind.PLAIN_WRITE, Kind.ONCE_WRITE, Kind.USER_WRITE],
    ...[Kind.RELEASE_WRITE, Kind.ATOMIC_WRITE],
  ])
    does[kind] = DOES_STORE
  return does
})()

/** Where the state of an entity's generator stands. */
const UNBORN = 0
const ALIVE = 1
const DONE = 2

/** Bits of what is learned of a word. */
const TOUCH_CPU = 127
const TOUCH_WRITTEN = 128
const TOUCH_BOTH = 256
const TOUCH_KNOWN = 512

export class SteppedMachine implements Pending {
  readonly memory: Int32Array
  readonly oracle: Int32Array
  readonly stat: Float64Array
  readonly cpus: number
  readonly symbols: Readonly<Record<string, number>>
  /** The pending step of each entity. */
  readonly kind: Int32Array
  readonly addr: Int32Array
  readonly a: Int32Array
  readonly b: Int32Array
  readonly site: Int32Array
  readonly points: Int32Array
  steps = 0
  /** Changes of entity in this execution: pairs of (steps announced before it, entity). */
  schedule: number[] = []
  /** Choices where more than one entity could go on, in this execution. */
  choices = 0
  /** 1 for words that more than one CPU touches and one writes: accesses to others are no scheduling points. */
  readonly shared: Uint8Array
  /** Words that were seen to be shared since the machine was made, and are not in `shared` yet unless share() put them there. */
  readonly learned: number[] = []
  /** Sites of the steps of setup. */
  readonly setupSites: ReadonlySet<number>

  readonly #options: SteppedOptions
  readonly #kernel: SteppedExports
  readonly #base: Int32Array
  #oracleBase = new Int32Array(0)
  readonly #epoch: Int32Array
  readonly #log: Int32Array
  #logged = 0
  #now = 1
  /** By word, while learning: the execution, and who touched it (the first CPU + 1, TOUCH_WRITTEN, TOUCH_BOTH, TOUCH_KNOWN). */
  readonly #touchEpoch: Int32Array
  readonly #touch: Uint16Array
  readonly #generators: (Generator<unknown, unknown> | undefined)[]
  readonly #state: Uint8Array
  readonly #notified: Uint8Array
  readonly #runnable: Int32Array
  readonly #percpu: number
  readonly #percpuWords: number
  readonly #irqPending: number
  readonly #irqsOff: number
  readonly #inIrq: number
  readonly #instruction: number
  #current = 0
  #cpuBase = 0
  #cpu = 0
  #target = 0
  #scheduler: Scheduler | undefined
  /** Steps after which an execution, or what runs alone, is given up. */
  #limit = ALONE_LIMIT
  /** Why a step that looks private may need more than to be counted: bits; 0: nothing. */
  #mode = 0
  #observers: readonly Observer[] = []
  /** Sees every step; one object, so that a step costs one call. */
  #watcher: StepWatcher | undefined

  constructor(boot: SteppedBoot, symbols: Readonly<Record<string, number>>, options: SteppedOptions) {
    for (const name of NEEDED)
      if (symbols[name] === undefined) throw new Error(`the image has no symbol ${name}`)
    this.symbols = symbols
    this.#options = options
    this.cpus = options.cpus
    const words = symbols['MEMORY_WORDS']!
    const entities = 2 * options.cpus
    this.memory = new Int32Array(words)
    this.oracle = new Int32Array(symbols['ORACLE_WORDS']!)
    this.stat = new Float64Array(symbols['STAT_WORDS']!)
    this.kind = new Int32Array(entities)
    this.addr = new Int32Array(entities)
    this.a = new Int32Array(entities)
    this.b = new Int32Array(entities)
    this.site = new Int32Array(entities)
    this.points = new Int32Array(entities)
    this.shared = new Uint8Array(words)
    this.#epoch = new Int32Array(words)
    this.#log = new Int32Array(words)
    this.#touchEpoch = new Int32Array(words)
    this.#touch = new Uint16Array(words)
    this.#generators = Array.from({ length: entities }, () => undefined)
    this.#state = new Uint8Array(entities)
    this.#notified = new Uint8Array(entities)
    this.#runnable = new Int32Array(entities)
    this.#percpu = symbols['PERCPU']!
    this.#percpuWords = symbols['PERCPU_WORDS']!
    this.#irqPending = symbols['percpu$irq_pending']!
    this.#irqsOff = symbols['percpu$irqs_off']!
    this.#inIrq = symbols['percpu$in_irq']!
    this.#instruction = symbols['percpu$instruction']!
    this.#enter(0)
    this.#kernel = boot(this.#environment())
    const recorder = new SiteRecorder()
    this.#watcher = recorder
    this.#setup()
    this.#watcher = undefined
    this.setupSites = recorder.sites
    this.#base = this.memory.slice()
    let used = this.oracle.length
    while (used > 0 && this.oracle[used - 1] === 0) used--
    // Tables of address spaces that come later lie behind what setup has written.
    this.#oracleBase = this.oracle.slice(0, Math.min(this.oracle.length, Math.max(used, this.oracle[1]!) + 1))
  }

  /** Observers of the executions to come: the checks. */
  observe(observers: readonly Observer[]): void {
    this.#observers = observers
    const watchers = observers.filter((o): o is Observer & StepWatcher => o.step !== undefined)
    this.#watcher = watchers.length > 1 ? new Watchers(watchers) : watchers[0]
  }

  /** While true, words that turn out to be shared in an execution are added to `learned`. */
  get learning(): boolean {
    return (this.#mode & LEARNING) !== 0
  }

  set learning(on: boolean) {
    this.#mode = on ? this.#mode | LEARNING : this.#mode & ~LEARNING
  }

  /** While true every step asks the scheduler, whatever the profile says (replay, and to learn). */
  get exact(): boolean {
    return (this.#mode & EXACT) !== 0
  }

  set exact(on: boolean) {
    this.#mode = on ? this.#mode | EXACT : this.#mode & ~EXACT
  }

  /** The CPU that `entity` is. */
  cpuOf(entity: number): number {
    return entity < this.cpus ? entity : entity - this.cpus
  }

  /** Whether a CPU has left the kernel in this execution. */
  hasEnded(entity: number): boolean {
    return this.#state[entity] === DONE
  }

  /** Whether the entity may take its pending step now. */
  isRunnable(entity: number): boolean {
    const state = this.#state[entity]
    if (entity < this.cpus) {
      if (state === DONE || this.#state[entity + this.cpus] === ALIVE) return false
      return state === UNBORN || !this.#blocked(entity)
    }
    if (state === ALIVE) return !this.#blocked(entity)
    return (this.#mode & INTERRUPTS) !== 0 && this.#interruptible(entity - this.cpus)
  }

  /** Whether the pending step of the entity cannot be taken now. */
  isBlocked(entity: number): boolean {
    return this.#blocked(entity)
  }

  /** The entity that ran last. */
  get running(): number {
    return this.#current
  }

  /** Runs one execution to its end. The memory stays as it ends until the next one begins. */
  run(scheduler: Scheduler, execution: number, random: Random): Ending {
    this.reset()
    // Nobody has run yet, whoever ran last in the execution before.
    this.#enter(0)
    this.#scheduler = scheduler
    this.#limit = this.#options.stepLimit
    scheduler.begin(execution, random, this)
    for (const observer of this.#observers) observer.begin()
    try {
      this.#loop()
      for (const observer of this.#observers) observer.end?.()
      return { kind: 'held' }
    } catch (error) {
      if (error instanceof Violation)
        return { kind: 'violation', check: error.check, message: error.message, error }
      if (error instanceof KernelBug)
        return { kind: 'violation', check: this.#bugCheck(error.kind), message: error.message, error }
      throw error
    }
  }

  /** What a BUG of this kind is called as a check: the oracle and the scenario speak through BUGs too. */
  #bugCheck(kind: number): string {
    if (kind === this.symbols['BUG_ORACLE']) return 'data-oracle'
    return kind === this.symbols['BUG_SCENARIO'] ? 'scenario' : 'BUG'
  }

  /** Puts everything back to where setup left it. */
  reset(): void {
    const { memory } = this
    const base = this.#base
    const log = this.#log
    for (let i = 0; i < this.#logged; i++) {
      const p = log[i]!
      memory[p] = base[p]!
    }
    this.#logged = 0
    this.#now++
    const { oracle } = this
    const oracleBase = this.#oracleBase
    if (oracleBase.length > 32) oracle.set(oracleBase)
    else for (let i = 0; i < oracleBase.length; i++) oracle[i] = oracleBase[i]!
    // For so few, fill() takes longer.
    for (let e = 0; e < 2 * this.cpus; e++) {
      this.kind[e] = 0
      this.addr[e] = 0
      this.a[e] = 0
      this.b[e] = 0
      this.site[e] = 0
      this.points[e] = 0
      this.#state[e] = UNBORN
      this.#notified[e] = 0
      this.#generators[e] = undefined
    }
    this.#mode &= ~INTERRUPTS
    this.steps = 0
    this.choices = 0
    // Setting its length to 0 takes longer.
    this.schedule = []
  }

  /** A number that tells states of the memory at the end of executions apart: of all words written and their values. */
  hash(): number {
    const { memory } = this
    const base = this.#base
    let low = 0x811c9dc5
    let high = 0
    // Order does not matter: executions write the same words in different orders.
    for (let i = 0; i < this.#logged; i++) {
      const p = this.#log[i]!
      const value = memory[p]!
      if (value === base[p]) continue
      let x = Math.imul(p, 0x9e3779b1) ^ Math.imul(value, 0x85ebca6b)
      x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d)
      x = Math.imul(x ^ (x >>> 12), 0x297a2d39)
      low = (low + x) | 0
      high = (high + Math.imul(x ^ (x >>> 15), 0x165667b1)) | 0
    }
    return (low >>> 0) * 0x200000 + (high & 0x1fffff)
  }

  /**
   * Where each entity stands after an execution that a violation ended: the text of an Error's stack made in its innermost
   * function; undefined for one that has not begun, has left, or threw. The execution cannot go on afterwards.
   */
  stacks(): (string | undefined)[] {
    return this.#generators.map((generator, entity) => {
      if (generator === undefined || this.#state[entity] !== ALIVE) return undefined
      this.#enter(entity)
      const pending = this.kind[entity]!
      // No step has this kind: performing it throws.
      this.kind[entity] = 0
      try {
        generator.next()
      } catch (error) {
        if (error instanceof Trace) return error.stack
      } finally {
        this.kind[entity] = pending
      }
      return undefined
    })
  }

  /**
   * Runs `generator` alone on CPU `cpu`, without choices, to its end: setup, and what follows an execution. Its steps belong
   * to no execution: they are not counted, and nothing is learned from them.
   */
  alone<T>(cpu: number, start: (kernel: SteppedExports) => Generator<unknown, T>): T {
    const { steps } = this
    const mode = this.#mode
    const points = this.points[cpu]!
    this.#scheduler = undefined
    this.#mode &= ~LEARNING
    this.#limit = steps + ALONE_LIMIT
    this.#enter(cpu)
    this.#state[cpu] = ALIVE
    try {
      const generator = start(this.#kernel)
      const result = generator.next()
      if (!result.done) throw new Error(`CPU ${cpu} waits although it is alone, at site ${this.site[cpu]}`)
      return result.value
    } finally {
      this.steps = steps
      this.points[cpu] = points
      this.#mode = mode
    }
  }

  #setup(): void {
    const { memory, symbols } = this
    memory[symbols['machine$nr_cpus']!] = this.cpus
    memory[symbols['machine$spin_budget']!] = 1
    memory[symbols['machine$seed']!] = this.#options.seed
    memory[symbols['machine$turns']!] = this.#options.turns
    memory[symbols['machine$pages']!] = this.#options.pages
    memory[symbols['machine$fail_alloc']!] = symbols['FAIL_ALLOC']!
    this.alone(0, (kernel) => kernel.start_kernel())
    const ret = this.alone(0, (kernel) => kernel.scenario_setup())
    if (ret < 0) throw new SetupFailed(ret)
  }

  #enter(entity: number): void {
    this.#current = entity
    this.#cpu = entity < this.cpus ? entity : entity - this.cpus
    this.#cpuBase = this.#percpu + this.#cpu * this.#percpuWords
  }

  #interruptible(cpu: number): boolean {
    if (this.#state[cpu] !== ALIVE) return false
    const base = this.#percpu + cpu * this.#percpuWords
    const { memory } = this
    const pending =
      memory[base + this.#irqPending]! | (this.cpus > 32 ? memory[base + this.#irqPending + 1]! : 0)
    return (
      pending !== 0 &&
      memory[base + this.#irqsOff] === 0 &&
      memory[base + this.#inIrq] === 0 &&
      memory[base + this.#instruction] === 0
    )
  }

  #blocked(entity: number): boolean {
    switch (this.kind[entity]) {
      case Kind.LOCK:
        return this.memory[this.addr[entity]!] !== 0
      case Kind.WAIT:
      case Kind.SPIN:
        return this.memory[this.addr[entity]!] === this.a[entity]
      case Kind.HALT:
        return this.#notified[entity] === 0 && this.memory[this.addr[entity]!] === this.a[entity]
      default:
        return false
    }
  }

  #collect(): number {
    const runnable = this.#runnable
    const { cpus } = this
    let n = 0
    // Interrupts need looking at only while one may be pending.
    if ((this.#mode & INTERRUPTS) !== 0) {
      for (let e = 0; e < 2 * cpus; e++) if (this.isRunnable(e)) runnable[n++] = e
      return n
    }
    const state = this.#state
    const { kind } = this
    for (let e = 0; e < cpus; e++) {
      if (state[e] === DONE) continue
      // A CPU that has not begun has no kind yet.
      if ((KIND_FLAGS[kind[e]!]! & BLOCKS) === 0 || !this.#blocked(e)) runnable[n++] = e
    }
    return n
  }

  /** The entity that takes the next step. */
  #choose(): number {
    const n = this.#collect()
    if (n === 0) this.#deadlock()
    if (n === 1) return this.#runnable[0]!
    this.choices++
    return this.#scheduler!.next(this.#runnable, n, this.#current)
  }

  /** The same for two CPUs without interrupts, of which `e` is at a step: the commonest hunt. */
  #chooseOfTwo(e: number): number {
    const { kind } = this
    const other = 1 - e
    const goesOn = (KIND_FLAGS[kind[e]!]! & BLOCKS) === 0 || !this.#blocked(e)
    if (this.#state[other] === DONE || ((KIND_FLAGS[kind[other]!]! & BLOCKS) !== 0 && this.#blocked(other))) {
      if (!goesOn) this.#deadlock()
      return e
    }
    if (!goesOn) return other
    this.choices++
    const runnable = this.#runnable
    runnable[0] = 0
    runnable[1] = 1
    return this.#scheduler!.next(runnable, 2, e)
  }

  #deadlock(): never {
    throw new Violation('deadlock', 'no CPU can go on')
  }

  #loop(): void {
    let live = this.cpus
    let next = this.#choose()
    this.schedule.push(0, next)
    for (;;) {
      this.#enter(next)
      const generator = (this.#generators[next] ??= this.#born(next))
      if (!generator.next().done) {
        next = this.#target
        continue
      }
      // An end is a step too: else a schedule could not tell it from a switch before the last access.
      this.steps++
      this.points[this.#current]!++
      if (next < this.cpus) {
        this.#state[next] = DONE
        live--
        if (live === 0) return
      } else {
        this.#state[next] = UNBORN
        this.#generators[next] = undefined
        this.#countIrqs()
      }
      next = this.#choose()
      this.schedule.push(this.steps, next)
    }
  }

  #born(entity: number): Generator<unknown, unknown> {
    this.#state[entity] = ALIVE
    return entity < this.cpus ? this.#kernel.cpu_run() : this.#kernel.do_IRQ()
  }

  #countIrqs(): void {
    let pending = 0
    for (let cpu = 0; cpu < this.cpus; cpu++) {
      const base = this.#percpu + cpu * this.#percpuWords + this.#irqPending
      pending |= this.memory[base]! | (this.cpus > 32 ? this.memory[base + 1]! : 0)
      if (this.#state[this.cpus + cpu] === ALIVE) pending |= 1
    }
    this.#mode = pending === 0 ? this.#mode & ~INTERRUPTS : this.#mode | INTERRUPTS
  }

  #write(p: number, value: number): void {
    if (this.#epoch[p] !== this.#now) {
      this.#epoch[p] = this.#now
      this.#log[this.#logged++] = p
    }
    this.memory[p] = value
  }

  /**
   * Makes the two functions that the image calls for every step. They are closures, and called directly: methods behind
   * arrow functions cost a tenth of an execution.
   */
  #stepFunctions(): Pick<SteppedEnvironment, 'S' | 'X'> {
    const { memory, shared, points } = this
    const epoch = this.#epoch
    const log = this.#log
    const kinds = this.kind
    const addrs = this.addr
    const as = this.a
    const bs = this.b
    const sites = this.site
    return {
      // Announces a step. True: another entity goes first, and the generator yields.
      S: (kind, addr, a, b, site) => {
        const e = this.#current
        kinds[e] = kind
        addrs[e] = addr
        as[e] = a
        bs[e] = b
        sites[e] = site
        if (++this.steps > this.#limit) this.#livelock()
        const mode = this.#mode
        if (mode !== 0 && (mode & LEARNING) !== 0) this.#learn(kind, addr, a, b)
        if (shared[addr] === 0 && (mode & ~LEARNING) === 0)
          if (FIRST_WORD[kind] === 1 || this.#isPrivate(kind, addr, a, b)) return false
        points[e]!++
        return this.#yields(e)
      },
      // Performs the pending step of the current entity.
      X: () => {
        const e = this.#current
        const kind = kinds[e]!
        const p = addrs[e]!
        const a = as[e]!
        const old = memory[p]!
        let result = old
        const does = DOES[kind]
        if (does === DOES_STORE) {
          if (epoch[p] !== this.#now) {
            epoch[p] = this.#now
            log[this.#logged++] = p
          }
          memory[p] = a
          result = 0
        } else if (does !== DOES_NOTHING) result = this.#perform(e, kind, p, a, old)
        const watcher = this.#watcher
        if (watcher !== undefined) watcher.step(e, kind, p, a, bs[e]!, old, result, sites[e]!)
        return result
      },
    }
  }

  #livelock(): never {
    throw new Violation('livelock', `no end after ${this.steps - 1} steps`)
  }

  /** At a scheduling point of the current entity: whether another one goes on. */
  #yields(e: number): boolean {
    if (this.#scheduler === undefined) return this.#blocked(e)
    const next = this.cpus === 2 && (this.#mode & INTERRUPTS) === 0 ? this.#chooseOfTwo(e) : this.#choose()
    if (next === e) return false
    this.schedule.push(this.steps, next)
    this.#target = next
    return true
  }

  /** Whether a step whose first word is not shared may go on without a choice. */
  #isPrivate(kind: number, addr: number, a: number, b: number): boolean {
    const { shared } = this
    if ((KIND_FLAGS[kind]! & BLOCKS) !== 0) return !this.#blocked(this.#current)
    if (kind === Kind.CLEAR) {
      for (let i = 1; i < a; i++) if (shared[addr + i] !== 0) return false
    } else if (kind === Kind.COPY)
      for (let i = 0; i < b; i++) if (shared[addr + i] !== 0 || shared[a + i] !== 0) return false
    return true
  }

  /** Adds words to those whose accesses are scheduling points. */
  share(words: Iterable<number>): void {
    for (const word of words) this.shared[word] = 1
  }

  #learn(kind: number, addr: number, a: number, b: number): void {
    const writes = (KIND_FLAGS[kind]! & WRITES) !== 0
    const words = kind === Kind.CLEAR ? a : kind === Kind.COPY ? b : 1
    for (let i = 0; i < words; i++) this.#touched(addr + i, writes)
    if (kind === Kind.COPY) for (let i = 0; i < words; i++) this.#touched(a + i, false)
  }

  #touched(word: number, writes: boolean): void {
    let touch = this.#touch[word]!
    if ((touch & TOUCH_KNOWN) !== 0) return
    if (this.#touchEpoch[word] !== this.#now) {
      this.#touchEpoch[word] = this.#now
      touch = this.#cpu + 1
    }
    if (writes) touch |= TOUCH_WRITTEN
    if ((touch & TOUCH_CPU) !== this.#cpu + 1) touch |= TOUCH_BOTH
    if ((touch & (TOUCH_WRITTEN | TOUCH_BOTH)) === (TOUCH_WRITTEN | TOUCH_BOTH)) {
      touch |= TOUCH_KNOWN
      this.learned.push(word)
    }
    this.#touch[word] = touch
  }

  /** Performs what is more than a load or a store; returns what the access returns. */
  #perform(e: number, kind: number, p: number, a: number, old: number): number {
    switch (kind) {
      case 0:
        throw new Trace()
      case Kind.LOCK:
        this.#write(p, this.#cpu + 1)
        return old
      case Kind.UNLOCK:
        this.#write(p, 0)
        return old
      case Kind.FETCH_ADD:
        this.#write(p, (old + a) | 0)
        return old
      case Kind.CMPXCHG:
        if (old === a) this.#write(p, this.b[e]!)
        return old
      case Kind.FETCH_AND:
        this.#write(p, old & a)
        return old
      case Kind.FETCH_OR:
        this.#write(p, old | a)
        this.#interrupted(p)
        return old
      case Kind.XCHG:
        this.#write(p, a)
        return old
      case Kind.CLEAR:
        for (let i = 0; i < a; i++) this.#write(p + i, this.b[e]!)
        return old
      case Kind.COPY:
        this.#copy(p, a, this.b[e]!)
        return old
      case Kind.TRYLOCK:
        if (old !== 0) return 0
        this.#write(p, this.#cpu + 1)
        return 1
      case Kind.HALT:
        this.#notified[e] = 0
        return old
      case Kind.NOTIFY:
        this.#notify(p)
    }
    return old
  }

  #copy(to: number, from: number, n: number): void {
    for (let i = 0; i < n; i++) {
      const source = to > from ? n - 1 - i : i
      this.#write(to + source, this.memory[from + source]!)
    }
  }

  /** An atomic OR may have been a sender's request to interrupt. */
  #interrupted(p: number): void {
    const offset = (p - this.#percpu) % this.#percpuWords
    if (p >= this.#percpu && (offset === this.#irqPending || offset === this.#irqPending + 1))
      if (p < this.#percpu + this.cpus * this.#percpuWords) this.#mode |= INTERRUPTS
  }

  #notify(p: number): void {
    for (let e = 0; e < this.kind.length; e++)
      if (this.#state[e] === ALIVE && this.kind[e] === Kind.HALT && this.addr[e] === p) {
        this.#notified[e] = 1
        return
      }
  }

  #fence(fence: number): void {
    for (const observer of this.#observers) observer.fence?.(this.#current, fence)
  }

  #environment(): SteppedEnvironment {
    const { memory } = this
    return {
      memory,
      oracle: this.oracle,
      stat: this.stat,
      clock: () => this.steps,
      machine_bug: (kind, a, b) => {
        throw new KernelBug(kind, a, b)
      },
      ...this.#stepFunctions(),
      this_cpu_read: (offset) => memory[this.#cpuBase + offset]!,
      this_cpu_write: (offset, value) => this.#write(this.#cpuBase + offset, value),
      this_cpu_add: (offset, value) =>
        this.#write(this.#cpuBase + offset, memory[this.#cpuBase + offset]! + value),
      this_cpu_ptr: (offset) => this.#cpuBase + offset,
      private_load: (p) => memory[p]!,
      private_store: (p, value) => this.#write(p, value),
      per_cpu_ptr: (offset, cpu) => this.#percpu + cpu * this.#percpuWords + offset,
      smp_processor_id: () => this.#cpu,
      smp_mb: () => this.#fence(FENCE_MB),
      smp_wmb: () => this.#fence(FENCE_WMB),
      smp_rmb: () => this.#fence(FENCE_RMB),
      check_panic: () => {},
      smp_wake: () => {},
      smp_wake_one: () => {},
      kick_cpu: () => {},
      observe_table_locked: (table) => {
        for (const observer of this.#observers) observer.tableLocked?.(this.#current, table)
      },
      observe_table_unlocked: (table) => {
        for (const observer of this.#observers) observer.tableUnlocked?.(this.#current, table)
      },
      observe_lock_acquire: (lock, subclass, how) => {
        for (const observer of this.#observers) observer.lockAcquire?.(this.#current, lock, subclass, how)
      },
      observe_lock_release: (lock) => {
        for (const observer of this.#observers) observer.lockRelease?.(this.#current, lock)
      },
      observe_lock_wanted: () => {},
      observe_exception: () => {},
      ndelay: () => {},
      ktime_get_ns: () => this.steps,
      observe_contended: (lock) => {
        for (let e = 0; e < this.kind.length; e++)
          if (
            e !== this.#current &&
            this.#state[e] === ALIVE &&
            this.kind[e] === Kind.LOCK &&
            this.addr[e] === lock
          )
            return true
        return false
      },
    }
  }
}
