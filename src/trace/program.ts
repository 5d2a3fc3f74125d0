// Recorded events -> a trace program: a stream of operations for every task, the address spaces behind them, and what is passed over.
// Walks the events twice: the first walk collects what no recorded call explains, the second starts each image with the areas inferred
// from that. What a call did is taken from its return value; it takes effect in the walk at its return.
//
// Orders the recording proves (TraceProgram.proven): a touch that lies between entry and return of another task's call on its page, and
// that only the state after (before) the call permits, comes after (before) it; an address that mmap chose was free, so a munmap of
// it that overlaps in time came before; a fork comes before a call of a sibling that returns after it.
//
// Leaves out: threads that lived before the recording began (each counts as a process of its own), the wait of a parent for its child.
import {
  AreaMap,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_FIXED_NOREPLACE,
  MAP_PRIVATE,
  MAP_SHARED,
  permits,
} from './areas.ts'
import type { Area } from './areas.ts'
import { applyTo, choseAddress, NOTHING, overlap } from './effects.ts'
import { Files } from './files.ts'
import { foresee } from './foresight.ts'
import type { Foresight } from './foresight.ts'
import { inferAreas, rightsOf } from './infer.ts'
import type { ImageEvidence } from './infer.ts'
import {
  TRACE_ADVICE_DONTNEED,
  TRACE_BRK,
  TRACE_CLONE_THREAD,
  TRACE_EXEC,
  TRACE_EXIT,
  TRACE_FETCH,
  TRACE_FORK,
  TRACE_F_ANON,
  TRACE_F_IMPLIED,
  TRACE_F_PRESENT,
  TRACE_F_SEGV,
  TRACE_F_USER,
  TRACE_MADVISE,
  TRACE_MMAP,
  TRACE_MPROTECT,
  TRACE_MREMAP,
  TRACE_MUNMAP,
  TRACE_READ,
  TRACE_TOUCH,
  TRACE_VFORK,
  TRACE_WRITE,
} from './opcodes.ts'
import { makeOperation, rangesOf, touchRow } from './operations.ts'
import type { Operation, PassedOver, Stream, TraceProgram } from './operations.ts'
import type { CloneEvent, EnterEvent, ExecEvent, FaultEvent, ReturnEvent, TraceEvent } from './parse.ts'

const CLONE_VM = 0x100
const CLONE_VFORK = 0x4000
const MREMAP_DONTUNMAP = 4
/** Pages below mmap_min_addr are never mapped: an access is a null pointer's. */
const LOWEST_PAGE = 16
/** Pages from here on are the kernel's (or vsyscall). */
const TASK_PAGES = 2 ** 35
/** A larger hole under a call that succeeded is left as it is: the call will fail in the model, and the table says so. */
const LARGEST_HOLE = 2 ** 18
const ADVICE: Record<number, string> = {
  8: 'MADV_FREE',
  14: 'MADV_HUGEPAGE',
  15: 'MADV_NOHUGEPAGE',
  16: 'MADV_DONTDUMP',
}

interface Image extends ImageEvidence {
  exec: Operation
}

interface Mm {
  id: number
  image: Image
  areas: AreaMap
  /** What recorded calls have unmapped: a touch there is not explained by the image. */
  unmapped: AreaMap
  /** End of the heap in pages; -1 when unknown. */
  brk: number
  /** Which file a descriptor stands for, from its last mmap without MAP_FIXED. */
  descriptors: Map<number, number>
  /** Map changes entered but not returned. */
  pending: Set<Operation>
}

interface Task {
  stream: number
  mm: Mm
  exited: boolean
}

/** Builds the trace program of recorded events (in recorded order). */
export function buildProgram(events: TraceEvent[]): TraceProgram {
  const foresight = foresee(events)
  const evidence = new Walk(events, foresight, undefined)
  return new Walk(events, foresight, evidence.images).finish()
}

class Walk {
  images: Image[] = []
  #inferred: ImageEvidence[] | undefined
  #foresight: Foresight
  #tasks = new Map<number, Task>()
  #streams: Stream[] = []
  #mms = 0
  #files = new Files()
  #proven: TraceProgram['proven'] = []
  #passedOver = new Map<string, PassedOver>()
  #unknown = new Map<string, number>()
  #pendingByEnter = new Map<ReturnEvent, { operation: Operation; mm: Mm }>()
  #lastLine = 0

  constructor(events: TraceEvent[], foresight: Foresight, inferred: ImageEvidence[] | undefined) {
    this.#foresight = foresight
    this.#inferred = inferred
    for (const event of events) {
      this.#lastLine = event.line
      const exec = foresight.execAt.get(event)
      if (exec) this.#exec(event.tid, event.line, exec)
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
          this.#clone(event)
          break
        case 'exit':
          this.#exit(event.tid, event.line, 0)
          break
        case 'unknown':
          this.#unknown.set(event.name, (this.#unknown.get(event.name) ?? 0) + 1)
          break
        case 'exec':
      }
    }
  }

  finish(): TraceProgram {
    for (const [tid, task] of this.#tasks) {
      if (!task.exited) this.#exit(tid, this.#lastLine, TRACE_F_IMPLIED)
    }
    for (const image of this.images) image.exec.page = Math.max(image.brkStart, 0)
    for (let stream = 0; stream < this.#streams.length; stream++) {
      const operations = this.#streams[stream]!.operations
      for (let index = 0; index < operations.length; index++) {
        operations[index]!.stream = stream
        operations[index]!.index = index
      }
    }
    return {
      streams: this.#streams,
      files: this.#files.all,
      passedOver: [...this.#passedOver.values()],
      unknownEvents: this.#unknown,
      proven: this.#proven,
      mms: this.#mms,
    }
  }

  #passOver(what: string, why: string): void {
    const key = `${what}\n${why}`
    const entry = this.#passedOver.get(key)
    if (entry) entry.count++
    else this.#passedOver.set(key, { what, why, count: 1 })
  }

  /** The task of this id; one that nobody recorded starting begins here. Undefined after its exit. */
  #task(tid: number, line: number): Task | undefined {
    let task = this.#tasks.get(tid)
    if (!task) {
      const stream = this.#newStream(tid, undefined)
      task = { stream, mm: this.#newImage(stream, `task ${tid}`, line, TRACE_F_IMPLIED), exited: false }
      this.#tasks.set(tid, task)
    }
    return task.exited ? undefined : task
  }

  #newStream(tid: number, startedBy: Operation | undefined): number {
    this.#streams.push({ tid, startedBy, operations: [] })
    return this.#streams.length - 1
  }

  #push(task: Task, operation: Operation): Operation {
    operation.mm = task.mm.id
    this.#streams[task.stream]!.operations.push(operation)
    return operation
  }

  /** A new address space with the areas inferred for it; its operations go to the stream. */
  #newImage(stream: number, name: string, line: number, bits: number): Mm {
    const mm: Mm = {
      id: this.#mms++,
      image: {
        name,
        touched: new Map(),
        recorded: new AreaMap(),
        brkStart: -1,
        exec: makeOperation(TRACE_EXEC, line, { bits }),
      },
      areas: new AreaMap(),
      unmapped: new AreaMap(),
      brk: -1,
      descriptors: new Map(),
      pending: new Set(),
    }
    mm.image.exec.mm = mm.id
    this.#streams[stream]!.operations.push(mm.image.exec)
    const evidence = this.#inferred?.[this.images.length]
    this.images.push(mm.image)
    if (evidence) {
      mm.image.brkStart = mm.brk = evidence.brkStart
      for (const area of inferAreas(evidence, (key) => this.#files.id(key))) {
        this.#streams[stream]!.operations.push(this.#mapOperation(mm, area, line))
      }
    }
    return mm
  }

  /** Maps an area that no call made. */
  #mapOperation(mm: Mm, area: Area, line: number): Operation {
    mm.areas.map(area)
    const { start, end, prot, flags, file, pgoff } = area
    this.#files.grow(file, pgoff + end - start)
    const operation = makeOperation(TRACE_MMAP, line, {
      bits: TRACE_F_IMPLIED,
      page: start,
      pages: end - start,
    })
    return Object.assign(operation, { mm: mm.id, prot, flags: flags | MAP_FIXED, file, pgoff })
  }

  #exec(tid: number, line: number, exec: ExecEvent): void {
    // A thread that execs takes over its leader's id.
    if (exec.oldPid !== exec.pid && this.#tasks.has(exec.oldPid)) {
      this.#tasks.set(tid, this.#tasks.get(exec.oldPid)!)
      this.#tasks.delete(exec.oldPid)
    }
    const task = this.#tasks.get(tid)
    if (task && !task.exited) {
      task.mm = this.#newImage(task.stream, exec.filename, line, 0)
      return
    }
    const stream = this.#newStream(tid, undefined)
    this.#tasks.set(tid, { stream, mm: this.#newImage(stream, exec.filename, line, 0), exited: false })
  }

  #exit(tid: number, line: number, bits: number): void {
    const task = this.#task(tid, line)
    if (!task) return
    this.#push(task, makeOperation(TRACE_EXIT, line, { bits }))
    task.exited = true
  }

  #clone(event: CloneEvent): void {
    const task = this.#task(event.tid, event.line)
    if (!task) {
      this.#passOver('clone', 'its task has exited before')
      return
    }
    const shares = (event.cloneFlags & CLONE_VM) !== 0
    const kind = !shares
      ? TRACE_FORK
      : (event.cloneFlags & CLONE_VFORK) !== 0
        ? TRACE_VFORK
        : TRACE_CLONE_THREAD
    const operation = this.#push(task, makeOperation(kind, event.line))
    const old = this.#tasks.get(event.child)
    if (old) {
      // The pid is used again, so its former task has ended, whether its exit was recorded or not.
      if (!old.exited) this.#exit(event.child, event.line, TRACE_F_IMPLIED)
      const operations = this.#streams[old.stream]!.operations
      operation.after.push(operations[operations.length - 1]!)
    }
    operation.child = this.#newStream(event.child, operation)
    let mm = task.mm
    if (!shares) {
      for (const call of mm.pending) this.#proven.push({ before: operation, after: call })
      mm = {
        ...mm,
        id: this.#mms++,
        areas: mm.areas.clone(),
        unmapped: mm.unmapped.clone(),
        descriptors: new Map(mm.descriptors),
        pending: new Set(),
      }
    }
    this.#tasks.set(event.child, { stream: operation.child, mm, exited: false })
  }

  #fault(event: FaultEvent): void {
    const code = event.errorCode
    const access = (code & 16) !== 0 ? TRACE_FETCH : (code & 2) !== 0 ? TRACE_WRITE : TRACE_READ
    const present = (code & 1) !== 0
    const task = this.#task(event.tid, event.line)
    if (!task) {
      this.#passOver(touchRow(present, access), 'its task has exited before')
      return
    }
    const page = Math.floor(event.address / 4096)
    if (page >= TASK_PAGES) {
      this.#passOver(touchRow(present, access), "an address of the kernel's")
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
    this.#push(task, operation)
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
      if (permitted && !permittedLater) this.#proven.push({ before: touch, after: call })
      if (!permitted && permittedLater) {
        this.#proven.push({ before: call, after: touch })
        return later
      }
    }
    if (permitted) return area
    const rights = access === 'write' ? 2 : access === 'fetch' ? 4 : 1
    if (area || touch.page < LOWEST_PAGE) {
      touch.bits |= TRACE_F_SEGV
      return area
    }
    return this.#infer(task, touch.page, touch.page + 1, rights, touch.line)
  }

  /** No call explains that these pages are mapped: the image had them, or (where a call unmapped them) something came since. */
  #infer(task: Task, start: number, end: number, rights: number, line: number): Area | undefined {
    const { mm } = task
    if (!this.#inferred && !mm.unmapped.intersects(start, end)) {
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
    this.#push(task, this.#mapOperation(mm, area, line))
    return area
  }

  #enter(event: EnterEvent): void {
    const result = this.#foresight.returnOf.get(event)
    const task = this.#task(event.tid, event.line)
    if (!task) {
      this.#passOver(event.call, 'its task has exited before')
    } else if (!result) {
      this.#passOver(event.call, 'its return was not recorded')
    } else if (result.value < 0 && result.value > -4096) {
      this.#passOver(event.call, `it failed with errno ${-result.value}`)
    } else {
      const operation = this.#callOperation(event, result, task)
      if (!operation) return
      operation.endLine = result.line
      this.#push(task, operation)
      for (const other of task.mm.pending) {
        const frees = other.kind === TRACE_MUNMAP || other.kind === TRACE_MREMAP
        if (!frees || !choseAddress(operation) || !overlap(other, operation)) continue
        this.#proven.push({ before: other, after: operation })
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
      if (operation.kind === TRACE_MMAP || operation.kind === TRACE_BRK || operation.kind === TRACE_MREMAP) {
        for (const piece of mm.areas.pieces(start, end)) mm.image.recorded.map(piece)
      }
      for (const [first, last] of mm.areas.holes(start, end))
        mm.unmapped.map({ ...NOTHING, start: first, end: last })
    }
  }

  /** The operation of a call that succeeded; undefined when there is nothing to replay. */
  #callOperation(event: EnterEvent, result: ReturnEvent, task: Task): Operation | undefined {
    const given = event.arguments
    const line = event.line
    const { mm } = task
    switch (event.call) {
      case 'mmap':
        return this.#mmap(event, result, mm)
      case 'munmap':
        return makeOperation(TRACE_MUNMAP, line, {
          page: pageOf(given['addr']!),
          pages: pagesIn(given['len']!),
        })
      case 'mprotect': {
        const page = pageOf(given['start']!)
        const pages = pagesIn(given['len']!)
        if (pages === 0) return undefined
        this.#mustExist(task, page, page + pages, line)
        return makeOperation(TRACE_MPROTECT, line, { page, pages, prot: given['prot']! & 7 })
      }
      case 'mremap': {
        const page = pageOf(given['addr']!)
        const pages = pagesIn(given['old_len']!)
        if (pages === 0 || (given['flags']! & MREMAP_DONTUNMAP) !== 0) {
          this.#passOver(
            'mremap',
            pages === 0 ? 'old length 0 is not modelled' : 'MREMAP_DONTUNMAP is not modelled',
          )
          return undefined
        }
        this.#mustExist(task, page, page + pages, line)
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
        return this.#brk(event, result, mm)
      case 'madvise': {
        const advice = given['behavior']!
        const page = pageOf(given['start']!)
        const pages = pagesIn(given['len_in']!)
        if (advice !== TRACE_ADVICE_DONTNEED) {
          this.#passOver('madvise', `${ADVICE[advice] ?? `advice ${advice}`} is not modelled`)
          return undefined
        }
        if (pages === 0) return undefined
        this.#mustExist(task, page, page + pages, line)
        return makeOperation(TRACE_MADVISE, line, { page, pages, prot: advice })
      }
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

  #mmap(event: EnterEvent, result: ReturnEvent, mm: Mm): Operation {
    const given = event.arguments
    const flags = given['flags']!
    const page = pageOf(result.value)
    const pages = pagesIn(given['len']!)
    const anonymous = (flags & MAP_ANONYMOUS) !== 0
    const fixed = (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) !== 0
    const pgoff = anonymous ? 0 : pageOf(given['off']!)
    let file = -1
    if (anonymous && (flags & MAP_SHARED) !== 0) {
      file = this.#files.id(`shmem ${event.line}`, true)
    } else if (!anonymous) {
      // Which file a descriptor stands for is not recorded. A loader maps a whole file first and then its segments over that, so
      // a mapping at a free address starts a file, told by its length: the same library in two processes is one file.
      const descriptor = given['fd']!
      const known = mm.descriptors.get(descriptor)
      file = fixed && known !== undefined ? known : this.#files.id(`file ${given['len']} ${pgoff}`)
      mm.descriptors.set(descriptor, file)
    }
    this.#files.grow(file, pgoff + pages)
    return makeOperation(TRACE_MMAP, event.line, {
      page,
      pages,
      prot: given['prot']! & 7,
      flags,
      file,
      pgoff,
    })
  }

  #brk(event: EnterEvent, result: ReturnEvent, mm: Mm): Operation | undefined {
    const asked = event.arguments['brk']!
    const end = Math.ceil(result.value / 4096)
    if (mm.brk < 0) {
      if (asked !== 0) this.#passOver('brk', 'where the heap began was not recorded')
      mm.brk = end
      if (asked === 0 || this.#inferred) mm.image.brkStart = end
      return undefined
    }
    if (asked !== 0 && asked !== result.value) this.#passOver('brk', 'it failed')
    if (asked !== result.value || end === mm.brk) return undefined
    if (end < mm.image.brkStart) {
      this.#passOver('brk', 'it ends below where the heap began')
      return undefined
    }
    const operation = makeOperation(TRACE_BRK, event.line, { page: end, newPage: mm.brk })
    mm.brk = end
    return operation
  }
}

function pageOf(address: number): number {
  return Math.floor(address / 4096)
}

function pagesIn(bytes: number): number {
  return Math.ceil(bytes / 4096)
}
