import { expect, test } from 'vitest'
import { chaseRing } from '../../../src/machine/host/ring.ts'

/** The words that a walk from 0 visits before it is back there. */
function walk(ring: Uint32Array): number[] {
  const visited = [0]
  for (let at = ring[0]; at !== 0 && visited.length <= ring.length; at = ring[at]) visited.push(at)
  return visited
}

test('a ring visits the first word of every line once', () => {
  const visited = walk(chaseRing(1 << 20, 16))
  expect(visited.toSorted((one, other) => one - other)).toEqual(
    Array.from({ length: (1 << 20) / 64 }, (_, line) => 16 * line),
  )
})

test('its order is not that of the memory', () => {
  const visited = walk(chaseRing(1 << 20, 16))
  const neighbours = visited.filter((at, index) => Math.abs(at - visited[index - 1]) === 16)
  expect(neighbours.length).toBeLessThan(visited.length / 100)
})
