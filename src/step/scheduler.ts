/**
 * What decides the order of steps. A context is what can be run: 0 to cpus - 1 are the CPUs, cpus + c is CPU c taking
 * its pending interrupts (the CPU itself rests meanwhile).
 */

/**
 * What every context is about to do: indexed by context, kinds from kinds.ts. A context that has not begun has kind 0.
 */
export interface Pending {
  readonly cpus: number
  readonly kind: Int32Array
  readonly addr: Int32Array
  readonly a: Int32Array
  readonly b: Int32Array
  readonly site: Int32Array
  /** Steps announced so far in this execution; the end of a CPU or of an interrupt counts as one. */
  readonly steps: number
  /**
   * By context: its scheduling points so far in this execution, the pending one included, and its end; with every step
   * a point (exact), its steps.
   */
  readonly points: Int32Array
}

/** A source of random numbers for one execution. */
export interface Random {
  /** An integer of 0 to bound - 1, all equally likely. */
  below(bound: number): number
}

export interface Scheduler {
  readonly name: string
  /** Execution number `execution` begins. */
  begin(execution: number, random: Random, pending: Pending): void
  /**
   * Which context takes the next step: one of runnable[0..n-1], ascending, n at least 2. `current` took the last one
   * and may not be among them. Only asked where it matters: before accesses of words that more than one CPU touches, or
   * where the current context cannot go on.
   */
  next(runnable: Int32Array, n: number, current: number): number
  /** The execution is over. True: there is nothing left to explore (exhaustive schedulers). */
  end?(): boolean
}
