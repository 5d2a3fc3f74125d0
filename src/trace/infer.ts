// Areas that no recorded call made: an exec'd image, its stack, the vdso, what was mapped before the recording began.
// They are inferred from the faults (and successful calls) that fall outside every recorded area, and exist from the
// image's start.
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_EXEC, PROT_READ, PROT_WRITE } from './areas.ts'
import type { Area, AreaMap } from './areas.ts'

/**
 * The stack, vvar and vdso of x86-64 lie above this page, mmap's area ends below: 16 GiB and 128 MiB under the end of
 * user space.
 */
const STACK_FLOOR = 0x7ffbf8000
/** Touched pages at most this far apart belong to neighbouring segments of one mapping. */
const SEGMENT_GAP = 64
/** A larger gap starts another file (the program, its interpreter, …). */
const FILE_GAP = 4096
/**
 * A stack does not skip more than 8 MiB. Without randomisation mmap's area lies above STACK_FLOOR as well, 128 MiB
 * below the stack.
 */
const STACK_GAP = 2048

/** What pass one learns about one image (an address space from exec on, with all that are forked from it). */
export interface ImageEvidence {
  /** Name of the program. */
  name: string
  /** Rights needed, by page. 0: it must exist. */
  touched: Map<number, number>
  /** All that recorded calls ever mapped in the image or in a fork of it. */
  recorded: AreaMap
  /** First page of the heap; -1 when no brk was recorded. */
  brkStart: number
}

interface Run {
  start: number
  end: number
  prot: number
}

/**
 * The areas an image starts with, sorted. Gaps between touched pages are filled when small and when no recorded call
 * maps anything there.
 * @param fileId gives a file's identity for a key; the same program has the same files in every process
 */
export function inferAreas(image: ImageEvidence, fileId: (key: string) => number): Area[] {
  const pages = [...image.touched.keys()].toSorted((a, b) => a - b)
  const { bottom, top } = stackOf(image, pages)
  const isStack = (page: number): boolean => page >= bottom && page <= top

  const areas: Area[] = []
  let last: Run | undefined
  let cluster = -1
  let clusterStart = 0
  let lastIsStack = false
  const flush = (): void => {
    if (!last) return
    areas.push({
      start: last.start,
      end: last.end,
      prot: last.prot,
      flags: lastIsStack ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_PRIVATE,
      file: lastIsStack ? -1 : fileId(`${image.name}#${cluster}`),
      pgoff: lastIsStack ? 0 : last.start - clusterStart,
      recordedAnonymous: false,
    })
  }
  for (const page of pages) {
    const stack = isStack(page)
    const prot = stack ? PROT_READ | PROT_WRITE : rightsOf(image.touched.get(page)!)
    const gap = last ? page - last.end : Infinity
    const joined =
      last !== undefined &&
      stack === lastIsStack &&
      gap <= (stack ? STACK_GAP : SEGMENT_GAP) &&
      (gap === 0 || !image.recorded.intersects(last.end, page))
    if (joined && last!.prot === prot) {
      last!.end = page + 1
      continue
    }
    // The hole between two segments goes to the lower one, as the file's pages there would.
    if (joined) last!.end = page
    flush()
    if (!stack && (gap > FILE_GAP || lastIsStack || cluster < 0)) {
      cluster++
      clusterStart = page
    }
    last = { start: page, end: page + 1, prot }
    lastIsStack = stack
  }
  flush()
  return areas
}

/** First and last touched page of the stack: it ends with the last page that was written. */
function stackOf(image: ImageEvidence, pages: number[]): { bottom: number; top: number } {
  const written = (page: number): boolean => (image.touched.get(page)! & PROT_WRITE) !== 0
  const top = pages.findLast((page) => page >= STACK_FLOOR && written(page)) ?? -1
  let bottom = top
  for (const page of pages.toReversed())
    if (page >= STACK_FLOOR && page < bottom && bottom - page <= STACK_GAP + 1) bottom = page
  return { bottom, top }
}

/** The rights of the private, file-like mapping that a single unexplained access needs. */
export function rightsOf(touched: number): number {
  // A page that only had to exist was the object of mprotect or the like: relocated data.
  if (touched === 0) return PROT_READ | PROT_WRITE
  return PROT_READ | (touched & (PROT_WRITE | PROT_EXEC))
}
