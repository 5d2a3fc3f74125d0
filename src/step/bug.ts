/** How the kernel under test stops a machine: a BUG, and a scenario that cannot be set up. */

/** A BUG in the kernel under test: its kind (BUG_ constants of the image's arch/bug.ts) and two operands. */
export class KernelBug extends Error {
  override readonly name = 'KernelBug'
  readonly kind: number
  readonly a: number
  readonly b: number
  constructor(kind: number, a: number, b: number) {
    super(`BUG ${kind}`)
    this.kind = kind
    this.a = a
    this.b = b
  }
}

/** setup() of the scenario returned an error: mostly too little memory. */
export class SetupFailed extends Error {
  /** Negative, as Linux returns it. */
  readonly errno: number
  constructor(errno: number) {
    super(`setup of the scenario failed with ${errno}`)
    this.errno = errno
  }
}
