// A recorded call -> the operation that does it again: one that succeeded, or one that failed and had done something
// before.
import { adviceName, replayedAdvice, setsApart } from './advice.ts'
import { MAP_ANONYMOUS, MAP_FIXED, MAP_FIXED_NOREPLACE, MAP_SHARED } from './areas.ts'
import type { Files } from './files.ts'
import {
  TRACE_BRK,
  TRACE_MADVISE,
  TRACE_MMAP,
  TRACE_MPROTECT,
  TRACE_MREMAP,
  TRACE_MUNMAP,
} from './opcodes.ts'
import { makeOperation } from './operations.ts'
import type { Operation } from './operations.ts'
import type { EnterEvent, ReturnEvent } from './parse.ts'
import type { PassedOverTally } from './passed_over.ts'
import type { Mm } from './tasks.ts'

const MREMAP_FIXED = 2
const MREMAP_DONTUNMAP = 4
const ENOMEM = 12
const EFAULT = 14

/** What a call is read with. */
export interface CallContext {
  mm: Mm
  files: Files
  passedOver: PassedOverTally
  /** The walk that only collects evidence. */
  firstWalk: boolean
  /** Told that all of [start, end) is mapped, since the call succeeded on it. */
  mustExist: (start: number, end: number) => void
}

/** The operation of a call that succeeded; undefined when there is nothing to replay. */
export function callOperation(
  event: EnterEvent,
  result: ReturnEvent,
  context: CallContext,
): Operation | undefined {
  const given = event.arguments
  const line = event.line
  switch (event.call) {
    case 'mmap':
      return mmapOperation(event, result, context)
    case 'munmap':
      return makeOperation(TRACE_MUNMAP, line, {
        page: pageOf(given['addr']!),
        pages: pagesIn(given['len']!),
      })
    case 'mprotect': {
      const page = pageOf(given['start']!)
      const pages = pagesIn(given['len']!)
      if (pages === 0) return undefined
      context.mustExist(page, page + pages)
      return makeOperation(TRACE_MPROTECT, line, { page, pages, prot: given['prot']! & 7 })
    }
    case 'mremap': {
      const page = pageOf(given['addr']!)
      const pages = pagesIn(given['old_len']!)
      context.mustExist(page, page + Math.max(pages, 1))
      const newPage = pageOf(result.value)
      if ((given['flags']! & MREMAP_DONTUNMAP) !== 0) return dontUnmap(line, page, pages, newPage, context)
      const newPages = pagesIn(given['new_len']!)
      growFile(page, pages, newPages, context)
      return makeOperation(TRACE_MREMAP, line, { page, pages, newPage, newPages, flags: given['flags']! & 3 })
    }
    case 'brk':
      return brkOperation(event, result, context)
    case 'madvise': {
      const advice = given['behavior']!
      const page = pageOf(given['start']!)
      const pages = pagesIn(given['len_in']!)
      const replayed = replayedAdvice(advice)
      if (replayed === undefined) {
        context.passedOver.add('madvise', `${adviceName(advice)} is not modelled`)
        if (setsApart(advice)) context.mm.areas.setApart(page, page + pages, adviceName(advice))
        return undefined
      }
      if (pages === 0) return undefined
      context.mustExist(page, page + pages)
      return makeOperation(TRACE_MADVISE, line, { page, pages, prot: replayed })
    }
    case 'mlock':
    case 'mlock2': {
      const page = pageOf(given['start']!)
      context.passedOver.add(event.call, 'it is not modelled')
      context.mm.areas.setApart(page, pageEnd(given['start']! + given['len']!), event.call)
      return undefined
    }
  }
}

/**
 * The operation of a call that failed but had changed something before: mprotect and madvise up to a hole, mremap its
 * new place. Undefined where nothing was changed, or nobody can tell.
 */
export function failedOperation(
  event: EnterEvent,
  errno: number,
  { mm }: CallContext,
): Operation | undefined {
  const given = event.arguments
  const line = event.line
  switch (event.call) {
    case 'mprotect': {
      const page = pageOf(given['start']!)
      const pages = pagesIn(given['len']!)
      if (errno !== ENOMEM || mm.areas.holes(page, page + pages).length === 0) return undefined
      return makeOperation(TRACE_MPROTECT, line, { page, pages, prot: given['prot']! & 7, errno })
    }
    case 'madvise': {
      const page = pageOf(given['start']!)
      const pages = pagesIn(given['len_in']!)
      const prot = replayedAdvice(given['behavior']!)
      if (prot === undefined || errno !== ENOMEM || mm.areas.holes(page, page + pages).length === 0)
        return undefined
      return makeOperation(TRACE_MADVISE, line, { page, pages, prot, errno })
    }
    case 'mremap': {
      const page = pageOf(given['addr']!)
      const flags = given['flags']! & 3
      if (errno !== EFAULT || (flags & MREMAP_FIXED) === 0 || mm.areas.find(page) === undefined)
        return undefined
      const newPage = pageOf(given['new_addr']!)
      const [pages, newPages] = [pagesIn(given['old_len']!), pagesIn(given['new_len']!)]
      return makeOperation(TRACE_MREMAP, line, { page, pages, newPage, newPages, flags, errno })
    }
    default:
      return undefined
  }
}

/** MREMAP_DONTUNMAP: a second area like the first stands for it, and the faults of both are shown apart. */
function dontUnmap(
  line: number,
  page: number,
  pages: number,
  newPage: number,
  context: CallContext,
): Operation {
  const apart = 'MREMAP_DONTUNMAP'
  context.passedOver.add('mremap', `${apart} is not modelled`)
  const { areas } = context.mm
  areas.setApart(page, page + pages, apart)
  const { prot = 0, flags = MAP_ANONYMOUS, file = -1, pgoff = 0 } = areas.find(page) ?? {}
  return makeOperation(TRACE_MMAP, line, {
    page: newPage,
    pages,
    prot,
    flags: flags | MAP_FIXED,
    file,
    pgoff,
    apart,
  })
}

/** A file that is mapped beyond what was mapped before is larger than that; shared memory ends where it did. */
function growFile(page: number, pages: number, newPages: number, { mm, files }: CallContext): void {
  for (const area of mm.areas.pieces(page, page + Math.max(pages, 1)))
    if (area.file >= 0 && !files.all[area.file]!.shmem)
      files.grow(area.file, area.pgoff + newPages - (area.start - page))
}

function mmapOperation(event: EnterEvent, result: ReturnEvent, { mm, files }: CallContext): Operation {
  const given = event.arguments
  const flags = given['flags']!
  const page = pageOf(result.value)
  const pages = pagesIn(given['len']!)
  const anonymous = (flags & MAP_ANONYMOUS) !== 0
  const fixed = (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) !== 0
  const pgoff = anonymous ? 0 : pageOf(given['off']!)
  let file = -1
  if (anonymous && (flags & MAP_SHARED) !== 0) {
    file = files.id(`shmem ${event.line}`, true)
  } else if (!anonymous) {
    // Which file a descriptor stands for is not recorded. A loader maps a whole file first and then its segments over
    // that, so a mapping at a free address starts a file, told by its length: the same library in two processes is one
    // file.
    const descriptor = given['fd']!
    const known = mm.descriptors.get(descriptor)
    file = fixed && known !== undefined ? known : files.id(`file ${given['len']} ${pgoff}`)
    mm.descriptors.set(descriptor, file)
  }
  files.grow(file, pgoff + pages)
  return makeOperation(TRACE_MMAP, event.line, {
    page,
    pages,
    prot: given['prot']! & 7,
    flags,
    file,
    pgoff,
  })
}

function brkOperation(event: EnterEvent, result: ReturnEvent, context: CallContext): Operation | undefined {
  const { mm, passedOver, firstWalk } = context
  const asked = event.arguments['brk']!
  const end = Math.ceil(result.value / 4096)
  if (mm.brk < 0) {
    if (asked !== 0) passedOver.add('brk', 'where the heap began was not recorded')
    mm.brk = end
    if (asked === 0 || !firstWalk) mm.image.brkStart = end
    return undefined
  }
  if (asked !== 0 && asked !== result.value) passedOver.add('brk', 'it failed')
  if (asked !== result.value || end === mm.brk) return undefined
  if (end < mm.image.brkStart) {
    passedOver.add('brk', 'it ends below where the heap began')
    return undefined
  }
  const operation = makeOperation(TRACE_BRK, event.line, { page: end, newPage: mm.brk })
  mm.brk = end
  return operation
}

function pageOf(address: number): number {
  return Math.floor(address / 4096)
}

/** The page after the one that holds the byte before this address. */
function pageEnd(address: number): number {
  return Math.ceil(address / 4096)
}

function pagesIn(bytes: number): number {
  return Math.ceil(bytes / 4096)
}
