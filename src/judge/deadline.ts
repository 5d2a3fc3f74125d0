// The time that a judgement has, and the end of each of its phases. Leaves out what is done in it.

/** An end in time. */
export class Deadline {
  readonly #end: number

  /** @param seconds from now */
  constructor(seconds: number) {
    this.#end = performance.now() + seconds * 1000
  }

  /** Seconds that are left; 0 or less: time is up. */
  get left(): number {
    return (this.#end - performance.now()) / 1000
  }

  /** Aborted when time is up, or with `signal`. */
  signal(signal?: AbortSignal): AbortSignal {
    const timeout = AbortSignal.timeout(Math.max(1, Math.ceil(this.left * 1000)))
    return signal === undefined ? timeout : AbortSignal.any([signal, timeout])
  }
}
