// Vector clocks of the CPUs of one execution, and what marked writes have published at each word: the order rules of
// the race detector. Clocks only grow, from execution to execution, so that nothing has to be reset. Leaves out which
// accesses race: kcsan.ts.

/**
 * What orders accesses: a release publishes all that the CPU has done and seen; a marked write what it had done before
 * its last fence (smp_wmb, smp_mb or a release) and all that it has seen (stores become visible to all CPUs at once); a
 * marked read takes over what the word's last marked write published.
 */
export class Clocks {
  readonly #cpus: number
  /** now[c * cpus + d]: up to which clock CPU c knows CPU d; its own clock at c. */
  readonly now: Int32Array
  /** By CPU: its clock at its last fence. */
  readonly #fenced: Int32Array
  /**
   * For each word `stride` numbers, so that they lie on one or two lines of the host's cache: the execution in which it
   * was published at, the clocks that were published, then `extra` numbers of the user's own.
   */
  readonly words: Int32Array
  readonly stride: number
  #execution = 0

  constructor(cpus: number, words: number, extra: number) {
    this.#cpus = cpus
    this.now = new Int32Array(cpus * cpus)
    this.#fenced = new Int32Array(cpus)
    this.stride = 1 + cpus + extra
    this.words = new Int32Array(words * this.stride)
  }

  /**
   * A new execution: everything before it is known to all, nothing in it to others. Returns the latest clock before it.
   */
  begin(): number {
    const cpus = this.#cpus
    let latest = 0
    for (let c = 0; c < cpus; c++) latest = Math.max(latest, this.now[c * cpus + c])
    this.now.fill(latest)
    this.#fenced.fill(latest)
    for (let c = 0; c < cpus; c++) this.now[c * cpus + c] = latest + 1
    this.#execution++
    return latest
  }

  /** Starts from 0 again: the words' own numbers are all 0 too. */
  restart(): void {
    this.now.fill(0)
    this.words.fill(0)
    this.#execution = 0
  }

  /** The CPU's accesses until now come before its later writes. */
  fence(cpu: number): void {
    const own = cpu * this.#cpus + cpu
    this.#fenced[cpu] = this.now[own]
    this.now[own]++
  }

  /** A marked read of the word. */
  acquire(cpu: number, word: number): void {
    const { words, now } = this
    const from = word * this.stride
    if (words[from] !== this.#execution) return
    const cpus = this.#cpus
    const to = cpu * cpus
    for (let d = 0; d < cpus; d++) {
      const clock = words[from + 1 + d]
      if (clock > now[to + d]) now[to + d] = clock
    }
  }

  /** What is published at the word, by CPU; undefined: nothing in this execution. */
  published(word: number): Int32Array | undefined {
    const at = word * this.stride
    return this.words[at] === this.#execution ? this.words.subarray(at + 1, at + 1 + this.#cpus) : undefined
  }

  /**
   * A marked write of the word; `join`: a read-modify-write, which leaves what others have published there. `known` is
   * laid out as `now`: what the CPU has seen.
   */
  publish(cpu: number, word: number, join: boolean, known: Int32Array): void {
    const { words } = this
    const cpus = this.#cpus
    const to = word * this.stride
    const joins = join && words[to] === this.#execution
    words[to] = this.#execution
    const from = cpu * cpus
    for (let d = 0; d < cpus; d++) {
      const clock = d === cpu ? this.#fenced[cpu] : known[from + d]
      if (!joins || clock > words[to + 1 + d]) words[to + 1 + d] = clock
    }
  }
}
