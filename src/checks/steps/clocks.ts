// Vector clocks of the CPUs of one execution, and what marked writes have published at each word: the order rules of the race
// detector. Clocks only grow, from execution to execution, so that nothing has to be reset. Leaves out which accesses race: kcsan.ts.

/**
 * What orders accesses: a release publishes all that the CPU has done and seen; a marked write what it had done before its last
 * fence (smp_wmb, smp_mb or a release) and all that it has seen (stores become visible to all CPUs at once); a marked read
 * takes over what the word's last marked write published.
 */
export class Clocks {
  readonly #cpus: number
  /** now[c * cpus + d]: up to which clock CPU c knows CPU d; its own clock at c. */
  readonly now: Int32Array
  /** By CPU: its clock at its last fence. */
  readonly #fenced: Int32Array
  /** By word: in which execution it was published at, and where in `#published`. */
  readonly #publishedIn: Int32Array
  readonly #slot: Int32Array
  #published = new Int32Array(1024)
  #slots = 0
  #execution = 0

  constructor(cpus: number, words: number) {
    this.#cpus = cpus
    this.now = new Int32Array(cpus * cpus)
    this.#fenced = new Int32Array(cpus)
    this.#publishedIn = new Int32Array(words)
    this.#slot = new Int32Array(words)
  }

  /** A new execution: everything before it is known to all, nothing in it to others. */
  begin(): void {
    const cpus = this.#cpus
    let latest = 0
    for (let c = 0; c < cpus; c++) latest = Math.max(latest, this.now[c * cpus + c])
    this.now.fill(latest)
    this.#fenced.fill(latest)
    for (let c = 0; c < cpus; c++) this.now[c * cpus + c] = latest + 1
    this.#slots = 0
    this.#execution++
  }

  /** The CPU's accesses until now come before its later writes. */
  fence(cpu: number): void {
    const own = cpu * this.#cpus + cpu
    this.#fenced[cpu] = this.now[own]
    this.now[own]++
  }

  /** A marked read of the word. */
  acquire(cpu: number, word: number): void {
    if (this.#publishedIn[word] !== this.#execution) return
    const cpus = this.#cpus
    const from = this.#slot[word]
    const to = cpu * cpus
    for (let d = 0; d < cpus; d++) {
      const clock = this.#published[from + d]
      if (clock > this.now[to + d]) this.now[to + d] = clock
    }
  }

  /** A marked write of the word; `join`: a read-modify-write, which leaves what others have published there. */
  publish(cpu: number, word: number, join: boolean): void {
    const cpus = this.#cpus
    const known = this.#publishedIn[word] === this.#execution
    if (!known) {
      this.#publishedIn[word] = this.#execution
      this.#slot[word] = this.#slots
      this.#slots += cpus
      if (this.#slots > this.#published.length) {
        const larger = new Int32Array(2 * this.#slots)
        larger.set(this.#published)
        this.#published = larger
      }
    }
    const to = this.#slot[word]
    const from = cpu * cpus
    for (let d = 0; d < cpus; d++) {
      const clock = d === cpu ? this.#fenced[cpu] : this.now[from + d]
      if (!(known && join) || clock > this.#published[to + d]) this.#published[to + d] = clock
    }
  }
}
