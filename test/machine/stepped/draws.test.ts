import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Draws, type DrawSource } from '../../../src/machine/stepped/draws.ts'

/** What tasks 1 to 3 draw below 100, four times each, in the order of `turns`. */
function drawn(source: DrawSource, turns: readonly number[], seed = 1): ReturnType<Draws['byTask']> {
  const draws = new Draws(seed)
  draws.begin(source)
  const at = [0, 0, 0, 0]
  for (const pid of turns) draws.draw(pid, Math.imul(pid * 16 + ++at[pid], 0x9e3779b1), 100)
  return draws.byTask()
}

const TURNS = [1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]
const turns = fc
  .shuffledSubarray([...TURNS.keys()], { minLength: TURNS.length })
  .map((order) => order.map((i) => TURNS[i]))
const execution = fc.integer({ min: -72, max: 1e6 })

describe('draws', () => {
  test('are a function of seed and execution, whoever runs it and in whatever order tasks draw', () => {
    fc.assert(
      fc.property(fc.nat(), execution, turns, turns, (seed, i, one, other) => {
        expect(drawn(i, one, seed)).toEqual(drawn(i, other, seed))
      }),
    )
  })

  test('are others in another execution, and of another seed', () => {
    fc.assert(
      fc.property(fc.nat({ max: 1e6 }), execution, (seed, i) => {
        expect(drawn(i, TURNS, seed)).not.toEqual(drawn(i + 1, TURNS, seed))
        expect(drawn(i, TURNS, seed)).not.toEqual(drawn(i, TURNS, seed + 1))
      }),
    )
  })

  test('come again from a record, in any order of tasks', () => {
    fc.assert(
      fc.property(execution, turns, turns, (i, one, other) => {
        const recorded = drawn(i, one)
        expect(drawn(recorded, other)).toEqual(recorded)
      }),
    )
  })

  test('are 0 beyond the record', () => {
    expect(drawn([{ pid: 2, values: [7, 8] }], [1, 2, 2, 2])).toEqual([
      { pid: 1, values: [0] },
      { pid: 2, values: [7, 8, 0] },
    ])
  })

  test('stay below what is asked for', () => {
    const draws = new Draws(1)
    draws.begin([{ pid: 1, values: [7] }])
    expect(draws.draw(1, 99, 4)).toBe(3)
  })

  test("are those of the tasks' own sequences where nothing is drawn anew", () => {
    expect(drawn('sequence', [1, 1], 1)).toEqual(drawn('sequence', [1, 1], 2))
  })

  test('of each number below a bound come about as often', () => {
    const counts = [0, 0, 0, 0, 0, 0, 0, 0]
    const draws = new Draws(1)
    for (let i = 0; i < 8000; i++) {
      draws.begin(i)
      counts[draws.draw(1, 0x12345678, 8)]++
    }
    for (const count of counts) expect(count).toBeGreaterThan(900)
  })
})
