// What a check at rest is, and what it answers.
import type { RestingMachine } from './resting_machine.ts'

/** `ok`: whether it holds; 'not applicable' when the mechanism that it checks does not exist in this kernel. */
export interface CheckResult {
  readonly name: string
  readonly ok: boolean | 'not applicable'
  /** What was found, where, and what was expected. */
  readonly detail?: string
}

/** 'running': between two operations of every CPU. 'torn-down': after every task has exited. */
export type Stage = 'running' | 'torn-down'

export interface Check {
  /** The invariant's number: 'Q1'. */
  readonly id: string
  readonly name: string
  /** What holds, in one sentence. */
  readonly description: string
  /** What is wrong, or null if it holds. */
  run(view: RestingMachine): string | null | 'not applicable'
}

/** Findings of one check: the first few in full, the others counted. */
export class Findings {
  #texts: string[] = []
  #count = 0

  /** Notes one; `text` is called only for those that will be shown. */
  add(text: () => string): void {
    if (this.#count++ < 3) this.#texts.push(text())
  }

  /** All of them in one line; null if there are none. */
  result(): string | null {
    if (this.#count === 0) return null
    const more = this.#count - this.#texts.length
    return this.#texts.join('; ') + (more > 0 ? `; and ${more} more` : '')
  }
}
