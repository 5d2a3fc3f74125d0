/**
 * Writes of an execution, and how they are taken back: after setup the memory is the base that every execution starts
 * from.
 */
import type { KeptState } from '../../inspect/symbols.ts'

export class UndoLog {
  readonly memory: Int32Array
  /** Number of this execution; a word whose epoch it is has been logged. */
  now = 1
  /** Words that were written to. */
  logged = 0
  readonly epoch: Int32Array
  readonly log: Int32Array
  #base = new Int32Array(0)

  constructor(memory: Int32Array) {
    this.memory = memory
    this.epoch = new Int32Array(memory.length)
    this.log = new Int32Array(memory.length)
  }

  /** The memory of this moment is what undo() goes back to. */
  keep(): void {
    this.#base = this.memory.slice()
  }

  write(p: number, value: number): void {
    if (this.epoch[p] !== this.now) {
      this.epoch[p] = this.now
      this.log[this.logged++] = p
    }
    this.memory[p] = value
  }

  /** What undo() goes back to, and the words that it would write. */
  get since(): KeptState {
    return { memory: this.#base, written: this.log.subarray(0, this.logged) }
  }

  /** Takes all writes back. */
  undo(): void {
    const { memory, log } = this
    const base = this.#base
    for (let i = 0; i < this.logged; i++) {
      const p = log[i]
      memory[p] = base[p]
    }
    this.logged = 0
    this.now++
  }

  /** A number that tells states of the memory at the end of executions apart: of all words written and their values. */
  hash(): number {
    const { memory, log } = this
    const base = this.#base
    let low = 0x811c9dc5
    let high = 0
    // Order does not matter: executions write the same words in different orders.
    for (let i = 0; i < this.logged; i++) {
      const p = log[i]
      const value = memory[p]
      if (value === base[p]) continue
      let x = Math.imul(p, 0x9e3779b1) ^ Math.imul(value, 0x85ebca6b)
      x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d)
      x = Math.imul(x ^ (x >>> 12), 0x297a2d39)
      low = (low + x) | 0
      high = (high + Math.imul(x ^ (x >>> 15), 0x165667b1)) | 0
    }
    return (low >>> 0) * 0x200000 + (high & 0x1fffff)
  }
}
