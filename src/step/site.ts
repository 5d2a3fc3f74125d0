// Where in the kernel's source a step stands. kbuild makes the table of an image, observers and reports read it.

/** A call on the way to a place: in which function, and where in its source. */
export interface Frame {
  readonly fn: string
  readonly file: string
  readonly line: number
}

/** A place in the kernel's source where a step is announced. */
export interface Site {
  /** The function in which it stands. */
  readonly fn: string
  /** Path from the package's folder; absolute for a user's file. */
  readonly file: string
  /** From 1, as editors count. */
  readonly line: number
  readonly column: number
  readonly primitive: string
  /** The helper of one expression that holds the access and is called here. */
  readonly helper?: string
  /** The calls of `fn` that were put in place of themselves, innermost first: more frames of the call stack. */
  readonly callers?: readonly Frame[]
}
