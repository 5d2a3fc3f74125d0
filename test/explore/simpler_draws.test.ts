import { expect, test } from 'vitest'
import type { TaskDraws } from '../../src/machine/stepped/draws.ts'
import { compareDraws, simplifications } from '../../src/explore/simpler_draws.ts'

/** What is left of `draws` when every simplification is taken after which `fails` holds. */
function simplest(
  draws: readonly TaskDraws[],
  fails: (values: readonly (readonly number[])[]) => boolean,
): TaskDraws[] {
  let now = [...draws]
  for (const simplify of simplifications(draws)) {
    const simpler = simplify(now)
    if (simpler === undefined) continue
    expect(compareDraws(simpler, now)).toBeLessThan(0)
    if (fails(simpler.map(({ values }) => values))) now = simpler
  }
  return now
}

const DRAWS = [
  { pid: 1, values: [5, 0, 7, 3] },
  { pid: 4, values: [2, 6] },
]

test('draws that do not matter become 0', () => {
  expect(simplest(DRAWS, () => true)).toEqual([
    { pid: 1, values: [0, 0, 0, 0] },
    { pid: 4, values: [0, 0] },
  ])
})

test('those that matter stay, and no others', () => {
  expect(simplest(DRAWS, ([one, other]) => one[2] === 7 && other[0] === 2)).toEqual([
    { pid: 1, values: [0, 0, 7, 0] },
    { pid: 4, values: [2, 0] },
  ])
})

test('a number becomes as low as it may, to a power of two', () => {
  expect(simplest(DRAWS, ([one]) => one[2] >= 3)).toEqual([
    { pid: 1, values: [0, 0, 4, 0] },
    { pid: 4, values: [0, 0] },
  ])
})
