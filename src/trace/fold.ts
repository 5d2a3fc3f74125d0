// Folds recorded 47-bit addresses into the small space of the model: page numbers of at most 31 bits. Works on chunks
// of 2 MiB: offsets in a chunk stay, chunks that hold a touch or the edge of a range keep their order and whether they
// are neighbours. What lies between two of them (a gap, or the untouched inside of a huge area) may shrink, but never
// vanishes.
import { UsageError } from '../base/errors.ts'

/** Pages of 4 KiB in a chunk: a whole number of page tables for every PTRS_PER_TABLE up to 512. */
export const CHUNK_PAGES = 512
/** 1 GiB: a larger distance would only cost upper-level tables. */
const WIDEST_GAP = 512

export interface Fold {
  /** The folded number of a recorded page that was given to foldPages, or of one inside a range that was. */
  page(recorded: number): number
  /** The folded number of the page after a range's last. */
  end(recorded: number): number
  /** Folded pages in use lie below this. */
  limit: number
}

/**
 * Makes the folding for these recorded pages (touched pages, first and last page of every range).
 * Page 0 of the model stays free. The distance between two chunks is kept up to 1 GiB, less when the space is small.
 * @param bits a folded page number has at most this many bits
 * @throws UsageError when even the smallest folding needs more bits
 */
export function foldPages(pages: Iterable<number>, bits: number): Fold {
  const distinct = new Set<number>()
  for (const page of pages) distinct.add(Math.floor(page / CHUNK_PAGES))
  const chunks = [...distinct].toSorted((a, b) => a - b)
  // The topmost chunk stays free, so that the end of a range is a page number, too.
  const room = 2 ** bits / CHUNK_PAGES - 1
  let widest = WIDEST_GAP
  while (widest > 2 && chunksNeeded(chunks, widest) > room) widest /= 2
  const needed = chunksNeeded(chunks, widest)
  if (needed > room) {
    const least = Math.ceil(Math.log2((needed + 1) * CHUNK_PAGES))
    throw new UsageError(
      `The trace needs page numbers of ${least} bits, PGTABLE_LEVELS and PTRS_PER_TABLE give ` +
        `${bits}: choose more levels or larger tables`,
    )
  }
  const folded = new Map<number, number>()
  let at = 0
  let previous = -1
  for (const chunk of chunks) {
    at += previous < 0 ? 1 : Math.min(chunk - previous, widest)
    folded.set(chunk, at)
    previous = chunk
  }
  const page = (recorded: number): number => {
    const chunk = Math.floor(recorded / CHUNK_PAGES)
    const base = folded.get(chunk)
    if (base === undefined) throw new Error(`page ${recorded.toString(16)} was not given to foldPages`)
    return base * CHUNK_PAGES + (recorded - chunk * CHUNK_PAGES)
  }
  return { page, end: (recorded) => page(recorded - 1) + 1, limit: (at + 1) * CHUNK_PAGES }
}

function chunksNeeded(chunks: number[], widest: number): number {
  let total = chunks.length > 0 ? 2 : 0
  for (let index = 1; index < chunks.length; index++)
    total += Math.min(chunks[index]! - chunks[index - 1]!, widest)
  return total
}
