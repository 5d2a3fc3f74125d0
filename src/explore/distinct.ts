/**
 * Counts distinct 53-bit hashes in a table of fixed growth: millions of them, without an object each. Full, it stops
 * counting and says so.
 */

const MOST = 2 ** 22

export class DistinctCounter {
  #table = new Float64Array(2 ** 12)
  #count = 0

  /** Whether hashes have been turned away: the count is a lower bound. */
  full = false

  get count(): number {
    return this.#count
  }

  /** True: `hash` (a non-negative integer) was not there before. */
  add(hash: number): boolean {
    const value = hash + 1
    const mask = this.#table.length - 1
    let at = slot(value, mask)
    for (;;) {
      const there = this.#table[at]
      if (there === value) return false
      if (there === 0) break
      at = (at + 1) & mask
    }
    if (this.#count >= MOST) {
      this.full = true
      return true
    }
    this.#table[at] = value
    if (++this.#count * 2 > this.#table.length) this.#grow()
    return true
  }

  #grow(): void {
    const old = this.#table
    this.#table = new Float64Array(old.length * 4)
    const mask = this.#table.length - 1
    for (const value of old) {
      if (value === 0) continue
      let at = slot(value, mask)
      while (this.#table[at] !== 0) at = (at + 1) & mask
      this.#table[at] = value
    }
  }
}

function slot(value: number, mask: number): number {
  const low = value | 0
  return (Math.imul(low ^ (low >>> 15), 0x9e3779b1) >>> 8) & mask
}

/** A 53-bit hash of a list of integers, and of one more. */
export function hashList(list: readonly number[], more = 0): number {
  let low = 0x811c9dc5 ^ more
  let high = list.length
  for (let i = 0; i < list.length; i++) {
    low = Math.imul(low ^ list[i], 0x85ebca6b)
    low ^= low >>> 13
    high = Math.imul(high + low, 0xc2b2ae35)
    high ^= high >>> 16
  }
  return (low >>> 0) * 0x200000 + (high & 0x1fffff)
}
