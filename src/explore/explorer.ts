/**
 * Runs executions of one program on one machine: the work of a worker, and of a hunt in one thread. Execution i is a
 * function of the subject, the seed, i and the profile of i's round. Leaves out rounds and what the results add up to:
 * rounds.ts.
 */
import type { Ending } from '../machine/stepped/machine.ts'
import type { Scheduler } from '../step/scheduler.ts'
import type { Finding, Subject } from './attempt.ts'
import { courseOf, type Ran } from './course.ts'
import { Coverage } from './coverage.ts'
import { hashList } from './distinct.ts'
import { type LiveProfile, learn, Measurements, newProfile, setLengths } from './profile.ts'
import { ExecutionRandom } from '../step/random.ts'
import { record, violationKey } from './record.ts'
import { withDeterminismCheck } from './schedulers/determinism_check.ts'
import type { RestartableScheduler, SchedulerEntry } from './schedulers/scheduler.ts'

/** Executions of a round: the profile changes only between rounds. */
export const ROUND = 1024
/**
 * Behind the first round, one of so many executions is watched for what it reaches. It also learns words that are
 * shared after all, and measures: seldom draws lead to words that the batch has not seen.
 */
export const COVER_EVERY = 16
/** Executions between two readings of the clock. */
const CLOCK_EVERY = 16

export interface ExplorerOptions {
  readonly seed: number
  readonly scheduler: SchedulerEntry
  readonly depth?: number
  readonly preemptions?: number
  /** Goes on after a violation, and counts the distinct ones. */
  readonly keepGoing?: boolean
  /** Runs each execution twice and compares. */
  readonly checkDeterminism?: boolean
  /** Places in the image, for what is reached. */
  readonly sites: number
  /** Called when an execution has ended. */
  readonly ended?: () => void
}

/** A violation, with all that is needed to run it again. */
export interface Violated extends Finding, Ran {
  /** Equal for what is taken for the same bug. */
  readonly key: string
  /** The first execution that showed it; negative: one of the profile's. */
  readonly execution: number
  /** Executions that showed it. */
  count: number
  /** Sites of the step that failed and of the other CPU's step that it conflicts with, when known. */
  readonly places: readonly number[]
  /** Whether its course alone failed again: it does not if a check remembers earlier executions. */
  readonly reproduced: boolean
}

/** What all executions of a round know; the same for every worker. */
export interface RoundState {
  /** Words shared beside those of the batch. */
  readonly words: readonly number[]
  /** Pairs of places met in earlier rounds. */
  readonly pairs: readonly number[]
  readonly shares: readonly number[]
  readonly lengths: { readonly count: number; readonly choices: number; readonly points: readonly number[] }
}

/** What executions from..from + done - 1 gave. Plain data. */
export interface Slice {
  readonly from: number
  readonly done: number
  readonly steps: number
  /** Executions that were cut off. */
  readonly cutOff: number
  /** By execution: hashes of schedules. */
  readonly schedules: Float64Array
  /** Hashes of the states at the end of executions that held. */
  readonly states: Float64Array
  readonly violations: readonly Violated[]
  /** Words seen to be shared. */
  readonly words: readonly number[]
  readonly sites: readonly number[]
  /** Pairs of places that met for the first time here, with the execution of each. */
  readonly pairs: readonly number[]
  readonly pairsAt: readonly number[]
  readonly lengths: { readonly count: number; readonly choices: number; readonly points: readonly number[] }
  /** The scheduler says that there is nothing left. */
  readonly exhausted: boolean
  /** What the kernel counted meanwhile (machine.stat). */
  readonly stat: Float64Array
}

/** Asked now and then; true: leave the rest of the slice. */
export type Stop = (execution: number) => boolean

export class Explorer {
  readonly subject: Subject
  readonly profile: LiveProfile
  readonly scheduler: RestartableScheduler
  readonly #options: ExplorerOptions
  readonly #random = new ExecutionRandom()
  readonly #coverage: Coverage
  /** End states that have been checked, and what was found in those that are bad. */
  readonly #checked = new Set<number>()
  readonly #bad = new Map<number, Finding>()
  #reported = 0
  /** What the kernel has counted before the checks at rest. */
  readonly #counted: Float64Array
  #watched: boolean | undefined

  constructor(subject: Subject, options: ExplorerOptions) {
    this.subject = subject
    this.#options = options
    this.profile = newProfile()
    const { cpus } = subject.machine
    this.#counted = subject.machine.stat.slice()
    const { depth, preemptions } = options
    const scheduler = options.scheduler.create({
      cpus,
      profile: this.profile,
      ...(depth === undefined ? {} : { depth }),
      ...(preemptions === undefined ? {} : { preemptions }),
    })
    this.scheduler = options.checkDeterminism === true ? withDeterminismCheck(scheduler) : scheduler
    this.#coverage = new Coverage(subject.machine, options.sites)
  }

  /** Runs the batch that every worker begins with; `enough` is asked behind each execution, given their number. */
  learn(enough: (executions: number) => boolean = () => false): Slice {
    const tally = new SliceTally(-1)
    this.#watch(true)
    learn(
      this.subject.machine,
      this.profile,
      (scheduler, execution) => this.#execute(scheduler, execution, tally),
      () => enough(tally.schedules.length),
    )
    this.#reportCoverage(tally, -1)
    this.#reported = this.subject.machine.learned.length
    return tally.slice(
      0,
      this.subject.machine.learned.slice(),
      new Measurements(this.subject.machine),
      this.#takeStat(),
    )
  }

  /** Brings this worker to the state of a round. */
  enter({ words, pairs, shares, lengths }: RoundState): void {
    this.subject.machine.share(words)
    this.#coverage.know(pairs)
    this.profile.shares = shares
    setLengths(this.profile, lengths)
  }

  /** Runs executions from..to - 1. Without keepGoing the first violation ends it. */
  explore(from: number, to: number, stop: Stop = () => false): Slice {
    const { machine } = this.subject
    const { scheduler } = this
    const { keepGoing = false } = this.#options
    const sequential = this.#options.scheduler.sequential === true
    const tally = new SliceTally(from)
    const measured = new Measurements(machine)
    let done = 0
    let exhausted = false
    for (let i = from; i < to && !exhausted; i++) {
      if (i % CLOCK_EVERY === 0 && stop(i)) break
      const watch = i < ROUND || i % COVER_EVERY === COVER_EVERY - 1
      machine.learning = sequential || watch
      this.#watch(watch)
      const ending = this.#execute(scheduler, i, tally)
      if (machine.learning && ending.kind === 'held') measured.add()
      if (watch) this.#reportCoverage(tally, i)
      done++
      exhausted = scheduler.end?.() ?? false
      // An exhaustive search of the wrong choices is none.
      if (sequential && machine.learned.length > this.#reported && scheduler.restart !== undefined) {
        machine.share(machine.learned)
        this.#reported = machine.learned.length
        scheduler.restart()
        exhausted = false
      }
      if (tally.violations.size > 0 && !keepGoing) break
    }
    machine.learning = false
    const words = machine.learned.slice(this.#reported)
    this.#reported = machine.learned.length
    return tally.slice(done, words, measured, this.#takeStat(), exhausted)
  }

  /** The kernel's counters, from 0 again. */
  #takeStat(): Float64Array {
    const { stat } = this.subject.machine
    const taken = stat.slice()
    stat.fill(0)
    return taken
  }

  #watch(coverage: boolean): void {
    if (coverage === this.#watched) return
    this.#watched = coverage
    const { machine, observers } = this.subject
    machine.observe(coverage ? [this.#coverage, ...observers] : observers)
  }

  #reportCoverage(tally: SliceTally, execution: number): void {
    const sites = this.#coverage.takeSites()
    for (const site of sites) tally.sites.push(site)
    for (const pair of this.#coverage.takePairs()) {
      tally.pairs.push(pair)
      tally.pairsAt.push(execution)
    }
  }

  #execute(scheduler: Scheduler, execution: number, tally: SliceTally): Ending {
    const { machine } = this.subject
    const ending = this.#run(scheduler, execution)
    this.#options.ended?.()
    tally.steps += machine.steps
    tally.schedules.push(hashList(machine.schedule, machine.drawsHash))
    if (this.#options.checkDeterminism === true && execution >= 0 && !this.#again(execution, ending, tally))
      return ending
    let finding: Finding | null = null
    if (ending.kind === 'violation') finding = { check: ending.check, message: ending.message }
    else if (ending.kind === 'cut off') tally.cutOff++
    else if (this.subject.atRest !== undefined) finding = this.#atRest(this.subject.atRest, tally)
    if (finding !== null) this.#violated(execution, finding, tally)
    return ending
  }

  #run(scheduler: Scheduler, execution: number): Ending {
    const { seed, scheduler: entry } = this.#options
    // A search that goes from one execution to the next is one of a program that stays the same.
    const draws = entry.sequential === true ? 0 : execution
    return this.subject.machine.run(scheduler, execution, this.#random.restart(seed, execution), draws)
  }

  /** Runs execution `i` once more, as the scheduler decided the first time. Whether it was the same. */
  #again(i: number, ending: Ending, tally: SliceTally): boolean {
    const { machine } = this.subject
    const { steps } = machine
    const state = machine.hash()
    const before = machine.schedule.slice()
    const { draws } = machine
    const again = this.#run(this.scheduler, i)
    let message: string | undefined
    if (again.kind === 'violation' && again.check === 'determinism') message = again.message
    else if (again.kind !== ending.kind || machine.steps !== steps || machine.hash() !== state)
      message = `execution ${i} ends differently when it is run again`
    if (message === undefined) return true
    const key = 'determinism'
    const known = tally.violations.get(key)
    if (known) known.count++
    else
      tally.violations.set(key, {
        ...{ check: 'determinism', message, key, execution: i, count: 1, schedule: before, steps, draws },
        ...{ places: [], reproduced: false },
      })
    return false
  }

  #atRest(check: NonNullable<Subject['atRest']>, tally: SliceTally): Finding | null {
    const { machine } = this.subject
    const state = machine.hash()
    tally.states.push(state)
    if (this.#checked.has(state)) return this.#bad.get(state) ?? null
    // The checks may run the machine on, and not in every worker for the same execution.
    this.#coverage.resting = true
    // A copy of its own each time is garbage of 16 kB.
    const counted = this.#counted
    counted.set(machine.stat)
    const found = check()
    // Workers send it as plain data.
    const finding = found === null ? null : { check: found.check, message: found.message }
    machine.stat.set(counted)
    this.#coverage.resting = false
    if (this.#checked.size > 2 ** 20) this.#checked.clear()
    this.#checked.add(state)
    if (finding !== null) this.#bad.set(state, finding)
    return finding
  }

  #violated(execution: number, finding: Finding, tally: SliceTally): void {
    const { machine } = this.subject
    const schedule = machine.schedule.slice()
    const { steps, choices, draws } = machine
    const ran = { schedule, steps, draws }
    const points = machine.points.slice()
    const recording = record(this.subject, courseOf(ran))
    machine.points.set(points)
    machine.choices = choices
    this.#watched = undefined
    const reproduced = recording.finding?.check === finding.check
    const key = reproduced ? violationKey(recording) : `${finding.check} (not reproduced)`
    const known = tally.violations.get(key)
    if (known) known.count++
    else {
      const places = reproduced ? recording.places : []
      tally.violations.set(key, { ...finding, ...ran, key, execution, count: 1, places, reproduced })
    }
  }
}

/** A slice that is being filled. */
class SliceTally {
  readonly from: number
  steps = 0
  cutOff = 0
  readonly schedules: number[] = []
  readonly states: number[] = []
  readonly violations = new Map<string, Violated>()
  readonly sites: number[] = []
  readonly pairs: number[] = []
  readonly pairsAt: number[] = []

  constructor(from: number) {
    this.from = from
  }

  slice(
    done: number,
    words: readonly number[],
    measured: Measurements,
    stat: Float64Array,
    exhausted = false,
  ): Slice {
    const { from, steps, cutOff, schedules, states, violations, sites, pairs, pairsAt } = this
    const { count, choices, points } = measured
    return {
      from,
      done,
      steps,
      cutOff,
      schedules: Float64Array.from(schedules),
      states: Float64Array.from(states),
      violations: [...violations.values()],
      words,
      sites,
      pairs,
      pairsAt,
      lengths: { count, choices, points },
      exhausted,
      stat,
    }
  }
}
