/**
 * Where random numbers leave the machine (include/asm/archrandom.h, 6.1: the kernel's own sequence is mixed with what
 * the architecture gives). Natively it gives nothing; on the stepped machine the function is the machine's own: what is
 * drawn is then a decision of the execution, as the schedule is.
 */

/** What task number `pid` draws, 0 to bound - 1, when its own sequence has come to `x`. */
export function arch_random_below(pid: number, x: number, bound: number): number {
  return (x >>> 0) % bound
}
