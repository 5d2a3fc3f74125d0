/** What an access does to its line, for what it costs. */
import { COPIES as COPIES_WORDS, EFFECT, FILLS, KEEPS, STORES } from '../../step/effect.ts'
import { Kind, KINDS } from '../../step/kinds.ts'

export const READS = 0
/** A store, and an operation that reads and writes: atomic. */
export const WRITES = 1
export const UPDATES = 2
export const CLEARS = 3
export const COPIES = 4
export const NOTHING = 5

/** By kind. A kind that no image announces counts as an update. */
export const CLASS: Uint8Array = (() => {
  const classes = new Uint8Array(KINDS).fill(UPDATES)
  for (let kind = 1; kind < KINDS; kind++)
    if (EFFECT[kind] === KEEPS) classes[kind] = READS
    else if (EFFECT[kind] === STORES) classes[kind] = WRITES
    else if (EFFECT[kind] === FILLS) classes[kind] = CLEARS
    else if (EFFECT[kind] === COPIES_WORDS) classes[kind] = COPIES
  classes[Kind.ATOMIC_WRITE] = UPDATES
  classes[Kind.NOTIFY] = NOTHING
  // On the clock no wait at all.
  classes[Kind.SPIN] = NOTHING
  return classes
})()
