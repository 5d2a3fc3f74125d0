// What came of a sequence of calls, of the machine's kernel or of the model.

export interface Outcome {
  /** What the call returned; a page from the base for mmap and mremap. */
  readonly result: number
  /** Whether a load or store faulted, without a signal. */
  readonly fault: boolean
  readonly signal: number
  /** What a load found. */
  readonly value: number
}

/** A VMA in the end, in pages from the base. */
export interface Mapping {
  readonly process: number
  readonly start: number
  readonly end: number
  /** Present pages, and those of them that are anonymous. */
  readonly rss: number
  readonly anonymous: number
  /** Flags as /proc/PID/smaps abbreviates them, sorted. */
  readonly flags: string
}

export interface Outcomes {
  readonly calls: readonly Outcome[]
  readonly mappings: readonly Mapping[]
}
