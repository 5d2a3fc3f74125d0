// What a step does to memory, kind by kind: of each kind the word that it leaves and what it returns, and that the
// tables agree.
import { describe, expect, test } from 'vitest'
import {
  EFFECT,
  FILLS,
  COPIES,
  isRange,
  KEEPS,
  perform,
  resultOf,
  STORES,
  UPDATES,
  valueAfter,
  waits,
  wordsOf,
} from '../../src/step/effect.ts'
import { ATOMIC, BLOCKS, Kind, KIND_FLAGS, READS, WRITES } from '../../src/step/kinds.ts'

const CPU = 3
const kinds = Object.values(Kind)

/** [kind, old, a, b, value after it, what it returns], by CPU 3. */
const STEPS: readonly (readonly [
  kind: keyof typeof Kind,
  old: number,
  a: number,
  b: number,
  after: number,
  returned: number,
])[] = [
  ['PLAIN_READ', 7, 0, 0, 7, 7],
  ['RACE_READ', 7, 0, 0, 7, 7],
  ['ONCE_READ', 7, 0, 0, 7, 7],
  ['USER_READ', 7, 0, 0, 7, 7],
  ['ACQUIRE_READ', 7, 0, 0, 7, 7],
  ['ATOMIC_READ', 7, 0, 0, 7, 7],
  ['PLAIN_WRITE', 7, 5, 0, 5, 7],
  ['ONCE_WRITE', 7, 5, 0, 5, 7],
  ['USER_WRITE', 7, 5, 0, 5, 7],
  ['RELEASE_WRITE', 7, 5, 0, 5, 7],
  ['ATOMIC_WRITE', 7, 5, 0, 5, 7],
  ['FETCH_ADD', 7, -1, 0, 6, 7],
  ['FETCH_ADD', 2 ** 31 - 1, 1, 0, -(2 ** 31), 2 ** 31 - 1],
  ['FETCH_AND', 6, 3, 0, 2, 6],
  ['FETCH_OR', 6, 1, 0, 7, 6],
  ['XCHG', 7, 5, 0, 5, 7],
  ['CMPXCHG', 7, 7, 5, 5, 7],
  ['CMPXCHG', 7, 6, 5, 7, 7],
  ['LOCK', 0, 0, 0, CPU + 1, 0],
  ['TRYLOCK', 0, 0, 0, CPU + 1, 1],
  ['TRYLOCK', 2, 0, 0, 2, 0],
  ['UNLOCK', CPU + 1, 0, 0, 0, CPU + 1],
  ['WAIT', 7, 5, 0, 7, 7],
  ['HALT', 7, 5, 0, 7, 7],
  ['NOTIFY', 7, 0, 0, 7, 7],
  ['SPIN', 7, 5, 0, 7, 7],
]

describe.each(STEPS)('%s of a word that holds %i with %i and %i', (name, old, a, b, value, returned) => {
  const kind = Kind[name]

  test(`leaves ${value} and returns ${returned}`, () => {
    expect(valueAfter(kind, old, a, b, CPU)).toBe(value)
    // What a store returns nobody asks for.
    if (EFFECT[kind] !== STORES) expect(resultOf(kind, old)).toBe(returned)
  })

  test('is performed so on a memory of its own, on one word', () => {
    const memory = Int32Array.of(91, old, 92)
    expect(perform(memory, kind, 1, a, b, CPU)).toBe(returned)
    expect([...memory]).toEqual([91, value, 92])
    expect(wordsOf(kind, a, b)).toBe(1)
    expect(isRange(kind)).toBe(false)
  })
})

test('CLEAR stores a value to as many words as it says', () => {
  const memory = Int32Array.of(1, 2, 3, 4)
  perform(memory, Kind.CLEAR, 1, 2, 9, CPU)
  expect([...memory]).toEqual([1, 9, 9, 4])
  expect(valueAfter(Kind.CLEAR, 2, 2, 9, CPU)).toBe(9)
  expect([wordsOf(Kind.CLEAR, 2, 9), isRange(Kind.CLEAR)]).toEqual([2, true])
})

test('COPY stores as many words as it says from elsewhere; its first word is not foretold', () => {
  const memory = Int32Array.of(1, 2, 3, 4)
  perform(memory, Kind.COPY, 0, 2, 2, CPU)
  expect([...memory]).toEqual([3, 4, 3, 4])
  expect(valueAfter(Kind.COPY, 1, 2, 2, CPU)).toBe(1)
  expect([wordsOf(Kind.COPY, 2, 2), isRange(Kind.COPY)]).toEqual([2, true])
})

test('a lock waits while somebody has it, a wait while the word is the given value, all others never', () => {
  expect(kinds.filter((kind) => waits(kind, 5, 5))).toEqual([Kind.LOCK, Kind.WAIT, Kind.HALT, Kind.SPIN])
  expect(kinds.filter((kind) => waits(kind, 4, 5))).toEqual([Kind.LOCK])
  expect(kinds.filter((kind) => waits(kind, 0, 5))).toEqual([])
})

test('the effects agree with the flags of the kinds', () => {
  for (const kind of kinds) {
    const flags = KIND_FLAGS[kind]
    expect(EFFECT[kind] !== KEEPS, `kind ${kind} writes`).toBe((flags & WRITES) !== 0)
    expect(EFFECT[kind] === UPDATES, `kind ${kind} is atomic`).toBe((flags & ATOMIC) !== 0)
    expect(waits(kind, 5, 5), `kind ${kind} blocks`).toBe((flags & BLOCKS) !== 0)
    if (EFFECT[kind] === KEEPS) expect(flags & READS, `kind ${kind} reads`).toBe(READS)
  }
  expect([EFFECT[Kind.CLEAR], EFFECT[Kind.COPY]]).toEqual([FILLS, COPIES])
})
