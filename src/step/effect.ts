/**
 * What a step does to memory, by kind: the words it touches, the value it leaves and the value it returns. Whether a
 * kind reads, writes, is plain or atomic, and whether it may block: KIND_FLAGS.
 */
import { Kind, KINDS } from './kinds.ts'

/** Leaves memory as it is. */
export const KEEPS = 0
/** Stores `a`, whatever the word held, and returns nothing that code asks for. */
export const STORES = 1
/** Stores valueAfter(), which depends on the kind. */
export const UPDATES = 2
/** Stores `b` to `a` words. */
export const FILLS = 3
/** Copies `b` words from `a` on. */
export const COPIES = 4

/** By kind, which of the effects above it has. */
export const EFFECT: Uint8Array = (() => {
  const effects = new Uint8Array(KINDS).fill(KEEPS)
  for (const kind of [
    ...[Kind.PLAIN_WRITE, Kind.ONCE_WRITE, Kind.USER_WRITE],
    ...[Kind.RELEASE_WRITE, Kind.ATOMIC_WRITE],
  ])
    effects[kind] = STORES
  for (const kind of [
    ...[Kind.FETCH_ADD, Kind.FETCH_AND, Kind.FETCH_OR, Kind.XCHG, Kind.CMPXCHG],
    ...[Kind.LOCK, Kind.TRYLOCK, Kind.UNLOCK],
  ])
    effects[kind] = UPDATES
  effects[Kind.CLEAR] = FILLS
  effects[Kind.COPY] = COPIES
  return effects
})()

/**
 * What the word at the step's address holds after a step of CPU `cpu` that found `old`. Of a copy, whose first word
 * comes from elsewhere: `old`.
 */
export function valueAfter(kind: number, old: number, a: number, b: number, cpu: number): number {
  switch (kind) {
    case Kind.FETCH_ADD:
      return (old + a) | 0
    case Kind.FETCH_AND:
      return old & a
    case Kind.FETCH_OR:
      return old | a
    case Kind.CMPXCHG:
      return old === a ? b : old
    case Kind.LOCK:
      return cpu + 1
    case Kind.TRYLOCK:
      return old === 0 ? cpu + 1 : old
    case Kind.UNLOCK:
      return 0
    case Kind.CLEAR:
      return b
    case Kind.XCHG:
      return a
    default:
      return EFFECT[kind] === STORES ? a : old
  }
}

/** What a step returns that found `old`: trylock whether it has the lock, all others what they found. */
export function resultOf(kind: number, old: number): number {
  return kind === Kind.TRYLOCK ? Number(old === 0) : old
}

/** How many words a step touches from its address on. */
export function wordsOf(kind: number, a: number, b: number): number {
  if (kind === Kind.CLEAR) return a
  return kind === Kind.COPY ? b : 1
}

/** Whether a step touches more than one word: only then does it read words elsewhere, too. */
export function isRange(kind: number): boolean {
  return EFFECT[kind] >= FILLS
}

/**
 * Whether a step that finds `value` at its address has to wait for another one; a halted CPU also goes on when it is
 * notified.
 */
export function waits(kind: number, value: number, a: number): boolean {
  switch (kind) {
    case Kind.LOCK:
      return value !== 0
    case Kind.WAIT:
    case Kind.SPIN:
    case Kind.HALT:
      return value === a
    default:
      return false
  }
}

/**
 * Performs a step of CPU `cpu` on a memory of its own: for tests, and machines that log nothing. Returns what the step
 * returns.
 */
export function perform(
  memory: Int32Array,
  kind: number,
  addr: number,
  a: number,
  b: number,
  cpu: number,
): number {
  const old = memory[addr]
  switch (EFFECT[kind]) {
    case KEEPS:
      return old
    case STORES:
      memory[addr] = a
      return old
    case FILLS:
      memory.fill(b, addr, addr + a)
      return old
    case COPIES:
      memory.copyWithin(addr, a, a + b)
      return old
    default:
      memory[addr] = valueAfter(kind, old, a, b, cpu)
      return resultOf(kind, old)
  }
}
