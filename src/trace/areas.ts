// The areas of one recorded address space at one moment, as its calls left them. In pages of 4 KiB, at recorded
// (unfolded) addresses; page numbers have up to 35 bits, so no bit operations on them. Leaves out merging: areas are
// only ever split.

export const PROT_READ = 1
export const PROT_WRITE = 2
export const PROT_EXEC = 4

export const MAP_SHARED = 1
export const MAP_PRIVATE = 2
export const MAP_FIXED = 0x10
export const MAP_ANONYMOUS = 0x20
export const MAP_GROWSDOWN = 0x100
export const MAP_LOCKED = 0x2000
export const MAP_POPULATE = 0x8000
export const MAP_HUGETLB = 0x40000
export const MAP_FIXED_NOREPLACE = 0x100000

export interface Area {
  /** First page. */
  start: number
  /** The page after the last. */
  end: number
  prot: number
  /** MAP_… bits. */
  flags: number
  /** File or shmem object, -1 for private anonymous memory. */
  file: number
  /** Page of the file at `start`. */
  pgoff: number
  /** The area comes from an anonymous mmap of the recording. */
  recordedAnonymous: boolean
  /** What of the area is not modelled, so that its faults are shown apart. */
  apart?: string
}

export class AreaMap {
  /** Sorted, without overlaps. */
  areas: Area[] = []

  clone(): AreaMap {
    const copy = new AreaMap()
    copy.areas = this.areas.map((area) => ({ ...area }))
    return copy
  }

  /** The area that holds this page, if any. */
  find(page: number): Area | undefined {
    const area = this.areas[this.#firstEndingAfter(page)]
    return area && area.start <= page ? area : undefined
  }

  /** Whether any page of [start, end) lies in an area. */
  intersects(start: number, end: number): boolean {
    const area = this.areas[this.#firstEndingAfter(start)]
    return area !== undefined && area.start < end
  }

  /** The parts of [start, end) that lie in no area, as pairs [first page, page after the last]. */
  holes(start: number, end: number): [number, number][] {
    const found: [number, number][] = []
    let at = start
    for (let index = this.#firstEndingAfter(start); index < this.areas.length; index++) {
      const area = this.areas[index]!
      if (area.start >= end) break
      if (area.start > at) found.push([at, area.start])
      at = area.end
    }
    if (at < end) found.push([at, end])
    return found
  }

  /** Copies of the parts of areas inside [start, end). */
  pieces(start: number, end: number): Area[] {
    const found: Area[] = []
    for (let index = this.#firstEndingAfter(start); index < this.areas.length; index++) {
      const area = this.areas[index]!
      if (area.start >= end) break
      const first = Math.max(area.start, start)
      found.push({
        ...area,
        start: first,
        end: Math.min(area.end, end),
        pgoff: area.pgoff + first - area.start,
      })
    }
    return found
  }

  /** Adds an area; what was there is unmapped first. */
  map(area: Area): void {
    this.unmap(area.start, area.end)
    this.areas.splice(this.#firstEndingAfter(area.start), 0, { ...area })
  }

  unmap(start: number, end: number): void {
    if (start >= end) return
    const [from, to] = this.#isolate(start, end)
    this.areas.splice(from, to - from)
  }

  protect(start: number, end: number, prot: number): void {
    for (const area of this.#inside(start, end)) area.prot = prot
  }

  /** Says what of the areas in [start, end) is not modelled. */
  setApart(start: number, end: number, why: string): void {
    for (const area of this.#inside(start, end)) area.apart = why
  }

  /**
   * What mremap leaves: the old range at its new place, cut or grown to the new length. No pages of a shared mapping
   * become a second mapping of it.
   */
  remap(start: number, pages: number, newStart: number, newPages: number): void {
    const twice = pages === 0
    const moved = this.pieces(start, start + (twice ? 1 : Math.min(pages, newPages)))
    this.unmap(start, start + pages)
    const last = moved[moved.length - 1]
    if (last && (twice || last.end === start + pages)) last.end = start + newPages
    this.unmap(newStart, newStart + newPages)
    for (const area of moved)
      this.map({ ...area, start: area.start - start + newStart, end: area.end - start + newStart })
  }

  #firstEndingAfter(page: number): number {
    let low = 0
    let high = this.areas.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.areas[middle]!.end > page) high = middle
      else low = middle + 1
    }
    return low
  }

  /** The areas inside [start, end), after splits at both ends. */
  #inside(start: number, end: number): Area[] {
    return start < end ? this.areas.slice(...this.#isolate(start, end)) : []
  }

  /** Splits at both ends; returns the indexes of the areas inside. */
  #isolate(start: number, end: number): [number, number] {
    this.#split(start)
    this.#split(end)
    return [this.#firstEndingAfter(start), this.#firstEndingAfter(end - 1) + (this.find(end - 1) ? 1 : 0)]
  }

  #split(page: number): void {
    const index = this.#firstEndingAfter(page)
    const area = this.areas[index]
    if (!area || area.start >= page) return
    const upper = { ...area, start: page, pgoff: area.pgoff + page - area.start }
    area.end = page
    this.areas.splice(index + 1, 0, upper)
  }
}

/** Whether an area with these rights lets the access through. On x86-64 every right includes reading. */
export function permits(prot: number, access: 'read' | 'write' | 'fetch'): boolean {
  if (access === 'write') return (prot & PROT_WRITE) !== 0
  if (access === 'fetch') return (prot & PROT_EXEC) !== 0
  return (prot & (PROT_READ | PROT_WRITE | PROT_EXEC)) !== 0
}
