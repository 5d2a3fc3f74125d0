// The types of a trace program: what each recorded task did to its address space, before folding and encoding.
// Pages are 4 KiB and at recorded addresses here.
import {
  TRACE_BRK,
  TRACE_CLONE_THREAD,
  TRACE_EXEC,
  TRACE_FETCH,
  TRACE_FORK,
  TRACE_F_PRESENT,
  TRACE_MADVISE,
  TRACE_MMAP,
  TRACE_MPROTECT,
  TRACE_MREMAP,
  TRACE_MUNMAP,
  TRACE_TOUCH,
  TRACE_VFORK,
  TRACE_WRITE,
} from './opcodes.ts'

export interface Operation {
  /** TRACE_TOUCH … TRACE_EXIT. */
  kind: number
  /** TRACE_F_… bits. */
  bits: number
  /** Line of the event; for a call, of its entry. */
  line: number
  /** For a call, the line of its return; else as `line`. */
  endLine: number
  /** The errno that a call ended with in the recording; 0: it succeeded. */
  errno: number
  /** TRACE_TOUCH: what of its area is not modelled; '': nothing. */
  apart: string
  /** Index of the stream (task) and of the operation in it. */
  stream: number
  index: number
  /** The address space it acts on; for TRACE_EXEC the new one, for a clone the parent's. -1: none known. */
  mm: number
  page: number
  pages: number
  /** PROT_… bits; for TRACE_MADVISE the advice. */
  prot: number
  /** MAP_… or MREMAP_… bits. */
  flags: number
  file: number
  pgoff: number
  /** TRACE_TOUCH: word within the page, and TRACE_READ, TRACE_WRITE or TRACE_FETCH. */
  offset: number
  access: number
  /** TRACE_MREMAP. */
  newPage: number
  newPages: number
  /** Clones: the child's stream. */
  child: number
  /** Operations of other streams that come before this one; order.ts fills it in. */
  after: Operation[]
}

export interface Stream {
  tid: number
  /** The clone that starts it; undefined: it starts with the machine. */
  startedBy: Operation | undefined
  operations: Operation[]
}

export interface TraceFile {
  /** Size in pages. */
  pages: number
  /** Shared anonymous memory, not a file. */
  shmem: boolean
}

export interface PassedOver {
  /** A row of the result table (`absent write`, …) or the name of a call. */
  what: string
  why: string
  count: number
}

export interface TraceProgram {
  streams: Stream[]
  /** Every file and shmem object that is mapped. */
  files: TraceFile[]
  passedOver: PassedOver[]
  /** Events of kinds that the reader does not know, by name. */
  unknownEvents: Map<string, number>
  /** Orders that the recording proves though the two operations overlap in time; see program.ts. */
  proven: { before: Operation; after: Operation }[]
  /** Address spaces, counted over the whole trace. */
  mms: number
}

export function makeOperation(kind: number, line: number, fields: Partial<Operation> = {}): Operation {
  return {
    kind,
    bits: 0,
    line,
    endLine: line,
    errno: 0,
    apart: '',
    stream: -1,
    index: -1,
    mm: -1,
    page: 0,
    pages: 0,
    prot: 0,
    flags: 0,
    file: -1,
    pgoff: 0,
    offset: 0,
    access: 0,
    newPage: 0,
    newPages: 0,
    child: -1,
    after: [],
    ...fields,
  }
}

/** Whether the operation changes the map: what must be ordered with the other events on its range. */
export function isMapChange(operation: Operation): boolean {
  return operation.kind >= TRACE_MMAP && operation.kind <= TRACE_MADVISE
}

/** The ranges an operation touches or changes, as pairs [first page, page after the last]. */
export function rangesOf(operation: Operation): [number, number][] {
  switch (operation.kind) {
    case TRACE_TOUCH:
      return [[operation.page, operation.page + 1]]
    case TRACE_MMAP:
    case TRACE_MUNMAP:
    case TRACE_MPROTECT:
    case TRACE_MADVISE:
      return [[operation.page, operation.page + operation.pages]]
    case TRACE_MREMAP:
      return [
        [operation.page, operation.page + operation.pages],
        [operation.newPage, operation.newPage + operation.newPages],
      ]
    case TRACE_BRK:
      // page is the new end, newPage the old one.
      return [[Math.min(operation.page, operation.newPage), Math.max(operation.page, operation.newPage)]]
    default:
      return []
  }
}

export type TouchRow =
  'absent read' | 'absent write' | 'absent fetch' | 'present read' | 'present write' | 'present fetch'

/** The row of the result table for a fault. */
export function touchRow(present: boolean, access: number): TouchRow {
  const kind = access === TRACE_WRITE ? 'write' : access === TRACE_FETCH ? 'fetch' : 'read'
  return `${present ? 'present' : 'absent'} ${kind}`
}

/** The row of the result table for a touch. */
export function rowOf(operation: Operation): TouchRow {
  return touchRow((operation.bits & TRACE_F_PRESENT) !== 0, operation.access)
}

/** The name of the call that an operation does again. */
export function callName(kind: number): string {
  return CALLS[kind] ?? `operation ${kind}`
}

const CALLS: Record<number, string> = {
  [TRACE_MMAP]: 'mmap',
  [TRACE_MUNMAP]: 'munmap',
  [TRACE_MPROTECT]: 'mprotect',
  [TRACE_MREMAP]: 'mremap',
  [TRACE_BRK]: 'brk',
  [TRACE_MADVISE]: 'madvise',
  [TRACE_CLONE_THREAD]: 'clone',
  [TRACE_FORK]: 'fork',
  [TRACE_VFORK]: 'vfork',
  [TRACE_EXEC]: 'exec',
}

/** All operations as they were recorded; each stream's in its own order. */
export function recordedOrder(program: TraceProgram): Operation[] {
  return program.streams
    .flatMap(({ operations }) => operations)
    .toSorted((one, other) => one.line - other.line || one.index - other.index)
}
