// Numbers of a check that belong to one execution: changed ones are logged and put back when the next execution begins,
// so that this costs as much as was touched. Leaves out what they mean.

/** An array of 32-bit integers that can go back to where forget() left it. */
export class Rewind {
  readonly words: Int32Array
  /** Pairs of index and old value. */
  #log = new Int32Array(256)
  #logged = 0

  constructor(length: number) {
    this.words = new Int32Array(length)
  }

  set(index: number, value: number): void {
    const old = this.words[index]
    if (old === value) return
    if (this.#logged === this.#log.length) {
      const longer = new Int32Array(2 * this.#log.length)
      longer.set(this.#log)
      this.#log = longer
    }
    this.#log[this.#logged++] = index
    this.#log[this.#logged++] = old
    this.words[index] = value
  }

  add(index: number, value: number): void {
    this.set(index, this.words[index] + value)
  }

  /** Undoes everything since the last forget() or rewind(). */
  rewind(): void {
    const log = this.#log
    for (let i = this.#logged - 2; i >= 0; i -= 2) this.words[log[i]] = log[i + 1]
    this.#logged = 0
  }

  /** Makes the present values those that rewind() goes back to. */
  forget(): void {
    this.#logged = 0
  }
}
