// A recorded call that succeeded -> the operation that does it again.
import { MAP_ANONYMOUS, MAP_FIXED, MAP_FIXED_NOREPLACE, MAP_SHARED } from './areas.ts'
import type { Files } from './files.ts'
import {
  TRACE_ADVICE_DONTNEED,
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

const MREMAP_DONTUNMAP = 4
const ADVICE: Record<number, string> = {
  8: 'MADV_FREE',
  14: 'MADV_HUGEPAGE',
  15: 'MADV_NOHUGEPAGE',
  16: 'MADV_DONTDUMP',
}

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
      if (pages === 0 || (given['flags']! & MREMAP_DONTUNMAP) !== 0) {
        context.passedOver.add(
          'mremap',
          pages === 0 ? 'old length 0 is not modelled' : 'MREMAP_DONTUNMAP is not modelled',
        )
        return undefined
      }
      context.mustExist(page, page + pages)
      const newPage = pageOf(result.value)
      return makeOperation(TRACE_MREMAP, line, {
        page,
        pages,
        newPage,
        newPages: pagesIn(given['new_len']!),
        flags: given['flags']! & 3,
      })
    }
    case 'brk':
      return brkOperation(event, result, context)
    case 'madvise': {
      const advice = given['behavior']!
      const page = pageOf(given['start']!)
      const pages = pagesIn(given['len_in']!)
      if (advice !== TRACE_ADVICE_DONTNEED) {
        context.passedOver.add('madvise', `${ADVICE[advice] ?? `advice ${advice}`} is not modelled`)
        return undefined
      }
      if (pages === 0) return undefined
      context.mustExist(page, page + pages)
      return makeOperation(TRACE_MADVISE, line, { page, pages, prot: advice })
    }
  }
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

function pagesIn(bytes: number): number {
  return Math.ceil(bytes / 4096)
}
