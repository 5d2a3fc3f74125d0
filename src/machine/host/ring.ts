// A ring of pointers for timing loads: each word that is looked at says where the next one is. Leaves out the timing.
import { ExecutionRandom } from '../../step/random.ts'

/**
 * Bytes within which the order is random. Larger than what prefetchers look ahead in, small enough for the first-level
 * TLB.
 */
const BLOCK_BYTES = 64 * 4096

/**
 * A ring over `bytes` bytes that visits one word of each line once: the word at its place is the index of the next one.
 * The order is random within blocks, and the blocks lie in random order: no prefetcher knows the next line, and the TLB
 * hardly matters.
 * @param lineWords words of a line
 */
export function chaseRing(bytes: number, lineWords: number): Uint32Array {
  const lines = Math.max(1, Math.floor(bytes / (4 * lineWords)))
  const blockLines = BLOCK_BYTES / (4 * lineWords)
  const random = new ExecutionRandom()
  const ring = new Uint32Array(lines * lineWords)
  let last = 0
  for (const block of shuffled(Math.ceil(lines / blockLines), random)) {
    const first = block * blockLines
    for (const line of shuffled(Math.min(blockLines, lines - first), random)) {
      // Line 0 is where the ring begins and ends.
      if (first + line === 0) continue
      ring[last] = (first + line) * lineWords
      last = ring[last]
    }
  }
  ring[last] = 0
  return ring
}

function shuffled(n: number, random: ExecutionRandom): Uint32Array {
  const list = Uint32Array.from({ length: n }, (_, index) => index)
  for (let left = n; left > 1; left--) {
    const pick = random.below(left)
    const kept = list[left - 1]
    list[left - 1] = list[pick]
    list[pick] = kept
  }
  return list
}
