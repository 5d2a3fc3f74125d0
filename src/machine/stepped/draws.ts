/**
 * What programs draw at random (prandom of the kernel) in an execution: a decision like the schedule, recorded by task
 * so that it can be replayed. Leaves out schedulers' own random numbers: src/step/random.ts.
 */
import { mix } from '../../step/random.ts'

/** What one task drew, in its order; tasks in the order of their numbers. */
export interface TaskDraws {
  readonly pid: number
  readonly values: readonly number[]
}

/**
 * Where an execution's draws come from: the number of an execution, of which and of the seed they are a function,
 * whoever runs it; draws that were recorded, and 0 beyond them; or, as at setup, the task's own sequence alone.
 */
export type DrawSource = number | readonly TaskDraws[] | 'sequence'

export class Draws {
  readonly #seed: number
  #key = 0
  #source: DrawSource = 'sequence'
  /** Of recorded draws: where each task stands. */
  readonly #at = new Map<number, number>()
  readonly #recorded = new Map<number, readonly number[]>()
  /** Pairs of (task, value), of which `#taken` numbers are of this execution. */
  readonly #list: number[] = []
  #taken = 0

  constructor(seed: number) {
    this.#seed = seed
  }

  /** An execution begins. */
  begin(source: DrawSource): void {
    this.#source = source
    this.#taken = 0
    if (typeof source === 'number') this.#key = mix(mix(this.#seed + 0x632be5ab) ^ source)
    else if (source !== 'sequence') {
      this.#at.clear()
      this.#recorded.clear()
      for (const { pid, values } of source) this.#recorded.set(pid, values)
    }
  }

  /** What task `pid` draws, 0 to bound - 1, when its own sequence has come to `x`. */
  draw(pid: number, x: number, bound: number): number {
    const value = this.#value(pid, x, bound)
    this.#list[this.#taken++] = pid
    this.#list[this.#taken++] = value
    return value
  }

  #value(pid: number, x: number, bound: number): number {
    if (typeof this.#source === 'number') return (mix(x ^ this.#key) >>> 0) % bound
    if (this.#source === 'sequence') return (x >>> 0) % bound
    const at = this.#at.get(pid) ?? 0
    this.#at.set(pid, at + 1)
    // Another kernel may ask for less.
    return (this.#recorded.get(pid)?.[at] ?? 0) % bound
  }

  /** A number that tells the draws of this execution from others, as far as a hash does; 0: there were none. */
  hash(): number {
    let hash = 0
    for (let i = 0; i < this.#taken; i++) hash = (Math.imul(hash, 31) + mix(this.#list[i] + 1)) | 0
    return hash
  }

  /** The draws of this execution so far. */
  byTask(): TaskDraws[] {
    const tasks = new Map<number, number[]>()
    for (let i = 0; i < this.#taken; i += 2) {
      const values = tasks.get(this.#list[i])
      if (values === undefined) tasks.set(this.#list[i], [this.#list[i + 1]])
      else values.push(this.#list[i + 1])
    }
    return [...tasks].map(([pid, values]) => ({ pid, values })).toSorted((one, other) => one.pid - other.pid)
  }
}
