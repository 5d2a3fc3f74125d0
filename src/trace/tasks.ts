// The tasks of a recording and their address spaces: how clone, exec and exit make and end them, and the streams of
// operations that come of it. Leaves out what happens inside an address space: program.ts.
import { AreaMap, MAP_FIXED } from './areas.ts'
import type { Area } from './areas.ts'
import type { Files } from './files.ts'
import { inferAreas } from './infer.ts'
import type { ImageEvidence } from './infer.ts'
import {
  TRACE_CLONE_THREAD,
  TRACE_EXEC,
  TRACE_EXIT,
  TRACE_FORK,
  TRACE_F_IMPLIED,
  TRACE_MMAP,
  TRACE_VFORK,
} from './opcodes.ts'
import { makeOperation } from './operations.ts'
import type { Operation, Stream, TraceProgram } from './operations.ts'
import type { CloneEvent, ExecEvent } from './parse.ts'
import type { PassedOverTally } from './passed_over.ts'

const CLONE_VM = 0x100
const CLONE_VFORK = 0x4000

/** What is known of an image, and the operation that starts it. */
export interface Image extends ImageEvidence {
  exec: Operation
}

/** An address space as the walk has followed it so far. */
export interface Mm {
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

export interface Task {
  stream: number
  mm: Mm
  exited: boolean
}

/** All tasks of a walk. */
export class Tasks {
  /** In the order in which they begin, which is the same in every walk. */
  readonly images: Image[] = []
  readonly streams: Stream[] = []
  readonly proven: TraceProgram['proven'] = []
  /** Address spaces made so far. */
  mms = 0
  #byTid = new Map<number, Task>()
  #inferred: ImageEvidence[] | undefined
  #files: Files
  #passedOver: PassedOverTally

  /** @param inferred the images of an earlier walk, which this one starts with the areas inferred from them */
  constructor(files: Files, passedOver: PassedOverTally, inferred: ImageEvidence[] | undefined) {
    this.#files = files
    this.#passedOver = passedOver
    this.#inferred = inferred
  }

  /** The task of this id; one that nobody recorded starting begins here. Undefined after its exit. */
  get(tid: number, line: number): Task | undefined {
    let task = this.#byTid.get(tid)
    if (!task) {
      const stream = this.#newStream(tid, undefined)
      task = { stream, mm: this.#newImage(stream, `task ${tid}`, line, TRACE_F_IMPLIED), exited: false }
      this.#byTid.set(tid, task)
    }
    return task.exited ? undefined : task
  }

  /** Appends an operation to the task's stream. */
  push(task: Task, operation: Operation): Operation {
    operation.mm = task.mm.id
    this.streams[task.stream]!.operations.push(operation)
    return operation
  }

  /** Maps an area that no call made; the operation that does is the caller's to append. */
  mapArea(mm: Mm, area: Area, line: number): Operation {
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

  /** The task executes another program from this line on. */
  exec(tid: number, line: number, exec: ExecEvent): void {
    // A thread that execs takes over its leader's id.
    if (exec.oldPid !== exec.pid && this.#byTid.has(exec.oldPid)) {
      this.#byTid.set(tid, this.#byTid.get(exec.oldPid)!)
      this.#byTid.delete(exec.oldPid)
    }
    const task = this.#byTid.get(tid)
    if (task && !task.exited) {
      task.mm = this.#newImage(task.stream, exec.filename, line, 0)
      return
    }
    const stream = this.#newStream(tid, undefined)
    this.#byTid.set(tid, { stream, mm: this.#newImage(stream, exec.filename, line, 0), exited: false })
  }

  /** Ends a task. */
  exit(tid: number, line: number, bits: number): void {
    const task = this.get(tid, line)
    if (!task) return
    this.push(task, makeOperation(TRACE_EXIT, line, { bits }))
    task.exited = true
  }

  /** Ends the tasks that are left, at this line. */
  exitAll(line: number): void {
    for (const [tid, task] of this.#byTid) if (!task.exited) this.exit(tid, line, TRACE_F_IMPLIED)
  }

  /** A task starts another one. */
  clone(event: CloneEvent): void {
    const task = this.get(event.tid, event.line)
    if (!task) {
      this.#passedOver.add('clone', 'its task has exited before')
      return
    }
    const shares = (event.cloneFlags & CLONE_VM) !== 0
    const kind = !shares
      ? TRACE_FORK
      : (event.cloneFlags & CLONE_VFORK) !== 0
        ? TRACE_VFORK
        : TRACE_CLONE_THREAD
    const operation = this.push(task, makeOperation(kind, event.line))
    const old = this.#byTid.get(event.child)
    if (old) {
      // The pid is used again, so its former task has ended, whether its exit was recorded or not.
      if (!old.exited) this.exit(event.child, event.line, TRACE_F_IMPLIED)
      const operations = this.streams[old.stream]!.operations
      operation.after.push(operations[operations.length - 1]!)
    }
    operation.child = this.#newStream(event.child, operation)
    let mm = task.mm
    if (!shares) {
      for (const call of mm.pending) this.proven.push({ before: operation, after: call })
      mm = {
        ...mm,
        id: this.mms++,
        areas: mm.areas.clone(),
        unmapped: mm.unmapped.clone(),
        descriptors: new Map(mm.descriptors),
        pending: new Set(),
      }
    }
    this.#byTid.set(event.child, { stream: operation.child, mm, exited: false })
  }

  #newStream(tid: number, startedBy: Operation | undefined): number {
    this.streams.push({ tid, startedBy, operations: [] })
    return this.streams.length - 1
  }

  /** A new address space with the areas inferred for it; its operations go to the stream. */
  #newImage(stream: number, name: string, line: number, bits: number): Mm {
    const mm: Mm = {
      id: this.mms++,
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
    this.streams[stream]!.operations.push(mm.image.exec)
    const evidence = this.#inferred?.[this.images.length]
    this.images.push(mm.image)
    if (evidence) {
      mm.image.brkStart = mm.brk = evidence.brkStart
      for (const area of inferAreas(evidence, (key) => this.#files.id(key))) {
        this.streams[stream]!.operations.push(this.mapArea(mm, area, line))
      }
    }
    return mm
  }
}
