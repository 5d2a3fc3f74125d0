// What of a recording is not replayed, and why, counted.
import type { PassedOver } from './operations.ts'

export class PassedOverTally {
  #entries = new Map<string, PassedOver>()

  get all(): PassedOver[] {
    return [...this.#entries.values()]
  }

  /** Counts one; `what` is a row of the result table or a call's name. */
  add(what: string, why: string): void {
    const key = `${what}\n${why}`
    const entry = this.#entries.get(key)
    if (entry) entry.count++
    else this.#entries.set(key, { what, why, count: 1 })
  }
}
