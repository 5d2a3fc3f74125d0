// What the calls of a trace program do to areas.
import {
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_FIXED_NOREPLACE,
  MAP_GROWSDOWN,
  MAP_HUGETLB,
  MAP_LOCKED,
  MAP_PRIVATE,
} from './areas.ts'
import type { Area, AreaMap } from './areas.ts'
import { TRACE_BRK, TRACE_MMAP, TRACE_MPROTECT, TRACE_MREMAP, TRACE_MUNMAP } from './opcodes.ts'
import { rangesOf } from './operations.ts'
import type { Operation } from './operations.ts'

/** An area without any rights or file, to be spread. */
export const NOTHING: Area = {
  start: 0,
  end: 0,
  prot: 0,
  flags: 0,
  file: -1,
  pgoff: 0,
  recordedAnonymous: false,
}

/** Flags of mmap that make an area which the model has no mechanism for. */
const FLAGS_APART: [number, string][] = [
  [MAP_HUGETLB, 'MAP_HUGETLB'],
  [MAP_LOCKED, 'MAP_LOCKED'],
  [MAP_GROWSDOWN, 'MAP_GROWSDOWN'],
]

/** What a call leaves in the areas. */
export function applyTo(areas: AreaMap, call: Operation): void {
  if (call.errno !== 0) return applyFailed(areas, call)
  const end = call.page + call.pages
  switch (call.kind) {
    case TRACE_MMAP: {
      const { page: start, prot, flags, file, pgoff } = call
      areas.map({ start, end, prot, flags, file, pgoff, recordedAnonymous: (flags & MAP_ANONYMOUS) !== 0 })
      const apart = call.apart || FLAGS_APART.find(([flag]) => (flags & flag) !== 0)?.[1]
      if (apart !== undefined) areas.setApart(start, end, apart)
      break
    }
    case TRACE_MUNMAP:
      areas.unmap(call.page, end)
      break
    case TRACE_MPROTECT:
      areas.protect(call.page, end, call.prot)
      break
    case TRACE_MREMAP:
      areas.remap(call.page, call.pages, call.newPage, call.newPages)
      break
    case TRACE_BRK:
      if (call.page > call.newPage) {
        const flags = MAP_PRIVATE | MAP_ANONYMOUS
        areas.map({ ...NOTHING, start: call.newPage, end: call.page, prot: 3, flags })
      } else {
        areas.unmap(call.page, call.newPage)
      }
  }
}

/** What a call that failed had done before. */
function applyFailed(areas: AreaMap, call: Operation): void {
  const end = call.page + call.pages
  if (call.kind === TRACE_MPROTECT) {
    const [hole] = areas.holes(call.page, end)
    areas.protect(call.page, hole?.[0] ?? end, call.prot)
  } else if (call.kind === TRACE_MREMAP) {
    areas.unmap(call.newPage, call.newPage + call.newPages)
    areas.unmap(call.page + call.newPages, end)
  }
}

/** Whether the kernel chose the address, so that it was free. */
export function choseAddress(operation: Operation): boolean {
  return operation.kind === TRACE_MMAP && (operation.flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) === 0
}

/** Whether two operations have a page in common. */
export function overlap(one: Operation, other: Operation): boolean {
  return rangesOf(one).some(([start, end]) => rangesOf(other).some(([from, to]) => start < to && from < end))
}
