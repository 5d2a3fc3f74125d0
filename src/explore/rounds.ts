/**
 * What a hunt adds up to: merges the slices of a round in the order of their executions, so that the number of workers
 * does not show, and makes the state of the next round. Leaves out who runs the slices: hunt.ts and campaign.ts.
 */
import type { HuntVerdict } from '../base/verdict.ts'
import { LENGTH } from '../machine/stepped/steps.ts'
import { DistinctCounter } from './distinct.ts'
import { COVER_EVERY, ROUND, type RoundState, type Slice, type Violated } from './explorer.ts'
import { equalShares, MEMBERS, memberOf, shareOut } from './schedulers/portfolio.ts'

/** Rounds get longer as a hunt goes on, up to this many times. */
const LONGEST = 64
/** Below this share of new schedules in a round, executions are said to repeat. */
const FEW = 0.01

/** A violation, and when it was found. */
export interface HuntViolation extends Violated {
  /** Since the hunt began. */
  readonly seconds: number
}

export interface HuntResult {
  readonly verdict: HuntVerdict
  readonly scheduler: string
  readonly seed: number
  /** Executions beside those that learned which words are shared. */
  readonly executions: number
  readonly profileExecutions: number
  /** Executions that were cut off: they went on for too long, and say nothing beyond what the checks saw until then. */
  readonly cutOff: number
  /** Steps of the executions. */
  readonly steps: number
  readonly seconds: number
  readonly executionsPerSecond: number
  readonly stepsPerSecond: number
  /** `atLeast`: the counter was full. */
  readonly distinctSchedules: number
  readonly distinctStates?: number
  readonly atLeast: boolean
  /** Words whose accesses are choices. */
  readonly sharedWords: number
  /** Sites of the image that took a step. */
  readonly sites: readonly number[]
  /** Pairs of places at which two CPUs met on a word that one of them wrote. */
  readonly conflictPairs: number
  /** These pairs, as Coverage numbers them (placesOfPair). */
  readonly pairs: readonly number[]
  /** The kernel's counters, summed up over the executions. */
  readonly stat: readonly number[]
  /** Executions that were watched for sites and pairs. */
  readonly watched: number
  /** Executions that each member of the portfolio had of the last 64; only for the portfolio. */
  readonly shares?: Readonly<Record<string, number>>
  /** An exhaustive scheduler has run all there is. */
  readonly exhausted: boolean
  readonly interrupted: boolean
  readonly warnings: readonly string[]
  /** In the order of their first execution; without keepGoing at most one. */
  readonly violations: readonly HuntViolation[]
}

/** Executions that round number `round` has. */
export function roundLength(round: number): number {
  return ROUND * Math.min(LONGEST, 2 ** (round >> 3))
}

export class Rounds {
  executions = 0
  steps = 0
  cutOff = 0
  exhausted = false
  readonly violations = new Map<string, HuntViolation>()
  readonly #schedules = new DistinctCounter()
  readonly #states = new DistinctCounter()
  readonly #words = new Set<number>()
  readonly #batchWords: number
  readonly #sites = new Set<number>()
  readonly #pairs = new Set<number>()
  readonly #pairList: number[] = []
  readonly #stat: number[] = []
  readonly #keepGoing: boolean
  readonly #profileExecutions: number
  /** Found while learning: the scheduler has the first round to find its own. */
  #early: readonly Violated[]
  #shares = equalShares()
  #lengths: RoundState['lengths'] = { count: 0, choices: 0, points: [] }
  #watched = 0
  #statesSeen = false
  #fresh = 0
  #freshOf = 0
  #lastFresh = 1
  #lastFreshOf = 0

  /** @param batch what learning gave, on any worker */
  constructor(batch: Slice, keepGoing: boolean) {
    this.#keepGoing = keepGoing
    this.#profileExecutions = batch.schedules.length
    this.#batchWords = batch.words.length
    for (const site of batch.sites) this.#sites.add(site)
    for (const pair of batch.pairs) this.#pairs.add(pair)
    this.#early = batch.violations
  }

  /** Whether the hunt is over because of what was found. */
  get over(): boolean {
    return this.exhausted || (this.violations.size > 0 && !this.#keepGoing)
  }

  state(): RoundState {
    return { words: [...this.#words], pairs: this.#pairList, shares: this.#shares, lengths: this.#lengths }
  }

  /**
   * Adds the slices of a round, in order; ends at the first that is not whole, or that has a violation when one is
   * enough.
   * @param seconds since the hunt began
   */
  add(slices: readonly Slice[], ends: readonly number[], seconds: number): void {
    const found = MEMBERS.map(() => 0)
    let lengths = { count: 0, choices: 0, points: [] as number[] }
    this.#fresh = 0
    this.#freshOf = 0
    const fresh: [pair: number, execution: number][] = []
    for (const [index, slice] of slices.entries()) {
      this.#addSlice(slice, seconds)
      slice.pairs.forEach((pair, i) => fresh.push([pair, slice.pairsAt[i]]))
      lengths = sum(lengths, slice.lengths)
      if (this.over || slice.from + slice.done < ends[index]) break
    }
    if (this.violations.size === 0 || this.#keepGoing)
      for (const violation of this.#early) this.#violated(violation, seconds)
    this.#early = []
    for (const [pair, execution] of fresh) {
      if (this.#pairs.has(pair)) continue
      this.#pairs.add(pair)
      this.#pairList.push(pair)
      found[memberOf(execution, this.#shares)]++
    }
    this.#shares = shareOut(found, this.#shares)
    if (lengths.count > 0) this.#lengths = lengths
    this.#lastFresh = this.#fresh
    this.#lastFreshOf = this.#freshOf
  }

  /** Executions that came to their end. */
  get #ended(): number {
    return this.executions - this.cutOff
  }

  result(about: {
    readonly scheduler: string
    readonly seed: number
    readonly seconds: number
    readonly interrupted: boolean
  }): HuntResult {
    const { executions, steps, cutOff, exhausted } = this
    const { scheduler, seed, seconds, interrupted } = about
    const violations = [...this.violations.values()].toSorted((x, y) => x.execution - y.execution)
    return {
      verdict: violations.length > 0 ? 'violated' : this.#ended > 0 ? 'held' : 'inconclusive',
      scheduler,
      seed,
      executions,
      profileExecutions: this.#profileExecutions,
      cutOff,
      steps,
      seconds,
      executionsPerSecond: seconds > 0 ? executions / seconds : 0,
      stepsPerSecond: seconds > 0 ? steps / seconds : 0,
      distinctSchedules: this.#schedules.count,
      ...(this.#statesSeen ? { distinctStates: this.#states.count } : {}),
      atLeast: this.#schedules.full || this.#states.full,
      sharedWords: this.#batchWords + this.#words.size,
      sites: [...this.#sites].toSorted((x, y) => x - y),
      conflictPairs: this.#pairs.size,
      pairs: [...this.#pairs],
      stat: [...this.#stat],
      watched: this.#watched,
      ...(scheduler === 'portfolio'
        ? { shares: Object.fromEntries(MEMBERS.map((name, member) => [name, this.#shares[member]])) }
        : {}),
      exhausted,
      interrupted,
      warnings: this.#warnings(),
      violations,
    }
  }

  #addSlice(slice: Slice, seconds: number): void {
    this.executions += slice.done
    this.steps += slice.steps
    this.cutOff += slice.cutOff
    slice.stat.forEach((value, index) => (this.#stat[index] = (this.#stat[index] ?? 0) + value))
    this.#watched += watchedOf(slice.from, slice.from + slice.done)
    for (const hash of slice.schedules) if (this.#schedules.add(hash)) this.#fresh++
    this.#freshOf += slice.schedules.length
    for (const hash of slice.states) this.#states.add(hash)
    if (slice.states.length > 0) this.#statesSeen = true
    for (const word of slice.words) this.#words.add(word)
    for (const site of slice.sites) this.#sites.add(site)
    for (const violation of slice.violations) this.#violated(violation, seconds)
    if (slice.exhausted) this.exhausted = true
  }

  #violated(violation: Violated, seconds: number): void {
    const known = this.violations.get(violation.key)
    if (known) known.count += violation.count
    else if (this.violations.size === 0 || this.#keepGoing)
      this.violations.set(violation.key, { ...violation, seconds })
  }

  #warnings(): string[] {
    const warnings: string[] = []
    if (this.cutOff > 0)
      warnings.push(
        `${this.cutOff} of ${this.executions} executions were cut off: they had not come to an end ` +
          `after ${LENGTH} times ` +
          '--step-limit steps, and what they would have come to is not known; give the tasks fewer ' +
          'operations or a higher ' +
          'limit, and see that a program asks last_turn()',
      )
    if (!this.exhausted && this.#lastFreshOf >= ROUND / 2 && this.#lastFresh < FEW * this.#lastFreshOf)
      warnings.push(
        `of the last ${this.#lastFreshOf} executions ${this.#lastFreshOf - this.#lastFresh} repeated ` +
          'a schedule that had run ' +
          'before; more of them find little: give the scenario more CPUs, pages or operations',
      )
    for (const violation of this.violations.values())
      if (!violation.reproduced)
        warnings.push(
          `the violation of ${violation.check} in execution ${violation.execution} did not come ` +
            'again when its schedule was ' +
            'run by itself, so it cannot be shrunk',
        )
    return warnings
  }
}

function watchedOf(from: number, to: number): number {
  const sampled = (n: number): number => Math.floor(Math.max(0, n - ROUND) / COVER_EVERY)
  return Math.max(0, Math.min(to, ROUND) - from) + sampled(to) - sampled(from)
}

function sum(
  x: RoundState['lengths'],
  y: RoundState['lengths'],
): { count: number; choices: number; points: number[] } {
  return {
    count: x.count + y.count,
    choices: x.choices + y.choices,
    points: Array.from(
      { length: Math.max(x.points.length, y.points.length) },
      (_, e) => (x.points[e] ?? 0) + (y.points[e] ?? 0),
    ),
  }
}
