/** What the clock draws from its seed: the order of equals, and by how much times vary. xorshift32. */

/** Steps of a variation by a tenth, to either side. */
const VARIATION = 1000

export class ClockRandom {
  #state: number

  constructor(seed: number) {
    this.#state = Math.imul(seed + 1, 0x9e3779b1) | 0 || 1
  }

  /** A random number of 0 to bound - 1. */
  below(bound: number): number {
    let x = this.#state
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.#state = x
    return (x >>> 0) % bound
  }

  /** A time that is up to a tenth longer or shorter. */
  varied(time: number): number {
    return Math.round(time * (1 + (this.below(2 * VARIATION + 1) - VARIATION) / (10 * VARIATION)))
  }

  /** 0 to n - 1 in random order. */
  permutation(n: number): Uint16Array {
    const order = Uint16Array.from({ length: n }, (_, index) => index)
    for (let left = n; left > 1; left--) {
      const pick = this.below(left)
      const kept = order[left - 1]
      order[left - 1] = order[pick]
      order[pick] = kept
    }
    return order
  }
}
