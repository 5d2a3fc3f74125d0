/**
 * Which locks each CPU waits for and holds, and for how long: from what the kernel tells its observers. A wait lasts
 * from wanting a lock to having it, transfers of its line included. Times in picoseconds.
 */
import type { ClockFigures } from './figures.ts'

/** Locks that a CPU can want or hold at a time. */
const DEPTH = 16

export class ClockLocks {
  readonly #figures: ClockFigures
  readonly #clock: Float64Array
  /**
   * Per CPU a stack of the locks it wants (a semaphore's slow path wants the spinlock inside), since when, and whether
   * it found them taken.
   */
  readonly #wantedDepth: Uint8Array
  readonly #wanted: Int32Array
  readonly #since: Float64Array
  readonly #contended: Uint8Array
  readonly #heldDepth: Uint8Array
  readonly #held: Int32Array
  readonly #heldReading: Uint8Array
  readonly #heldSince: Float64Array

  constructor(figures: ClockFigures, clock: Float64Array) {
    const cpus = clock.length
    this.#figures = figures
    this.#clock = clock
    this.#wantedDepth = new Uint8Array(cpus)
    this.#wanted = new Int32Array(cpus * DEPTH)
    this.#since = new Float64Array(cpus * DEPTH)
    this.#contended = new Uint8Array(cpus * DEPTH)
    this.#heldDepth = new Uint8Array(cpus)
    this.#held = new Int32Array(cpus * DEPTH)
    this.#heldReading = new Uint8Array(cpus * DEPTH)
    this.#heldSince = new Float64Array(cpus * DEPTH)
  }

  /** Whether the CPU waits for a lock. */
  waiting(cpu: number): boolean {
    return this.#wantedDepth[cpu] > 0
  }

  wants(cpu: number, lock: number): void {
    const at = cpu * DEPTH + this.#wantedDepth[cpu]++
    this.#wanted[at] = lock
    this.#since[at] = this.#clock[cpu]
    this.#contended[at] = 0
  }

  /** The CPU sleeps, or is about to try again: if it wants a lock, that one is contended. */
  contends(cpu: number): void {
    const depth = this.#wantedDepth[cpu]
    for (let i = 0; i < depth; i++) this.#contended[cpu * DEPTH + i] = 1
  }

  acquires(cpu: number, lock: number, reading: boolean): void {
    const now = this.#clock[cpu]
    const use = this.#figures.use(lock, reading)
    const depth = this.#wantedDepth[cpu]
    const top = cpu * DEPTH + depth - 1
    use.acquisitions++
    const bounced = use.lastCpu >= 0 && use.lastCpu !== cpu
    if (bounced) use.acqBounces++
    // An attempt that cannot wait was not announced.
    if (depth > 0 && this.#wanted[top] === lock) {
      this.#wantedDepth[cpu] = depth - 1
      const wait = Math.max(0, now - this.#since[top])
      use.waitTotal += wait
      if (this.#contended[top] !== 0) {
        use.contentions++
        if (bounced) use.conBounces++
        use.waitMin = use.contentions === 1 ? wait : Math.min(use.waitMin, wait)
        use.waitMax = Math.max(use.waitMax, wait)
        use.waitContended += wait
      }
    }
    use.lastCpu = cpu
    const at = cpu * DEPTH + this.#heldDepth[cpu]++
    this.#held[at] = lock
    this.#heldReading[at] = reading ? 1 : 0
    this.#heldSince[at] = now
  }

  releases(cpu: number, lock: number): void {
    const first = cpu * DEPTH
    let at = first + this.#heldDepth[cpu] - 1
    while (at >= first && this.#held[at] !== lock) at--
    // Taken before the figures began to count.
    if (at < first) return
    const hold = Math.max(0, this.#clock[cpu] - this.#heldSince[at])
    const use = this.#figures.use(lock, this.#heldReading[at] !== 0)
    use.holdMin = use.holdTotal === 0 ? hold : Math.min(use.holdMin, hold)
    use.holdMax = Math.max(use.holdMax, hold)
    use.holdTotal += hold
    const last = first + --this.#heldDepth[cpu]
    for (; at < last; at++) {
      this.#held[at] = this.#held[at + 1]
      this.#heldReading[at] = this.#heldReading[at + 1]
      this.#heldSince[at] = this.#heldSince[at + 1]
    }
  }

  /** The window begins at `now`: waits and holds that last count from here on. */
  begin(now: number): void {
    this.#since.fill(now)
    this.#heldSince.fill(now)
  }

  /** The window ends at `now`: waits that last are counted as far as they went. */
  end(now: number): void {
    for (let cpu = 0; cpu < this.#wantedDepth.length; cpu++)
      for (let at = cpu * DEPTH; at < cpu * DEPTH + this.#wantedDepth[cpu]; at++)
        this.#figures.wanted(this.#wanted[at]).waitTotal += Math.max(0, now - this.#since[at])
  }
}
