/**
 * Whoever wants to know where the time of the clock goes: profiles, and the table of shared lines. Figures that every
 * report has are kept by the machine itself (ClockFigures). Times in picoseconds.
 */

/** Where an access found its line. CACHE + n: at another CPU's, or another last-level cache, at distance level n. */
export const HIT = 0
/** The CPU had a shared copy, and took the others' away. */
export const UPGRADE = 1
export const LLC = 2
export const MEMORY = 3
export const CACHE = 4

/**
 * Where time passes that is no access's: where the host's call stack is, and on the way into an interrupt. From 0 on:
 * at a site.
 */
export const HERE = -1
export const INTERRUPT = -2

export interface ClockObserver {
  /** The measured window begins: what was seen so far does not count. */
  begin(): void
  /**
   * `cpu` has made an access: `kind` as in stepped/kinds.ts; `site` indexes the image's sites (of an access to the
   * CPU's own area, which has none: ~ that of its last step, and the host's call stack shows where it is made);
   * `waited` is how long it queued for the line or slept until the line changed, `cost` what the access took then.
   */
  access(
    cpu: number,
    site: number,
    addr: number,
    kind: number,
    source: number,
    waited: number,
    cost: number,
  ): void
  /**
   * Time passes on `cpu` outside of its accesses, or in one that is not over: its step waits and is interrupted, or the
   * window ends. `where` is HERE, INTERRUPT or the step's site; `last` the site of the CPU's last step.
   */
  passed?(cpu: number, where: number, last: number, time: number): void
  /** `cpu` performs its access now: its call stack is the host's (an Error's stack shows it). */
  performing?(cpu: number): void
}
