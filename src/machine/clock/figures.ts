/**
 * What the clock counts for every report: operations, transfers of lines, and who waited how long for which lock and
 * which line. Times in picoseconds. Leaves out names: src/scale.
 */

/** How one lock was used, in one mode. */
export interface LockUse {
  readonly lock: number
  readonly reading: boolean
  acquisitions: number
  /**
   * Acquisitions that slept until somebody changed a word or had to try again, and those whose lock another CPU had
   * taken last.
   */
  contentions: number
  conBounces: number
  acqBounces: number
  lastCpu: number
  waitMin: number
  waitMax: number
  /** Of all acquisitions, and of the contended ones. */
  waitTotal: number
  waitContended: number
  holdMin: number
  holdMax: number
  holdTotal: number
}

export class ClockFigures {
  /** Operations and accesses of all CPUs. */
  operations = 0
  accesses = 0
  /**
   * Lines fetched from another CPU's or another last-level cache; copies of others taken away; from the near cache;
   * from memory.
   */
  transfers = 0
  upgrades = 0
  llcFetches = 0
  memoryFetches = 0
  interrupts = 0
  /** By line: how long CPUs were held up by it, and how long outside of waits for locks. */
  readonly stall: Float64Array
  readonly stallOutside: Float64Array
  /** By line: transfers. */
  readonly moved: Uint32Array
  readonly #locks = new Map<number, LockUse>()

  constructor(lines: number) {
    this.stall = new Float64Array(lines)
    this.stallOutside = new Float64Array(lines)
    this.moved = new Uint32Array(lines)
  }

  /** Uses of all locks that were wanted. */
  get locks(): LockUse[] {
    return [...this.#locks.values()]
  }

  use(lock: number, reading: boolean): LockUse {
    const key = lock * 2 + (reading ? 1 : 0)
    let use = this.#locks.get(key)
    if (use === undefined) {
      const times = {
        waitMin: 0,
        waitMax: 0,
        waitTotal: 0,
        waitContended: 0,
        holdMin: 0,
        holdMax: 0,
        holdTotal: 0,
      }
      const counts = { acquisitions: 0, contentions: 0, conBounces: 0, acqBounces: 0, lastCpu: -1 }
      use = { lock, reading, ...counts, ...times }
      this.#locks.set(key, use)
    }
    return use
  }

  /** The use of a lock that somebody wants and does not have yet: of the mode in which others had it. */
  wanted(lock: number): LockUse {
    return this.use(lock, this.#locks.has(lock * 2 + 1) && !this.#locks.has(lock * 2))
  }

  /** Forgets everything. */
  clear(): void {
    this.operations = 0
    this.accesses = 0
    this.transfers = 0
    this.upgrades = 0
    this.llcFetches = 0
    this.memoryFetches = 0
    this.interrupts = 0
    this.stall.fill(0)
    this.stallOutside.fill(0)
    this.moved.fill(0)
    this.#locks.clear()
  }
}
