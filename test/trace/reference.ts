// A tiny model of page tables that runs a trace program on one CPU, to judge the reader without the model kernel. It
// knows the zero page, COW after fork and private file pages; it leaves out fault-around, huge pages and everything
// else that the model kernel has or lacks.
import { AreaMap, MAP_SHARED, permits } from '../../src/trace/areas.ts'
import * as op from '../../src/trace/opcodes.ts'
import type { Operation, TraceProgram } from '../../src/trace/operations.ts'

interface Pte {
  writable: boolean
  /** An anonymous page, not the zero page and not a page of a file. */
  anonymous: boolean
}

interface Mm {
  areas: AreaMap
  ptes: Map<number, Pte>
}

/** Runs the operations in the order given; returns one result word for each, stream after stream. */
export function runReference(program: TraceProgram, sorted: Operation[]): Int32Array {
  const first: number[] = []
  let total = 0
  for (const stream of program.streams) {
    first.push(total)
    total += stream.operations.length
  }
  const results = new Int32Array(total)
  const mms: Mm[] = program.streams.map(() => ({ areas: new AreaMap(), ptes: new Map() }))
  for (const operation of sorted) {
    const mm = mms[operation.stream]!
    results[first[operation.stream]! + operation.index] = op.TRACE_RESULT_DONE
    switch (operation.kind) {
      case op.TRACE_TOUCH:
        results[first[operation.stream]! + operation.index] = touch(mm, operation)
        break
      case op.TRACE_EXEC:
        mms[operation.stream] = { areas: new AreaMap(), ptes: new Map() }
        break
      case op.TRACE_CLONE_THREAD:
      case op.TRACE_VFORK:
        mms[operation.child] = mm
        break
      case op.TRACE_FORK:
        mms[operation.child] = fork(mm)
        break
      case op.TRACE_MMAP: {
        const { page: start, pages, prot, flags, file, pgoff } = operation
        zap(mm, start, start + pages)
        mm.areas.map({ start, end: start + pages, prot, flags, file, pgoff, recordedAnonymous: false })
        break
      }
      case op.TRACE_MUNMAP:
        zap(mm, operation.page, operation.page + operation.pages)
        mm.areas.unmap(operation.page, operation.page + operation.pages)
        break
      case op.TRACE_MADVISE:
        zap(mm, operation.page, operation.page + operation.pages)
        break
      case op.TRACE_MPROTECT: {
        const end = operation.page + operation.pages
        if (mm.areas.holes(operation.page, end).length > 0)
          results[first[operation.stream]! + operation.index] = -12
        mm.areas.protect(operation.page, end, operation.prot)
        if ((operation.prot & 2) === 0) {
          for (const [page, pte] of mm.ptes) if (page >= operation.page && page < end) pte.writable = false
        }
        break
      }
      case op.TRACE_BRK:
        if (operation.page > operation.newPage) {
          const area = {
            start: operation.newPage,
            end: operation.page,
            prot: 3,
            flags: 0x22,
            file: -1,
            pgoff: 0,
          }
          mm.areas.map({ ...area, recordedAnonymous: false })
        } else {
          zap(mm, operation.page, operation.newPage)
          mm.areas.unmap(operation.page, operation.newPage)
        }
        break
      case op.TRACE_MREMAP: {
        const moved = [...mm.ptes].filter(
          ([page]) => page >= operation.page && page < operation.page + operation.pages,
        )
        for (const [page] of moved) mm.ptes.delete(page)
        zap(mm, operation.newPage, operation.newPage + operation.newPages)
        for (const [page, pte] of moved) {
          const offset = page - operation.page
          if (offset < operation.newPages) mm.ptes.set(operation.newPage + offset, pte)
        }
        mm.areas.remap(operation.page, operation.pages, operation.newPage, operation.newPages)
        break
      }
      default:
    }
  }
  return results
}

function touch(mm: Mm, operation: Operation): number {
  const area = mm.areas.find(operation.page)
  const write = operation.access === op.TRACE_WRITE
  const access = write ? 'write' : operation.access === op.TRACE_FETCH ? 'fetch' : 'read'
  if (!area || !permits(area.prot, access)) return op.TRACE_RESULT_SEGV
  const shared = (area.flags & MAP_SHARED) !== 0
  const pte = mm.ptes.get(operation.page)
  if (!pte) {
    mm.ptes.set(operation.page, {
      writable: shared ? (area.prot & 2) !== 0 : write,
      anonymous: write && !shared,
    })
    return op.TRACE_RESULT_ABSENT
  }
  if (!write || pte.writable) return op.TRACE_RESULT_NO_FAULT
  pte.writable = true
  pte.anonymous = !shared
  return op.TRACE_RESULT_PRESENT
}

function fork(mm: Mm): Mm {
  const child: Mm = { areas: mm.areas.clone(), ptes: new Map() }
  for (const area of mm.areas.areas) {
    if ((area.flags & MAP_SHARED) !== 0) continue
    const inside = [...pagesIn(mm, area.start, area.end)]
    // Without an anon_vma nothing is copied: the child faults again.
    if (!inside.some(([, pte]) => pte.anonymous)) continue
    for (const [page, pte] of inside) {
      pte.writable = false
      child.ptes.set(page, { ...pte })
    }
  }
  return child
}

function zap(mm: Mm, start: number, end: number): void {
  for (const [page] of [...pagesIn(mm, start, end)]) mm.ptes.delete(page)
}

function* pagesIn(mm: Mm, start: number, end: number): Generator<[number, Pte]> {
  if (end - start > mm.ptes.size) {
    for (const entry of mm.ptes) if (entry[0] >= start && entry[0] < end) yield entry
    return
  }
  for (let page = start; page < end; page++) {
    const pte = mm.ptes.get(page)
    if (pte) yield [page, pte]
  }
}
