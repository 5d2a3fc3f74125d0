// "Did you mean": the known name closest to what was typed. Leaves out the rest of the sentence.

/**
 * The one of `names` that needs the fewest single-character edits to become `typed` (case does not count); undefined
 * when even that one needs more than half of its length.
 */
export function nearest(typed: string, names: readonly string[]): string | undefined {
  let best: string | undefined
  let bestDistance = Infinity
  for (const name of names) {
    const distance = editDistance(typed.toLowerCase(), name.toLowerCase())
    if (distance < bestDistance) [best, bestDistance] = [name, distance]
  }
  return best !== undefined && bestDistance <= Math.ceil(best.length / 2) ? best : undefined
}

/** ` (did you mean NAME?)` with the nearest of `names`, to stand behind what is unknown; empty if none is near. */
export function didYouMean(typed: string, names: readonly string[]): string {
  const near = nearest(typed, names)
  return near === undefined ? '' : ` (did you mean ${near}?)`
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, replaced)
    }
    row = next
  }
  return row[b.length]
}
