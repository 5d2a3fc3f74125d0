// How a use case is conducted, whatever it does: when it ends early, and who hears how far it has come.

/** Neither changes a result, but for an end before its time, which the result says (`interrupted`). */
export interface Conduct {
  /** Ends the work early when it is aborted; what was done is reported. */
  readonly signal?: AbortSignal
  /** Hears one short line now and then. */
  readonly progress?: (text: string) => void
}
