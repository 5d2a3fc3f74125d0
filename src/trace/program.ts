// Recorded events -> a trace program: a stream of operations for every task, the address spaces behind them, and what
// is passed over. Walks the events twice: the first walk collects what no recorded call explains, the second starts
// each image with the areas inferred from that. What a call did is taken from its return value; it takes effect in the
// walk at its return.
//
// Orders the recording proves (TraceProgram.proven): a touch that lies between entry and return of another task's call
// on its page, and that only the state after (before) the call permits, comes after (before) it; an address that mmap
// chose was free, so a munmap of it that overlaps in time came before; a fork comes before a call of a sibling that
// returns after it.
//
// Leaves out: threads that lived before the recording began (each counts as a process of its own), the wait of a parent
// for its child.
import { MAP_PRIVATE, permits } from './areas.ts'
import type { Area } from './areas.ts'
import { callOperation, failedOperation } from './calls.ts'
import type { CallContext } from './calls.ts'
import { applyTo, choseAddress, NOTHING, overlap } from './effects.ts'
import { Files } from './files.ts'
import { foresee } from './foresight.ts'
import type { Foresight } from './foresight.ts'
import { rightsOf } from './infer.ts'
import type { ImageEvidence } from './infer.ts'
import {
  TRACE_BRK,
  TRACE_FETCH,
  TRACE_F_ANON,
  TRACE_F_PRESENT,
  TRACE_F_SEGV,
  TRACE_F_SIGBUS,
  TRACE_F_USER,
  TRACE_MMAP,
  TRACE_MREMAP,
  TRACE_MUNMAP,
  TRACE_READ,
  TRACE_TOUCH,
  TRACE_WRITE,
} from './opcodes.ts'
import { makeOperation, rangesOf, touchRow } from './operations.ts'
import type { Operation, TraceProgram } from './operations.ts'
import type { EnterEvent, FaultEvent, ReturnEvent, TraceEvent } from './parse.ts'
import { PassedOverTally } from './passed_over.ts'
import { Tasks } from './tasks.ts'
import type { Mm, Task } from './tasks.ts'

/** Pages below mmap_min_addr are never mapped: an access is a null pointer's. */
const LOWEST_PAGE = 16
/** Pages from here on are the kernel's (or vsyscall). */
const TASK_PAGES = 2 ** 35
/**
 * A larger hole under a call that succeeded is left as it is: the call will fail in the model, and the table says so.
 */
const LARGEST_HOLE = 2 ** 18

/** Builds the trace program of recorded events (in recorded order). */
export function buildProgram(events: TraceEvent[]): TraceProgram {
  const foresight = foresee(events)
  const evidence = new Walk(events, foresight, undefined)
  return new Walk(events, foresight, evidence.images).finish()
}

class Walk {
  #firstWalk: boolean
  #foresight: Foresight
  #files = new Files()
  #passedOver = new PassedOverTally()
  #tasks: Tasks
  #unknown = new Map<string, number>()
  #pendingByEnter = new Map<ReturnEvent, { operation: Operation; mm: Mm }>()
  #lastLine = 0

  constructor(events: TraceEvent[], foresight: Foresight, inferred: ImageEvidence[] | undefined) {
    this.#foresight = foresight
    this.#firstWalk = inferred === undefined
    this.#tasks = new Tasks(this.#files, this.#passedOver, inferred)
    for (const event of events) {
      this.#lastLine = event.line
      const exec = foresight.execAt.get(event)
      if (exec) this.#tasks.exec(event.tid, event.line, exec)
      switch (event.type) {
        case 'fault':
          this.#fault(event)
          break
        case 'enter':
          this.#enter(event)
          break
        case 'return':
          this.#return(event)
          break
        case 'clone':
          this.#tasks.clone(event)
          break
        case 'exit':
          this.#tasks.exit(event.tid, event.line, 0)
          break
        case 'unknown':
          this.#unknown.set(event.name, (this.#unknown.get(event.name) ?? 0) + 1)
          break
        case 'exec':
      }
    }
  }

  get images(): ImageEvidence[] {
    return this.#tasks.images
  }

  finish(): TraceProgram {
    const { images, streams, proven, mms } = this.#tasks
    this.#tasks.exitAll(this.#lastLine)
    for (const image of images) image.exec.page = Math.max(image.brkStart, 0)
    for (let stream = 0; stream < streams.length; stream++) {
      const operations = streams[stream]!.operations
      for (let index = 0; index < operations.length; index++) {
        operations[index]!.stream = stream
        operations[index]!.index = index
      }
    }
    return {
      streams,
      files: this.#files.all,
      passedOver: this.#passedOver.all,
      unknownEvents: this.#unknown,
      proven,
      mms,
    }
  }

  #fault(event: FaultEvent): void {
    const code = event.errorCode
    const access = (code & 16) !== 0 ? TRACE_FETCH : (code & 2) !== 0 ? TRACE_WRITE : TRACE_READ
    const present = (code & 1) !== 0
    const task = this.#tasks.get(event.tid, event.line)
    if (!task) {
      this.#passedOver.add(touchRow(present, access), 'its task has exited before')
      return
    }
    const page = Math.floor(event.address / 4096)
    if (page >= TASK_PAGES) {
      this.#passedOver.add(touchRow(present, access), "an address of the kernel's")
      return
    }
    const operation = makeOperation(TRACE_TOUCH, event.line, {
      bits: (present ? TRACE_F_PRESENT : 0) | ((code & 4) !== 0 ? TRACE_F_USER : 0),
      page,
      offset: Math.floor((event.address % 4096) / 4),
      access,
    })
    const area = this.#areaForTouch(task, operation)
    if (area?.recordedAnonymous) operation.bits |= TRACE_F_ANON
    operation.apart = area?.apart ?? ''
    this.#tasks.push(task, operation)
  }

  /** The area a touch falls into. Infers one if there is none, marks the touch when the recording itself forbids it. */
  #areaForTouch(task: Task, touch: Operation): Area | undefined {
    const { mm } = task
    const access = touch.access === TRACE_WRITE ? 'write' : touch.access === TRACE_FETCH ? 'fetch' : 'read'
    const area = mm.areas.find(touch.page)
    const permitted = area !== undefined && permits(area.prot, access)
    for (const call of mm.pending) {
      if (!rangesOf(call).some(([start, end]) => touch.page >= start && touch.page < end)) continue
      const after = mm.areas.clone()
      applyTo(after, call)
      const later = after.find(touch.page)
      const permittedLater = later !== undefined && permits(later.prot, access)
      if (permitted && !permittedLater) this.#tasks.proven.push({ before: touch, after: call })
      if (!permitted && permittedLater) {
        this.#tasks.proven.push({ before: call, after: touch })
        return later
      }
    }
    if (permitted) {
      if (this.#isBehindEnd(area, touch.page)) touch.bits |= TRACE_F_SIGBUS
      return area
    }
    const rights = access === 'write' ? 2 : access === 'fetch' ? 4 : 1
    if (area || touch.page < LOWEST_PAGE) {
      touch.bits |= TRACE_F_SEGV
      return area
    }
    return this.#infer(task, touch.page, touch.page + 1, rights, touch.line)
  }

  /** Whether the page of shared anonymous memory is none of its object's. */
  #isBehindEnd({ file, start, pgoff }: Area, page: number): boolean {
    const object = this.#files.all[file]
    return object?.shmem === true && pgoff + page - start >= object.pages
  }

  /**
   * No call explains that these pages are mapped: the image had them, or (where a call unmapped them) something came
   * since.
   */
  #infer(task: Task, start: number, end: number, rights: number, line: number): Area | undefined {
    const { mm } = task
    if (this.#firstWalk && !mm.unmapped.intersects(start, end)) {
      const { touched } = mm.image
      for (let page = start; page < end; page++) touched.set(page, (touched.get(page) ?? 0) | rights)
      return undefined
    }
    const area: Area = {
      start,
      end,
      prot: rightsOf(rights),
      flags: MAP_PRIVATE,
      file: this.#files.id(`${mm.image.name} at ${start}`),
      pgoff: 0,
      recordedAnonymous: false,
    }
    this.#tasks.push(task, this.#tasks.mapArea(mm, area, line))
    return area
  }

  #enter(event: EnterEvent): void {
    const result = this.#foresight.returnOf.get(event)
    const task = this.#tasks.get(event.tid, event.line)
    if (!task) {
      this.#passedOver.add(event.call, 'its task has exited before')
    } else if (!result) {
      this.#passedOver.add(event.call, 'its return was not recorded')
    } else {
      const context: CallContext = {
        mm: task.mm,
        files: this.#files,
        passedOver: this.#passedOver,
        firstWalk: this.#firstWalk,
        mustExist: (start, end) => this.#mustExist(task, start, end, event.line),
      }
      const errno = result.value < 0 && result.value > -4096 ? -result.value : 0
      const operation =
        errno === 0 ? callOperation(event, result, context) : failedOperation(event, errno, context)
      if (!operation) {
        if (errno !== 0) this.#passedOver.add(event.call, `it failed with errno ${errno}`)
        return
      }
      operation.endLine = result.line
      this.#tasks.push(task, operation)
      for (const other of task.mm.pending) {
        const frees = other.kind === TRACE_MUNMAP || other.kind === TRACE_MREMAP
        if (!frees || !choseAddress(operation) || !overlap(other, operation)) continue
        this.#tasks.proven.push({ before: other, after: operation })
        this.#takeEffect(other, task.mm)
      }
      task.mm.pending.add(operation)
      this.#pendingByEnter.set(result, { operation, mm: task.mm })
    }
  }

  #return(event: ReturnEvent): void {
    const pending = this.#pendingByEnter.get(event)
    if (!pending) return
    const { operation, mm } = pending
    this.#pendingByEnter.delete(event)
    if (mm.pending.has(operation)) this.#takeEffect(operation, mm)
  }

  #takeEffect(operation: Operation, mm: Mm): void {
    mm.pending.delete(operation)
    applyTo(mm.areas, operation)
    for (const [start, end] of rangesOf(operation)) {
      const maps =
        operation.kind === TRACE_MMAP || operation.kind === TRACE_BRK || operation.kind === TRACE_MREMAP
      if (maps && operation.errno === 0) {
        for (const piece of mm.areas.pieces(start, end)) mm.image.recorded.map(piece)
      }
      // Where another call failed nothing was unmapped.
      if (operation.errno !== 0 && operation.kind !== TRACE_MREMAP) continue
      for (const [first, last] of mm.areas.holes(start, end))
        mm.unmapped.map({ ...NOTHING, start: first, end: last })
    }
  }

  /** A call that succeeded on this range found all of it mapped. */
  #mustExist(task: Task, start: number, end: number, line: number): void {
    for (const [first, last] of task.mm.areas.holes(start, end)) {
      const pending = [...task.mm.pending].some((call) =>
        rangesOf(call).some(([from, to]) => from < last && first < to),
      )
      if (!pending && last - first <= LARGEST_HOLE) this.#infer(task, first, last, 0, line)
    }
  }
}
