/** Whose turn it is: which contexts can go on, and the choice between them. If none can, that is a deadlock. */
import { ALIVE, type Contexts, DONE, UNBORN } from './contexts.ts'
import type { Interrupts } from './interrupts.ts'
import { Violation } from '../../step/observer.ts'
import type { Scheduler } from '../../step/scheduler.ts'

/** Bits of the mode. While LEARNING, shared words are learned. */
export const LEARNING = 1
/** Every step asks the scheduler. */
export const EXACT = 2
/** An interrupt may be pending. */
export const INTERRUPTS = 4

export class Turn {
  /** Undefined: one CPU runs alone, without choices. */
  scheduler: Scheduler | undefined
  /** Choices where more than one context could go on, in this execution. */
  choices = 0
  /** Why a step that looks private may need more than to be counted; one word, since every step reads it. */
  mode = 0
  readonly #contexts: Contexts
  readonly #interrupts: Interrupts
  readonly #runnable: Int32Array

  constructor(contexts: Contexts, interrupts: Interrupts) {
    this.#contexts = contexts
    this.#interrupts = interrupts
    this.#runnable = new Int32Array(2 * contexts.cpus)
  }

  get #interrupted(): boolean {
    return (this.mode & INTERRUPTS) !== 0
  }

  /** Sets `bit` of the mode, or clears it. */
  setMode(bit: number, on: boolean): void {
    this.mode = on ? this.mode | bit : this.mode & ~bit
  }

  /** Whether the context may take its pending step now. */
  isRunnable(context: number): boolean {
    const { cpus, state } = this.#contexts
    if (context < cpus) {
      if (state[context] === DONE || state[context + cpus] === ALIVE) return false
      return state[context] === UNBORN || !this.#contexts.isBlocked(context)
    }
    if (state[context] === ALIVE) return !this.#contexts.isBlocked(context)
    return this.#interrupted && this.#interrupts.isDue(context - cpus)
  }

  /** The context that takes the next step. Throws Violation when none can. */
  choose(): number {
    const n = this.#collect()
    if (n === 0) deadlock()
    if (n === 1) return this.#runnable[0]
    this.choices++
    return this.scheduler!.next(this.#runnable, n, this.#contexts.current)
  }

  /** The same when context `current` is at a step. Small enough to be inlined where steps are announced. */
  chooseAt(current: number): number {
    const contexts = this.#contexts
    if (contexts.cpus !== 2 || (this.mode & INTERRUPTS) !== 0) return this.choose()
    // Two CPUs without interrupts: the commonest hunt.
    const other = 1 - current
    const goesOn = !contexts.isBlocked(current)
    if (contexts.state[other] === DONE || contexts.isBlocked(other)) {
      if (!goesOn) deadlock()
      return current
    }
    if (!goesOn) return other
    this.choices++
    const runnable = this.#runnable
    runnable[0] = 0
    runnable[1] = 1
    return this.scheduler!.next(runnable, 2, current)
  }

  #collect(): number {
    const runnable = this.#runnable
    const { cpus, state } = this.#contexts
    let n = 0
    // Interrupts need looking at only while one may be pending.
    if (this.#interrupted) {
      for (let c = 0; c < 2 * cpus; c++) if (this.isRunnable(c)) runnable[n++] = c
      return n
    }
    for (let c = 0; c < cpus; c++) {
      if (state[c] === DONE) continue
      if (!this.#contexts.isBlocked(c)) runnable[n++] = c
    }
    return n
  }
}

function deadlock(): never {
  throw new Violation('deadlock', 'no CPU can go on')
}
