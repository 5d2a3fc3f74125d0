/**
 * The random numbers of one execution: a function of (seed, execution) and nothing else. sfc32 (Chris Doty-Humphrey,
 * PractRand): 128 bits of state, period at least 2^32 from every seed, so that executions do not begin to repeat.
 */
import type { Random } from './scheduler.ts'

const PER_2_32 = 1 / 4294967296

/** Spreads every bit of `x` over 32 bits (the finaliser of MurmurHash3). */
export function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return x ^ (x >>> 16)
}

export class ExecutionRandom implements Random {
  #a = 0
  #b = 0
  #c = 0
  #counter = 1

  constructor(seed = 0, execution = 0) {
    this.restart(seed, execution)
  }

  /** Starts the sequence of an execution; executions of the profile are negative. */
  restart(seed: number, execution: number): this {
    this.#a = mix(seed + 0x9e3779b9)
    this.#b = mix(execution ^ 0x3c6ef372)
    this.#c = mix(this.#a ^ Math.imul(execution, 0x9e3779b1))
    this.#counter = 1
    for (let i = 0; i < 12; i++) this.next()
    return this
  }

  /** 32 random bits, as a signed number. */
  next(): number {
    const t = (((this.#a + this.#b) | 0) + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + t
    this.#c |= 0
    return t
  }

  /**
   * The product of two integers below 2^53 is exact, so the result is the same on every machine. `bound` is at most
   * 2^21.
   */
  below(bound: number): number {
    return Math.floor((this.next() >>> 0) * bound * PER_2_32)
  }
}
