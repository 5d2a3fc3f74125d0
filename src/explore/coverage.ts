/**
 * What executions have reached: the places of the source that took a step, and the pairs of places of two CPUs that
 * met, in this order, on a word that one of them wrote. An observer of some executions only, since it costs about as
 * much as a check.
 */
import { KIND_FLAGS, WRITES } from '../step/kinds.ts'
import type { SteppedMachine } from '../machine/stepped/machine.ts'
import type { Observer } from '../step/observer.ts'

/** A pair as one number. */
const SITE = 2 ** 21

export function pairOf(before: number, after: number): number {
  return before * SITE + after
}

/** The two places of a pair, as indices into the image's sites. */
export function placesOfPair(pair: number): readonly [before: number, after: number] {
  return [Math.floor(pair / SITE), pair % SITE]
}

export class Coverage implements Observer {
  /** While true, steps are those of checks at rest, and do not count. */
  resting = false
  /** Sites that took a step for the first time since take(), and pairs that met for the first time. */
  #sites: number[] = []
  #pairs: number[] = []
  readonly #seen: Uint8Array
  readonly #met = new Set<number>()
  readonly #cpus: number
  /** By word: the last two accesses by different CPUs, as (execution, context's CPU + flags, site). */
  readonly #epoch: Int32Array
  readonly #last: Int32Array
  readonly #who: Uint8Array
  #now = 0

  /** @param sites how many places the image has */
  constructor(machine: SteppedMachine, sites: number) {
    const words = machine.memory.length
    this.#seen = new Uint8Array(Math.max(sites, 1))
    this.#epoch = new Int32Array(words)
    this.#last = new Int32Array(words)
    this.#who = new Uint8Array(words)
    this.#cpus = machine.cpus
  }

  begin(): void {
    this.#now++
  }

  step(
    context: number,
    kind: number,
    addr: number,
    _a: number,
    _b: number,
    _old: number,
    _result: number,
    site: number,
  ): void {
    if (this.resting) return
    if (this.#seen[site] === 0) {
      this.#seen[site] = 1
      this.#sites.push(site)
    }
    const cpu = context < this.#cpus ? context : context - this.#cpus
    const writes = (KIND_FLAGS[kind] & WRITES) === 0 ? 0 : 128
    if (this.#epoch[addr] === this.#now) {
      const who = this.#who[addr]
      if ((who & 127) !== cpu && ((who & 128) | writes) !== 0) {
        const pair = pairOf(this.#last[addr], site)
        if (!this.#met.has(pair)) {
          this.#met.add(pair)
          this.#pairs.push(pair)
        }
      }
    } else this.#epoch[addr] = this.#now
    this.#who[addr] = cpu | writes
    this.#last[addr] = site
  }

  /** Pairs that others have met need not be reported again. */
  know(pairs: Iterable<number>): void {
    for (const pair of pairs) this.#met.add(pair)
  }

  takeSites(): number[] {
    const taken = this.#sites
    this.#sites = []
    return taken
  }

  takePairs(): number[] {
    const taken = this.#pairs
    this.#pairs = []
    return taken
  }
}
