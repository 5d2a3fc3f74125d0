/**
 * Whoever wants to know where the time of the clock goes: profiles, and the table of shared lines. Figures that every report has are
 * kept by the machine itself (ClockFigures). Times in picoseconds.
 */

/** Where an access found its line. CACHE + n: at another CPU's, or another last-level cache, at distance level n. */
export const HIT = 0
/** The CPU had a shared copy, and took the others' away. */
export const UPGRADE = 1
export const LLC = 2
export const MEMORY = 3
export const CACHE = 4

export interface ClockObserver {
  /** The measured window begins: what was seen so far does not count. */
  begin(): void
  /**
   * `cpu` has made an access: `kind` as in stepped/kinds.ts; `site` indexes the image's sites (of an access to the CPU's own area, which has
   * none: ~ that of its last step); `waited` is how long it queued for the line or slept until the line changed, `cost` what the access took then.
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
  /** `cpu` performs its access now: its call stack is the host's (an Error's stack shows it). */
  performing?(cpu: number): void
}
