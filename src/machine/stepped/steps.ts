/** The two functions that an image calls for every step: S announces it, X performs it. */
import type { SteppedEnvironment } from '../../step/boot.ts'
import {
  COPIES,
  EFFECT,
  FILLS,
  isRange,
  KEEPS,
  resultOf,
  STORES,
  UPDATES,
  valueAfter,
} from '../../step/effect.ts'
import type { Contexts } from './contexts.ts'
import type { Interrupts } from './interrupts.ts'
import { BLOCKS, Kind, KIND_FLAGS, KINDS } from '../../step/kinds.ts'
import { Violation } from '../../step/observer.ts'
import type { SharedWords } from './shared_words.ts'
import { INTERRUPTS, LEARNING, type Turn } from './turn.ts'
import type { UndoLog } from './undo_log.ts'
import type { StepWatcher } from './watchers.ts'

/** Thrown where a step would be performed, for its stack. */
export class Trace extends Error {}

/** Thrown when an execution has gone on for too long, although it goes on: nothing is known of it. */
export class CutOff extends Error {}

/** Steps of setup, and of what follows an execution. */
export const ALONE_LIMIT = 20_000_000
/** An execution is cut off after so many times the steps that are a livelock when nothing gets done in them. */
export const LENGTH = 32

/** By kind: 1 if all that the step needs is at its address, and it never waits. */
const FIRST_WORD: Uint8Array = (() => {
  const first = new Uint8Array(KINDS)
  for (let kind = 1; kind < KINDS; kind++)
    first[kind] = Number((KIND_FLAGS[kind] & BLOCKS) === 0 && !isRange(kind))
  return first
})()

/**
 * The effect of kinds that keep memory as it is, but not the machine: they halt, notify, or are none (0, for stacks).
 */
const CONTROLS = 255

/** By kind: its effect, or CONTROLS. */
const DOES: Uint8Array = (() => {
  const does = Uint8Array.from(EFFECT)
  for (const kind of [0, Kind.HALT, Kind.NOTIFY]) does[kind] = CONTROLS
  return does
})()

export class Steps {
  /** Steps announced so far in this execution; the end of a context counts as one. */
  steps = 0
  /** Steps after which an execution, or what runs alone, is given up unless something gets done before. */
  limit = ALONE_LIMIT
  /** Steps without progress that are a livelock; 0: it runs alone. */
  #patience = 0
  /** Changes of context in this execution: pairs of (steps announced before it, context). */
  schedule: number[] = []
  /** The context that goes on where the running one yields. */
  target = 0
  watcher: StepWatcher | undefined
  readonly #contexts: Contexts
  readonly #interrupts: Interrupts
  readonly #shared: SharedWords
  readonly #turn: Turn
  readonly #undo: UndoLog

  constructor(contexts: Contexts, interrupts: Interrupts, shared: SharedWords, turn: Turn, undo: UndoLog) {
    this.#contexts = contexts
    this.#interrupts = interrupts
    this.#shared = shared
    this.#turn = turn
    this.#undo = undo
  }

  /** An execution begins, in which `patience` steps without progress are a livelock. */
  begin(patience: number): void {
    this.steps = 0
    this.#patience = patience
    this.limit = patience
    // Setting its length to 0 takes longer.
    this.schedule = []
  }

  /** What runs alone begins: nobody else can make progress, and nobody takes turns. */
  beginAlone(): void {
    this.#patience = 0
    this.limit = this.steps + ALONE_LIMIT
  }

  /** Something got done: a task's turn, or all that a CPU had to do. */
  progress(): void {
    if (this.#patience > 0) this.limit = Math.min(this.steps + this.#patience, LENGTH * this.#patience)
  }

  /**
   * Closures, and called directly: methods behind arrow functions cost a tenth of an execution. What is common is
   * written out in X: another tenth.
   */
  functions(): Pick<SteppedEnvironment, 'S' | 'X'> {
    const contexts = this.#contexts
    const undo = this.#undo
    const turn = this.#turn
    const { shared } = this.#shared
    const { memory, epoch, log } = undo
    const { kind: kinds, addr: addrs, a: as, b: bs, site: sites, points } = contexts
    return {
      S: (kind, addr, a, b, site) => {
        const context = contexts.current
        kinds[context] = kind
        addrs[context] = addr
        as[context] = a
        bs[context] = b
        sites[context] = site
        if (++this.steps > this.limit) this.#giveUp()
        const { mode } = turn
        if ((mode & LEARNING) !== 0) this.#shared.learn(contexts.cpu, undo.now, kind, addr, a, b)
        if (shared[addr] === 0 && (mode & ~LEARNING) === 0)
          if (FIRST_WORD[kind] === 1 || this.#isPrivate(kind, addr, a, b)) return false
        points[context]++
        return this.#yields(context)
      },
      X: () => {
        const context = contexts.current
        const kind = kinds[context]
        const p = addrs[context]
        const a = as[context]
        const old = memory[p]
        let result = old
        const does = DOES[kind]
        if (does === STORES) {
          if (epoch[p] !== undo.now) {
            epoch[p] = undo.now
            log[undo.logged++] = p
          }
          memory[p] = a
          result = 0
        } else if (does === UPDATES) {
          if (epoch[p] !== undo.now) {
            epoch[p] = undo.now
            log[undo.logged++] = p
          }
          memory[p] = valueAfter(kind, old, a, bs[context], contexts.cpu)
          result = resultOf(kind, old)
          // An atomic OR may have been a sender's request to interrupt.
          if (kind === Kind.FETCH_OR && this.#interrupts.isRequest(p)) turn.setMode(INTERRUPTS, true)
        } else if (does !== KEEPS) this.#perform(context, does, kind, p, a)
        const { watcher } = this
        if (watcher !== undefined) watcher.step(context, kind, p, a, bs[context], old, result, sites[context])
        return result
      },
    }
  }

  #giveUp(): never {
    const patience = this.#patience
    if (patience === 0) throw new Violation('livelock', `no end after ${ALONE_LIMIT} steps`)
    if (this.steps > LENGTH * patience) throw new CutOff(`no end after ${this.steps - 1} steps`)
    throw new Violation('livelock', `no turn ends for ${patience} steps`)
  }

  /** Whether a step whose first word is not shared may go on without a choice. */
  #isPrivate(kind: number, addr: number, a: number, b: number): boolean {
    if ((KIND_FLAGS[kind] & BLOCKS) !== 0) return !this.#contexts.isBlocked(this.#contexts.current)
    return this.#shared.isPrivateRange(kind, addr, a, b)
  }

  /** At a scheduling point of the running context: whether another one goes on. */
  #yields(context: number): boolean {
    if (this.#turn.scheduler === undefined) return this.#contexts.isBlocked(context)
    const next = this.#turn.chooseAt(context)
    if (next === context) return false
    this.schedule.push(this.steps, next)
    this.target = next
    return true
  }

  /** Performs what touches more words than one, or none. */
  #perform(context: number, does: number, kind: number, p: number, a: number): void {
    const b = this.#contexts.b[context]
    switch (does) {
      case FILLS:
        for (let i = 0; i < a; i++) this.#undo.write(p + i, b)
        return
      case COPIES:
        this.#copy(p, a, b)
        return
      default:
        if (kind === 0) throw new Trace()
        if (kind === Kind.NOTIFY) this.#contexts.notify(p)
        else this.#contexts.notified[context] = 0
    }
  }

  #copy(to: number, from: number, n: number): void {
    const { memory } = this.#undo
    for (let i = 0; i < n; i++) {
      const word = to > from ? n - 1 - i : i
      this.#undo.write(to + word, memory[from + word])
    }
  }
}
