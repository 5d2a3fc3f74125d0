// What the calibration says to its threads, and what they answer. Plain data.

/** What a thread can time alone; each in ns of one step. */
export type LoopName = 'multiply' | 'atomic' | 'clearPage' | 'copyPage'

/** One round of hand-offs as one side saw it. */
export interface HandOffRound {
  /** Nanoseconds of one hand-off, one way. */
  readonly ns: number
  /** The CPU that it ran on; undefined: it moved meanwhile; -1: the system does not say. */
  readonly cpu: number | undefined
}

/** What a thread offers over comlink. Calls take as long as what they time. */
export interface CalibratorApi {
  /** The smallest step of the clock, in ns. */
  resolution(): number
  /** Rounds of a loop. */
  loop(name: LoopName, rounds: number): number[]
  /** Rounds of chasing pointers over `bytes` bytes: ns of one load. */
  chase(bytes: number, rounds: number): number[]
  /**
   * Plays ping-pong with the first word of the memory that the threads share, against the thread that plays the other
   * side at the same time, up to `rounds` rounds.
   */
  handOff(side: 0 | 1, rounds: number): HandOffRound[]
}
