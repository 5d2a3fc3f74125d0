/**
 * The clock: a machine of stepped images in which every CPU has a clock, every access costs what the cache-coherence
 * protocol makes it cost, and the CPU whose clock is lowest goes next. Same image, same seed, same hardware: the same
 * figures to the last digit.
 *
 * A line serves one transfer at a time; of those who want it meanwhile one is drawn from the seed. A read completes
 * when its transfer ends: until then those that have the line may use it, and what it brings is what they left in it. A
 * write invalidates other copies when its transfer starts. A CPU that waits for a word sleeps until somebody writes to
 * the line; then all who slept on it want it at once. Taking other CPUs' copies away from a line that one has does not
 * queue: that moves no data. Accesses to a CPU's own area and to lines that nobody else has touched are charged without
 * letting slower CPUs go first. Exceptions, clearing and copying vary by a tenth, drawn from the seed: CPUs that do
 * equal work would fall into step otherwise, and never meet.
 *
 * Left out: everything that overlaps (a CPU waits for each of its accesses, stores too), frequency, interrupts other
 * than TLB flushes.
 */
import {
  requireSymbols,
  type SteppedBoot,
  type SteppedEnvironment,
  type SteppedExports,
} from '../../step/boot.ts'
import { perform, waits } from '../../step/effect.ts'
import { Kind } from '../../step/kinds.ts'
import { Violation } from '../../step/observer.ts'
import { ClockFigures } from './figures.ts'
import { ClockHeap } from './heap.ts'
import { CLASS, CLEARS, COPIES, NOTHING, READS, UPDATES } from './access_classes.ts'
import { BOOT_SYMBOLS, type ScenarioOptions, setUpScenario, startKernel } from './boot.ts'
import { environmentOf } from './environment.ts'
import { ClockInterrupts, INTERRUPT_SYMBOLS } from './interrupts.ts'
import { LINE_SHIFT, Lines } from './lines.ts'
import { LockClasses } from '../lock_classes.ts'
import { ClockLocks } from './locks.ts'
import { type ClockObserver, HERE, HIT, INTERRUPT } from './observer.ts'
import { LineQueues } from './queues.ts'
import { ClockRandom } from './random.ts'
import { RANGE_SYMBOLS, Ranges } from './ranges.ts'
import { Sleepers } from './sleepers.ts'
import type { Hardware } from './topology.ts'

export interface ClockOptions extends ScenarioOptions {
  readonly hardware: Hardware
  /**
   * Draws the order of equals, and what exceptions, clearing and copying vary by. The program's own random numbers are
   * always the same.
   */
  readonly seed: number
  /** How far a CPU may run ahead of the slowest one, in picoseconds; 0: not at all. */
  readonly lag: number
  readonly observer?: ClockObserver
  /** Further words of memory, behind the boot data. */
  readonly bootScratch?: number
  /** What start_kernel makes of this image's memory, from another machine of it: saves doing it again. */
  readonly booted?: Int32Array
  /** Accesses without the begin of an operation after which run() throws NoOperation (default 2 ** 26). */
  readonly patience?: number
}

/** When a measurement ends: after so many operations a CPU, or so many picoseconds. Infinity: not by this. */
export interface Limits {
  readonly operations: number
  readonly time: number
}

export interface ClockResult {
  readonly figures: ClockFigures
  /** Length of the measured window in picoseconds. */
  readonly window: number
  /** Why it ended early: the scenario came to its end. */
  readonly ended: boolean
}

const NEEDED = [
  ...BOOT_SYMBOLS,
  ...INTERRUPT_SYMBOLS,
  ...RANGE_SYMBOLS,
  'MEMORY_WORDS',
  'ORACLE_WORDS',
  'STAT_WORDS',
  'LOCK_READ',
  'percpu$operations',
]

// Where a context stands.
const UNBORN = 0
/** Its pending step is to be taken when its turn comes. */
const ASKS = 1
/** Waits in the queue of a line. */
const QUEUED = 2
/** Sleeps until somebody writes to a line. */
const SLEEPS = 3
/** A line is on its way to the CPU. */
const FETCHES = 4
const DONE = 5

/**
 * Not every scenario has work for every CPU from its start on: after so many times the window's operations it begins
 * nevertheless.
 */
const WARM_UP = 4
/** Turns of advance(), and picoseconds of a CPU's turn (1 ms) after which it looks whether there is an end. */
const TURNS = 4096
const PAUSE = 1e9
/** Accesses without the begin of an operation after which none is awaited any more. */
const PATIENCE = 2 ** 26

/** The program does nothing but other things than operations. The message says for how long, after "no CPU". */
export class NoOperation extends Error {
  override readonly name = 'NoOperation'
}

export class ClockMachine {
  readonly memory: Int32Array
  readonly oracle: Int32Array
  readonly stat: Float64Array
  readonly symbols: Readonly<Record<string, number>>
  readonly cpus: number
  readonly figures: ClockFigures
  readonly lockClasses = new LockClasses()
  /** Memory as start_kernel left it. */
  readonly booted: Int32Array
  readonly #options: ClockOptions
  readonly #hardware: Hardware
  readonly #clock: Float64Array
  readonly #heap: ClockHeap
  readonly #lines: Lines
  readonly #locks: ClockLocks
  readonly #observer: ClockObserver | undefined
  readonly #kernel: SteppedExports
  // The pending step of each context: CPUs, then their interrupts.
  readonly #kind: Int32Array
  readonly #addr: Int32Array
  readonly #a: Int32Array
  readonly #b: Int32Array
  readonly #site: Int32Array
  readonly #state: Uint8Array
  readonly #generators: (Generator<unknown, unknown> | undefined)[]
  /** By CPU: the context that it is now. */
  readonly #context: Uint16Array
  /** By CPU: since when it has been held up. */
  readonly #since: Float64Array
  readonly #interrupts: ClockInterrupts
  readonly #queues: LineQueues
  /** By CPU, of the line that is on its way: how long the CPU queued for it, what fetching it takes, and from where. */
  readonly #waited: Float64Array
  readonly #fetchCost: Float64Array
  readonly #fetchSource: Uint8Array
  readonly #sleepers: Sleepers
  readonly #ranges: Ranges
  readonly #percpu: number
  readonly #percpuWords: number
  readonly #started: Uint8Array
  #startedCount = 0
  readonly #random: ClockRandom
  #timed = false
  #cpu = 0
  #base = 0
  /** The running CPU goes on alone up to this time. */
  #limit = Infinity
  /** From this time on it asks even before steps that concern nobody else. */
  #until = 0
  /** From this time on it pauses: advance() returns, and it goes on as if nothing had been. */
  #pauseAt = Infinity
  #paused = false
  /** Operations at which the window begins, then ends. */
  #enough = 0
  /** Length of the measured window, once it has ended. */
  window = 0
  #windowStart = 0
  #measuring = false
  #limits: Limits = { operations: Infinity, time: Infinity }
  /** CPUs that have not left the kernel. */
  #live = 0
  #now = 0
  /** Operations and accesses when the last operation was seen. */
  #operationsSeen = 0
  #accessesSeen = 0

  constructor(boot: SteppedBoot, symbols: Readonly<Record<string, number>>, options: ClockOptions) {
    requireSymbols(symbols, NEEDED)
    this.symbols = symbols
    this.#options = options
    this.#hardware = options.hardware
    this.#observer = options.observer
    const { cpus } = options.hardware
    this.cpus = cpus
    const { bootData, bootScratch = 0 } = options
    const words = symbols['MEMORY_WORDS'] + (bootData?.length ?? 0) + bootScratch
    this.memory = new Int32Array(words)
    this.oracle = new Int32Array(symbols['ORACLE_WORDS'])
    this.stat = new Float64Array(symbols['STAT_WORDS'])
    const lines = (words >> LINE_SHIFT) + 1
    this.figures = new ClockFigures(lines)
    this.#clock = new Float64Array(cpus)
    this.#random = new ClockRandom(options.seed)
    this.#heap = new ClockHeap(this.#clock, this.#random.permutation(cpus))
    this.#lines = new Lines(lines, options.hardware, this.figures)
    this.#locks = new ClockLocks(this.figures, this.#clock)
    this.#kind = new Int32Array(2 * cpus)
    this.#addr = new Int32Array(2 * cpus)
    this.#a = new Int32Array(2 * cpus)
    this.#b = new Int32Array(2 * cpus)
    this.#site = new Int32Array(2 * cpus)
    this.#state = new Uint8Array(2 * cpus)
    this.#generators = Array.from({ length: 2 * cpus }, () => undefined)
    this.#context = Uint16Array.from({ length: cpus }, (_, cpu) => cpu)
    this.#since = new Float64Array(cpus).fill(-1)
    this.#interrupts = new ClockInterrupts(this.memory, cpus, symbols)
    this.#queues = new LineQueues(lines, cpus, (bound) => this.#random.below(bound))
    this.#waited = new Float64Array(cpus)
    this.#fetchCost = new Float64Array(cpus)
    this.#fetchSource = new Uint8Array(cpus)
    this.#sleepers = new Sleepers(lines, cpus)
    this.#ranges = new Ranges(this.#lines, options.hardware.costs, symbols)
    this.#percpu = symbols['PERCPU']
    this.#percpuWords = symbols['PERCPU_WORDS']
    this.#started = new Uint8Array(cpus)
    this.#enter(0)
    this.#kernel = boot(this.#environment())
    const alone = <T>(start: (kernel: SteppedExports) => Generator<unknown, T>): T => this.#alone(start)
    this.booted = options.booted ?? startKernel(this, alone)
    setUpScenario(this, this.booted, options, alone)
  }

  /** The CPU that ran last. */
  get running(): number {
    return this.#cpu
  }

  /** All of a run: start(), advance() until it is over, result(). */
  run(limits: Limits): ClockResult {
    this.start(limits)
    while (!this.advance());
    return this.result()
  }

  /**
   * Lets all CPUs begin, from setup on; once only. The window begins when every CPU has begun an operation, or WARM_UP
   * times its operations are done, and ends at a limit or with the scenario; without limits it is the whole run.
   */
  start(limits: Limits): void {
    // What runs to its end is measured as a whole.
    const whole = limits.operations === Infinity && limits.time === Infinity
    this.#limits = limits
    this.#enough = whole ? 0 : limits.operations * this.cpus * WARM_UP
    this.#until = Infinity
    this.#timed = true
    this.#live = this.cpus
    for (let cpu = 0; cpu < this.cpus; cpu++) this.#heap.insert(cpu)
    this.#heap.settle()
  }

  /**
   * Runs on for less than a second of the host; returns whether the run is over. What is called how often shows in no
   * figure. Throws KernelBug, Violation when no CPU can go on, and NoOperation.
   */
  advance(): boolean {
    for (let turn = 0; turn < TURNS; turn++) {
      const cpu = this.#paused ? this.#cpu : this.#next()
      if (cpu < 0 || this.#turn(cpu)) return true
      if (this.#paused) break
    }
    this.#expectOperations()
    return false
  }

  /** What was measured, once the run is over. */
  result(): ClockResult {
    this.#end(this.#now)
    this.window = this.#now - this.#windowStart
    return { figures: this.figures, window: this.window, ended: this.#live === 0 }
  }

  /** The CPU whose turn it is; -1: a limit is reached. */
  #next(): number {
    const { figures } = this
    const heap = this.#heap
    if (heap.size === 0) throw new Violation('deadlock', 'no CPU can go on')
    const cpu = heap.first
    const now = this.#clock[cpu]
    this.#now = now
    if (this.#measuring) {
      if (figures.operations >= this.#enough || now - this.#windowStart >= this.#limits.time) return -1
    } else if (this.#startedCount === this.cpus || figures.operations >= this.#enough) {
      this.#begin(now)
      this.#enough = this.#limits.operations * this.cpus
      this.#until = now + this.#limits.time
    }
    this.#enter(cpu)
    this.#interrupt(cpu)
    this.#limit = heap.second + this.#options.lag
    return cpu
  }

  /** The turn of a CPU, which is at the root of the heap; returns whether it was the last CPU and has left. */
  #turn(cpu: number): boolean {
    const heap = this.#heap
    const state = this.#state
    const e = this.#context[cpu]
    this.#paused = false
    this.#pauseAt = this.#clock[cpu] + PAUSE
    // A step that asked before is taken now, if it can be; then the CPU goes on until the next one that cannot.
    if (state[e] === UNBORN || this.#take(cpu, e)) {
      const generator = (this.#generators[e] ??= this.#born(cpu, e))
      if (generator.next().done) {
        if (e === cpu) {
          state[e] = DONE
          heap.leave()
          return --this.#live === 0
        }
        state[e] = UNBORN
        this.#generators[e] = undefined
        this.#context[cpu] = cpu
      }
    }
    if (this.#paused) return false
    if (this.#isGone(cpu)) heap.leave()
    else heap.settle()
    return false
  }

  /** Throws NoOperation when the program does nothing that could end the run. */
  #expectOperations(): void {
    const { operations, accesses } = this.figures
    // Both begin anew with the window.
    if (operations !== this.#operationsSeen || accesses < this.#accessesSeen) {
      this.#operationsSeen = operations
      this.#accessesSeen = accesses
    } else if (accesses - this.#accessesSeen > (this.#options.patience ?? PATIENCE))
      throw new NoOperation(
        `has begun an operation for ${(accesses - this.#accessesSeen).toLocaleString('en')} accesses`,
      )
  }

  #begin(now: number): void {
    this.#measuring = true
    this.#windowStart = now
    this.figures.clear()
    this.stat.fill(0)
    this.#locks.begin(now)
    for (let cpu = 0; cpu < this.cpus; cpu++) if (this.#since[cpu] >= 0) this.#since[cpu] = now
    this.#observer?.begin()
  }

  /** Counts the waits that last. */
  #end(now: number): void {
    this.#locks.end(now)
    for (let cpu = 0; cpu < this.cpus; cpu++) {
      const e = this.#context[cpu]
      if (this.#state[e] !== QUEUED && this.#state[e] !== SLEEPS) continue
      const waited = Math.max(0, now - this.#since[cpu])
      this.#stalled(cpu, this.#addr[e] >> LINE_SHIFT, waited)
      this.#observer?.passed?.(cpu, this.#site[e], this.#site[e], waited)
    }
  }

  #born(cpu: number, e: number): Generator<unknown, unknown> {
    this.#state[e] = ASKS
    return e === cpu ? this.#kernel.cpu_run() : this.#kernel.do_IRQ()
  }

  #enter(cpu: number): void {
    this.#cpu = cpu
    this.#base = this.#percpu + cpu * this.#percpuWords
  }

  /** Lets the CPU at the root take an interrupt that has arrived, if it takes any now. */
  #interrupt(cpu: number): void {
    const { arrival } = this.#interrupts
    if (arrival[cpu] > this.#clock[cpu] || this.#context[cpu] !== cpu || !this.#interrupts.areOn(cpu)) return
    if (this.#state[cpu] !== ASKS && this.#state[cpu] !== UNBORN) return
    arrival[cpu] = Infinity
    if (!this.#interrupts.isPending(cpu)) return
    this.figures.interrupts++
    this.#pass(cpu, INTERRUPT, this.#hardware.costs.exception)
    this.#context[cpu] = cpu + this.cpus
    this.#state[cpu + this.cpus] = UNBORN
  }

  /** An atomic OR by the running CPU may have asked another one for an interrupt. */
  #sent(p: number): void {
    const cpu = this.#interrupts.asked(p)
    if (cpu < 0) return
    const { interruptSend, interruptDelivery } = this.#hardware.costs
    const at = this.#clock[this.#cpu] + interruptDelivery
    this.#pass(this.#cpu, this.#site[this.#context[this.#cpu]], interruptSend)
    const { arrival } = this.#interrupts
    arrival[cpu] = Math.min(arrival[cpu], at)
    if (this.#state[cpu] === SLEEPS && this.#context[cpu] === cpu && this.#interrupts.areOn(cpu))
      this.#rouse(cpu, at)
  }

  /** A CPU that sleeps on a line is woken at `time`, to take an interrupt. */
  #rouse(cpu: number, time: number): void {
    const line = this.#addr[cpu] >> LINE_SHIFT
    this.#sleepers.remove(line, cpu)
    this.#clock[cpu] = Math.max(this.#clock[cpu], time)
    const waited = this.#clock[cpu] - this.#since[cpu]
    this.#stalled(cpu, line, waited)
    this.#observer?.passed?.(cpu, this.#site[cpu], this.#site[cpu], waited)
    this.#since[cpu] = -1
    this.#state[cpu] = ASKS
    this.#wakeUp(cpu)
  }

  /** Puts a CPU among those that go on, while another one runs. */
  #wakeUp(cpu: number): void {
    this.#heap.insert(cpu)
    this.#limit = Math.min(this.#limit, this.#clock[cpu] + this.#options.lag)
  }

  /** Counts time that `line` has cost the CPU. */
  #stalled(cpu: number, line: number, time: number): void {
    this.figures.stall[line] += time
    if (!this.#locks.waiting(cpu)) this.figures.stallOutside[line] += time
  }

  /**
   * Takes the pending step of `cpu`, which is at the root: charges it, or lets the CPU queue or sleep. Returns whether
   * the step is to be performed now.
   */
  #take(cpu: number, e: number): boolean {
    const clock = this.#clock
    const lines = this.#lines
    const { costs } = this.#hardware
    const kind = this.#kind[e]
    const addr = this.#addr[e]
    const line = addr >> LINE_SHIFT
    const does = CLASS[kind]
    if (does === CLEARS || does === COPIES) {
      this.#takeRange(cpu, e, does)
      return true
    }
    if (does === NOTHING) {
      if (kind === Kind.SPIN) this.#locks.contends(cpu)
      this.#state[e] = ASKS
      this.#charge(cpu, e, HIT, 0, 0)
      return true
    }
    const writes = does !== READS
    let waited = 0
    let cost = costs.hit
    let source = HIT
    // Of the cost: time that has passed already.
    let passed = 0
    if (this.#state[e] === FETCHES) {
      waited = this.#waited[cpu]
      passed = cost = this.#fetchCost[cpu]
      source = this.#fetchSource[cpu]
      this.#arrives(cpu, e, line, writes)
    } else if (!lines.has(cpu, line)) {
      const served = this.#state[e] === QUEUED
      if (!served && (lines.busy[line] > clock[cpu] || !this.#queues.isEmpty(line))) {
        this.#since[cpu] = clock[cpu]
        const first = this.#queues.isEmpty(line)
        this.#enqueue(cpu, e, line)
        if (first) this.#call(line)
        return false
      }
      if (lines.busy[line] > clock[cpu]) {
        clock[cpu] = lines.busy[line]
        return false
      }
      if (served) waited = this.#served(cpu, line)
      else this.#queues.begin(line, cpu)
      passed = cost = lines.fetch(cpu, line, writes)
      source = lines.source
      clock[cpu] += cost
      lines.busy[line] = clock[cpu]
      this.#stalled(cpu, line, cost)
      if (!writes && clock[cpu] > this.#limit && lines.toucher[line] !== cpu + 1) {
        this.#state[e] = FETCHES
        this.#waited[cpu] = waited
        this.#fetchCost[cpu] = cost
        this.#fetchSource[cpu] = source
        return false
      }
      this.#arrives(cpu, e, line, writes)
    } else if (writes && lines.owner[line] !== cpu) {
      cost = lines.write(cpu, line)
      source = lines.source
      lines.busy[line] = Math.max(lines.busy[line], clock[cpu] + cost)
      this.#stalled(cpu, line, cost)
    }
    if (does === UPDATES) cost += costs.atomic
    lines.touch(cpu, line)
    this.#charge(cpu, e, source, waited, cost, passed)
    if (writes && this.#sleepers.first[line] !== 0) this.#wake(line, clock[cpu])
    if (!this.#isBlocked(e)) return true
    this.#sleep(cpu, e, line)
    return false
  }

  /** The line has come to the CPU; another one that waits for it is next. */
  #arrives(cpu: number, e: number, line: number, writes: boolean): void {
    this.#state[e] = ASKS
    this.#lines.arrive(cpu, line, writes)
    if (this.#queues.serve(line)) this.#wakeUp(this.#call(line))
  }

  /** Counts an access and lets its time pass, of which `passed` has passed already. */
  #charge(cpu: number, e: number, source: number, waited: number, cost: number, passed = 0): void {
    const time = cost + this.#hardware.costs.instructions
    this.figures.accesses++
    this.#clock[cpu] += time - passed
    const observer = this.#observer
    if (observer !== undefined)
      observer.access(cpu, this.#site[e], this.#addr[e], this.#kind[e], source, waited, time)
  }

  /** Lets time pass that is no access's. */
  #pass(cpu: number, where: number, time: number): void {
    this.#clock[cpu] += time
    this.#observer?.passed?.(cpu, where, this.#site[this.#context[cpu]], time)
  }

  /** Clearing or copying. */
  #takeRange(cpu: number, e: number, does: number): void {
    const to = this.#addr[e]
    const a = this.#a[e]
    const cost = does === CLEARS ? this.#ranges.clear(cpu, to, a) : this.#ranges.copy(cpu, to, a, this.#b[e])
    this.#state[e] = ASKS
    this.#charge(cpu, e, HIT, 0, this.#random.varied(cost))
  }

  /** Whether the step, whose line the CPU has now, has to wait for another value. */
  #isBlocked(e: number): boolean {
    return waits(this.#kind[e], this.memory[this.#addr[e]], this.#a[e])
  }

  /** Lets a CPU wait for a line. Only the one whose turn is next has a time to come. */
  #enqueue(cpu: number, e: number, line: number): void {
    this.#state[e] = QUEUED
    this.#queues.join(line, cpu)
  }

  /** Draws who has the line next: that CPU comes when the line is free. */
  #call(line: number): number {
    const cpu = this.#queues.call(line)
    this.#clock[cpu] = Math.max(this.#clock[cpu], this.#lines.busy[line])
    return cpu
  }

  /** A CPU's turn has come to have a line; returns how long it has waited. */
  #served(cpu: number, line: number): number {
    const waited = this.#clock[cpu] - this.#since[cpu]
    this.#since[cpu] = -1
    this.#stalled(cpu, line, waited)
    return waited
  }

  #sleep(cpu: number, e: number, line: number): void {
    const arrival = this.#interrupts.arrival[cpu]
    if (arrival !== Infinity && e === cpu && this.#interrupts.areOn(cpu)) {
      // Stays awake for the interrupt, and looks again after it.
      this.#pass(cpu, this.#site[e], Math.max(0, arrival - this.#clock[cpu]))
      return
    }
    this.#locks.contends(cpu)
    this.#state[e] = SLEEPS
    this.#since[cpu] = this.#clock[cpu]
    this.#sleepers.add(line, cpu)
  }

  /** A write at `time` has taken the line from those that sleep on it: all want it back. */
  #wake(line: number, time: number): void {
    const first = this.#queues.isEmpty(line)
    for (let one = this.#sleepers.first[line]; one !== 0; one = this.#sleepers.behind(one - 1)) {
      const cpu = one - 1
      this.#clock[cpu] = time
      this.#enqueue(cpu, this.#context[cpu], line)
    }
    this.#sleepers.first[line] = 0
    if (first) this.#wakeUp(this.#call(line))
  }

  /** Whether the CPU, which was at the root, is not to come there again by itself. */
  #isGone(cpu: number): boolean {
    const e = this.#context[cpu]
    const state = this.#state[e]
    return state === SLEEPS || (state === QUEUED && !this.#queues.isNext(this.#addr[e] >> LINE_SHIFT, cpu))
  }

  /** An access of the running CPU to a word that it alone uses. */
  #own(p: number, writes: boolean): void {
    if (!this.#timed) return
    const cpu = this.#cpu
    const line = p >> LINE_SHIFT
    const lines = this.#lines
    const { costs } = this.#hardware
    let cost = costs.hit
    let source = HIT
    let waited = 0
    if (lines.owner[line] !== cpu && (writes || !lines.has(cpu, line))) {
      waited = Math.max(0, lines.busy[line] - this.#clock[cpu])
      cost = writes ? lines.write(cpu, line) : lines.read(cpu, line)
      source = lines.source
      this.#clock[cpu] += waited
      lines.busy[line] = Math.max(lines.busy[line], this.#clock[cpu] + cost)
      this.#stalled(cpu, line, waited + cost)
      lines.touch(cpu, line)
    }
    const time = cost + costs.instructions
    this.figures.accesses++
    this.#clock[cpu] += time
    const observer = this.#observer
    if (observer !== undefined) {
      const kind = writes ? Kind.PLAIN_WRITE : Kind.PLAIN_READ
      observer.access(cpu, ~this.#site[this.#context[cpu]], p, kind, source, waited, time)
    }
    if (writes && this.#sleepers.first[line] !== 0) this.#wake(line, this.#clock[cpu])
  }

  /** Performs the pending step of a context; returns what the access returns. */
  #perform(c: number): number {
    const kind = this.#kind[c]
    const p = this.#addr[c]
    const result = perform(this.memory, kind, p, this.#a[c], this.#b[c], this.#cpu)
    if (kind === Kind.FETCH_OR && this.#timed) this.#sent(p)
    return result
  }

  #stepFunctions(): Pick<SteppedEnvironment, 'S' | 'X'> {
    const kinds = this.#kind
    const addrs = this.#addr
    const as = this.#a
    const bs = this.#b
    const sites = this.#site
    const states = this.#state
    const clock = this.#clock
    const { toucher } = this.#lines
    const observer = this.#observer
    return {
      // Announces a step. True: another CPU goes first, and the generator yields.
      S: (kind, addr, a, b, site) => {
        const cpu = this.#cpu
        const e = this.#context[cpu]
        kinds[e] = kind
        addrs[e] = addr
        as[e] = a
        bs[e] = b
        sites[e] = site
        if (!this.#timed) return this.#isBlocked(e)
        const now = clock[cpu]
        const asks = now > this.#until || (now > this.#limit && toucher[addr >> LINE_SHIFT] !== cpu + 1)
        if (asks || now > this.#pauseAt) {
          states[e] = ASKS
          this.#paused = !asks
          return true
        }
        return !this.#take(cpu, e)
      },
      // Performs the pending step of the running CPU.
      X: () => {
        const cpu = this.#cpu
        if (observer !== undefined && this.#timed) observer.performing?.(cpu)
        return this.#perform(this.#context[cpu])
      },
    }
  }

  /** Accesses to words that the running CPU alone uses. */
  #ownFunctions(): Pick<
    SteppedEnvironment,
    'this_cpu_read' | 'this_cpu_write' | 'this_cpu_add' | 'this_cpu_ptr' | 'private_load' | 'private_store'
  > {
    const { memory, symbols } = this
    const operations = symbols['percpu$operations']
    return {
      this_cpu_read: (offset) => {
        this.#own(this.#base + offset, false)
        return memory[this.#base + offset]
      },
      this_cpu_write: (offset, value) => {
        this.#own(this.#base + offset, true)
        memory[this.#base + offset] = value
        if (offset === operations) this.#operated()
      },
      this_cpu_add: (offset, value) => {
        this.#own(this.#base + offset, true)
        memory[this.#base + offset] += value
      },
      this_cpu_ptr: (offset) => this.#base + offset,
      private_load: (p) => {
        this.#own(p, false)
        return memory[p]
      },
      private_store: (p, value) => {
        this.#own(p, true)
        memory[p] = value
      },
    }
  }

  #environment(): SteppedEnvironment {
    const { memory, oracle, stat, symbols, lockClasses } = this
    const machine = {
      ...{ memory, oracle, stat, symbols, lockClasses },
      cpu: () => this.#cpu,
      now: () => this.#clock[this.#cpu],
      isTimed: () => this.#timed,
      pass: (time: number) => {
        if (this.#timed) this.#pass(this.#cpu, HERE, time)
      },
      isSleptOn: (p: number) => this.#sleepers.first[p >> LINE_SHIFT] !== 0,
    }
    return {
      ...environmentOf(machine, this.#locks, this.#random, this.#hardware.costs),
      ...this.#ownFunctions(),
      ...this.#stepFunctions(),
    }
  }

  /** The running CPU has begun an operation. */
  #operated(): void {
    if (!this.#timed) return
    if (++this.figures.operations >= this.#enough) this.#until = -1
    if (this.#started[this.#cpu] !== 0) return
    this.#started[this.#cpu] = 1
    if (++this.#startedCount === this.cpus) this.#until = -1
  }

  /** Runs a function of the image on CPU 0 in no time. */
  #alone<T>(start: (kernel: SteppedExports) => Generator<unknown, T>): T {
    const result = start(this.#kernel).next()
    if (!result.done) throw new Error(`CPU 0 waits although it is alone, at site ${this.#site[0]}`)
    return result.value
  }
}
