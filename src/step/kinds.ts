/**
 * Kinds of steps: what a CPU of the stepped machine announces before it does it. kbuild writes these numbers into an
 * image, the machine performs them, schedulers and checks ask about them.
 */
export const Kind = {
  PLAIN_READ: 1,
  PLAIN_WRITE: 2,
  /** data_race(): plain, and known to race. */
  RACE_READ: 3,
  ONCE_READ: 4,
  ONCE_WRITE: 5,
  /** Loads and stores of page contents by user programs. */
  USER_READ: 6,
  USER_WRITE: 7,
  ACQUIRE_READ: 8,
  RELEASE_WRITE: 9,
  ATOMIC_READ: 10,
  ATOMIC_WRITE: 11,
  FETCH_ADD: 12,
  FETCH_AND: 13,
  FETCH_OR: 14,
  XCHG: 15,
  CMPXCHG: 16,
  /** Stores `b` to `a` words from the address on. */
  CLEAR: 17,
  /** Copies `b` words from `a` on to the address on. */
  COPY: 18,
  /** The abstract spinlock: not runnable while the word is not 0. */
  LOCK: 19,
  TRYLOCK: 20,
  UNLOCK: 21,
  /** Not runnable while the word is `a`. */
  WAIT: 22,
  /** Halts while the word is `a`, until a NOTIFY. */
  HALT: 23,
  NOTIFY: 24,
  /** Between two attempts of a CPU that spins: not runnable while the word is `a`; on the clock no wait at all. */
  SPIN: 25,
} as const

/** Number of kinds, for tables by kind. */
export const KINDS = 26

/**
 * By kind: bit 0 reads, bit 1 writes, bit 2 is plain, bit 3 is atomic (a read-modify-write or a lock), bit 4 may block.
 */
export const READS = 1
export const WRITES = 2
export const PLAIN = 4
export const ATOMIC = 8
export const BLOCKS = 16

export const KIND_FLAGS: Uint8Array = (() => {
  const flags = new Uint8Array(KINDS)
  flags[Kind.PLAIN_READ] = READS | PLAIN
  flags[Kind.PLAIN_WRITE] = WRITES | PLAIN
  flags[Kind.RACE_READ] = READS
  flags[Kind.ONCE_READ] = READS
  flags[Kind.ONCE_WRITE] = WRITES
  flags[Kind.USER_READ] = READS
  flags[Kind.USER_WRITE] = WRITES
  flags[Kind.ACQUIRE_READ] = READS
  flags[Kind.RELEASE_WRITE] = WRITES
  flags[Kind.ATOMIC_READ] = READS
  flags[Kind.ATOMIC_WRITE] = WRITES
  for (const kind of [Kind.FETCH_ADD, Kind.FETCH_AND, Kind.FETCH_OR, Kind.XCHG, Kind.CMPXCHG, Kind.TRYLOCK])
    flags[kind] = READS | WRITES | ATOMIC
  flags[Kind.CLEAR] = WRITES | PLAIN
  flags[Kind.COPY] = READS | WRITES | PLAIN
  flags[Kind.LOCK] = READS | WRITES | ATOMIC | BLOCKS
  flags[Kind.UNLOCK] = WRITES | ATOMIC
  flags[Kind.WAIT] = READS | BLOCKS
  flags[Kind.SPIN] = READS | BLOCKS
  flags[Kind.HALT] = READS | BLOCKS
  flags[Kind.NOTIFY] = READS
  return flags
})()

/** Name of each kind, for reports. */
export const KIND_NAMES: readonly string[] = (() => {
  const names: string[] = []
  for (const [name, kind] of Object.entries(Kind)) names[kind] = name.toLowerCase()
  return names
})()
