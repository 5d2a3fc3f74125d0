// A trace program -> the blob of words that the replaying kernel program interprets; its layout is in opcodes.ts.
import { CHUNK_PAGES, foldPages } from './fold.ts'
import * as op from './opcodes.ts'
import { rangesOf } from './operations.ts'
import type { Operation, TraceProgram } from './operations.ts'

/**
 * Encodes an ordered program (see orderProgram), folding its addresses.
 * @param bits page numbers of the model have this many bits (at most 31)
 * @throws UsageError when the addresses do not fit
 */
export function encodeProgram(program: TraceProgram, bits: number): Int32Array {
  const fold = foldPages(eachPage(program), bits)
  const operations = program.streams.flatMap((stream) => stream.operations)
  const streamsAt = op.TRACE_HEADER_WORDS
  const filesAt = streamsAt + program.streams.length * op.TRACE_STREAM_WORDS
  const opsAt = filesAt + program.files.length * op.TRACE_FILE_WORDS
  const depsAt = opsAt + operations.length * op.TRACE_OP_WORDS
  let words = depsAt
  for (const operation of operations) if (operation.after.length > 0) words += 1 + 2 * operation.after.length

  const blob = new Int32Array(words)
  blob[op.trace_header$magic] = op.TRACE_MAGIC
  blob[op.trace_header$nr_streams] = program.streams.length
  blob[op.trace_header$streams] = streamsAt
  blob[op.trace_header$nr_files] = program.files.length
  blob[op.trace_header$files] = filesAt
  blob[op.trace_header$nr_ops] = operations.length
  blob[op.trace_header$ops] = opsAt
  blob[op.trace_header$deps] = depsAt
  blob[op.trace_header$words] = words
  blob[op.trace_header$nr_mms] = program.mms

  let first = 0
  for (let index = 0; index < program.streams.length; index++) {
    const stream = program.streams[index]!
    const at = streamsAt + index * op.TRACE_STREAM_WORDS
    blob[at + op.trace_stream$first] = first
    blob[at + op.trace_stream$nr_ops] = stream.operations.length
    blob[at + op.trace_stream$parent] = stream.startedBy?.stream ?? -1
    blob[at + op.trace_stream$tid] = stream.tid
    blob[at + op.trace_stream$parent_op] = stream.startedBy?.index ?? -1
    first += stream.operations.length
  }
  for (let index = 0; index < program.files.length; index++) {
    const at = filesAt + index * op.TRACE_FILE_WORDS
    blob[at + op.trace_file$pages] = program.files[index]!.pages
    blob[at + op.trace_file$shmem] = program.files[index]!.shmem ? 1 : 0
  }

  let dep = depsAt
  for (let index = 0; index < operations.length; index++) {
    const operation = operations[index]!
    const at = opsAt + index * op.TRACE_OP_WORDS
    blob[at + op.trace_op$kind] = operation.kind | operation.bits
    encodeOperands(blob, at, operation, fold.page, fold.end)
    if (operation.after.length === 0) continue
    blob[at + op.trace_op$deps] = dep
    blob[dep++] = operation.after.length
    for (const before of operation.after) {
      blob[dep++] = before.stream
      blob[dep++] = before.index
    }
  }
  return blob
}

function encodeOperands(
  blob: Int32Array,
  at: number,
  operation: Operation,
  page: (recorded: number) => number,
  end: (recorded: number) => number,
): void {
  const length = (start: number, pages: number): number =>
    pages === 0 ? 0 : end(start + pages) - page(start)
  switch (operation.kind) {
    case op.TRACE_TOUCH:
      blob[at + op.trace_op$page] = page(operation.page)
      blob[at + op.trace_op$pages] = operation.offset
      blob[at + op.trace_op$prot] = operation.access
      break
    case op.TRACE_MMAP:
    case op.TRACE_MUNMAP:
    case op.TRACE_MPROTECT:
    case op.TRACE_MADVISE:
      blob[at + op.trace_op$page] = page(operation.page)
      blob[at + op.trace_op$pages] = length(operation.page, operation.pages)
      blob[at + op.trace_op$prot] = operation.prot
      blob[at + op.trace_op$flags] = operation.flags
      blob[at + op.trace_op$file] = operation.file
      blob[at + op.trace_op$pgoff] = operation.pgoff
      break
    case op.TRACE_MREMAP:
      blob[at + op.trace_op$page] = page(operation.page)
      blob[at + op.trace_op$pages] = length(operation.page, operation.pages)
      blob[at + op.trace_op$prot] = length(operation.newPage, operation.newPages)
      blob[at + op.trace_op$flags] = page(operation.newPage)
      blob[at + op.trace_op$file] = operation.flags
      break
    case op.TRACE_BRK:
    case op.TRACE_EXEC:
      // An end of 0 (no heap) stays 0; any other is the page after one that was folded.
      blob[at + op.trace_op$page] = operation.page === 0 ? 0 : end(operation.page)
      break
    case op.TRACE_CLONE_THREAD:
    case op.TRACE_FORK:
    case op.TRACE_VFORK:
      blob[at + op.trace_op$page] = operation.child
      break
    default:
  }
}

/** Every page whose chunk must keep its place. */
function* eachPage(program: TraceProgram): Generator<number> {
  for (const stream of program.streams) {
    for (const operation of stream.operations) {
      for (const [start, end] of rangesOf(operation)) {
        // No pages at the address of a shared mapping stand for it.
        if (end > start || operation.kind === op.TRACE_MREMAP) yield start
        if (end > start) yield end - 1
      }
      if (operation.kind === op.TRACE_BRK || operation.kind === op.TRACE_EXEC) {
        if (operation.page > 0) yield operation.page - 1
      } else if (operation.kind === op.TRACE_MREMAP) {
        // Both ranges keep all their chunks (up to 16 GiB), so that their lengths still agree.
        for (const [start, end] of rangesOf(operation)) {
          for (let page = start; page < Math.min(end, start + 2 ** 22); page += CHUNK_PAGES) yield page
        }
      }
    }
  }
}
