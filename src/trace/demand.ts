// What a replay needs of a machine: modelled memory and page tables, counted along the recorded order. The replay's own
// order is looser, so more may live at once in it: callers leave room. Leaves out VMAs and the objects of reverse maps.
import { UsageError } from '../base/errors.ts'
import { MODEL_LIMITS } from './limits.ts'
import {
  TRACE_CLONE_THREAD,
  TRACE_EXEC,
  TRACE_EXIT,
  TRACE_FORK,
  TRACE_F_ANON,
  TRACE_MADVISE,
  TRACE_MMAP,
  TRACE_TOUCH,
  TRACE_VFORK,
} from './opcodes.ts'
import { recordedOrder } from './operations.ts'
import { ADVICE_POPULATE_READ, ADVICE_POPULATE_WRITE } from './advice.ts'
import { MAP_POPULATE } from './areas.ts'
import type { Operation, TraceProgram } from './operations.ts'

/** Numbers at the moment that has most of them. */
export interface TraceDemand {
  /** Pages, those of page tables included. */
  pages: number
  /** Pages that the replay would take if no address space were ever given back. */
  allPages: number
}

const PAGE_BYTES = 4096
const MIB = 2 ** 20
const LEAST_MEMORY = 256 * MIB
const MOST_MEMORY = 4096 * MIB
/** How much more than in the recorded order may live at once: a parent does not wait for its children in a replay. */
const LOOSENESS = 4
/** Even the recorded order leaves pages on per-CPU lists and below the watermarks. */
const RESERVE = 1.25

class AddressSpace {
  users = 1
  /** Pages and tables: its own and what it may have inherited. */
  pages = 0
  tables = 1
  #touched = new Set<number>()
  /** Page-table pages by level, each told by the first address it covers. */
  #covered: Set<number>[]

  constructor(levels: number) {
    this.#covered = Array.from({ length: levels - 1 }, () => new Set<number>())
  }

  touch(page: number, ptrsPerTable: number): void {
    if (this.#touched.has(page)) return
    this.#touched.add(page)
    this.pages++
    let at = page
    for (const level of this.#covered) {
      at = Math.floor(at / ptrsPerTable)
      if (level.has(at)) return
      level.add(at)
      this.tables++
    }
  }

  /** After a fork the parent may write everything, and so may the child. */
  inherit(parent: AddressSpace): void {
    this.pages = parent.pages
    this.tables = parent.tables
  }
}

/**
 * Counts what a trace program needs.
 * @param ptrsPerTable entries of a page table
 * @param levels levels of page tables
 */
export function traceDemand(program: TraceProgram, ptrsPerTable: number, levels: number): TraceDemand {
  const demand: TraceDemand = { pages: 0, allPages: 0 }
  const live = new Set<AddressSpace>()
  const of: (AddressSpace | undefined)[] = program.streams.map(() => undefined)
  // Pages of files stay until the end; how many are touched at most is known from two sides.
  const mapped = program.files.reduce((sum, { pages }) => sum + pages, 0)
  let fileTouches = 0

  const peak = (): void => {
    let pages = Math.min(fileTouches, mapped)
    for (const mm of live) {
      pages += mm.pages + mm.tables
    }
    demand.pages = Math.max(demand.pages, pages)
  }
  const drop = (stream: number): void => {
    const mm = of[stream]
    of[stream] = undefined
    if (!mm || --mm.users > 0) return
    // Only here do the numbers fall.
    peak()
    demand.allPages += mm.pages + mm.tables
    live.delete(mm)
  }
  const create = (stream: number): AddressSpace => {
    const mm = new AddressSpace(levels)
    of[stream] = mm
    live.add(mm)
    return mm
  }

  for (const operation of recordedOrder(program)) {
    const mm = of[operation.stream]
    switch (operation.kind) {
      case TRACE_TOUCH:
        if ((operation.bits & TRACE_F_ANON) === 0) fileTouches++
        mm?.touch(operation.page, ptrsPerTable)
        break
      case TRACE_MMAP:
      case TRACE_MADVISE:
        if (!populates(operation)) break
        for (let page = operation.page; page < operation.page + operation.pages; page++)
          mm?.touch(page, ptrsPerTable)
        break
      case TRACE_EXEC:
        drop(operation.stream)
        create(operation.stream)
        break
      case TRACE_FORK:
        if (mm) create(operation.child).inherit(mm)
        break
      case TRACE_CLONE_THREAD:
      case TRACE_VFORK:
        if (mm) mm.users++
        of[operation.child] = mm
        break
      case TRACE_EXIT:
        drop(operation.stream)
        break
      default:
    }
  }
  peak()
  demand.allPages += Math.min(fileTouches, mapped)
  return demand
}

/** Whether a call makes all pages of its range present. */
function populates({ kind, flags, prot }: Operation): boolean {
  if (kind === TRACE_MMAP) return (flags & MAP_POPULATE) !== 0 && prot !== 0
  return prot === ADVICE_POPULATE_READ || prot === ADVICE_POPULATE_WRITE
}

/**
 * MEMORY for a replay, as the configuration takes it (`512M`): the default unless the recording needs more.
 * @throws UsageError when no machine has room for the recording
 */
export function memoryFor(demand: TraceDemand): string {
  const need = demand.pages * RESERVE * PAGE_BYTES
  if (need > MOST_MEMORY)
    throw new UsageError(
      `The trace needs about ${Math.ceil(need / MIB)}M of modelled memory, a machine has at most ` +
        `${MOST_MEMORY / MIB}M: replay a shorter recording.`,
    )
  const all = demand.allPages * RESERVE * PAGE_BYTES
  const wanted = Math.min(all, need * LOOSENESS, MOST_MEMORY)
  let memory = LEAST_MEMORY
  while (memory < wanted) memory *= 2
  return `${memory / MIB}M`
}

/** Throws UsageError when the model has too few objects for the recording's files, whatever its memory. */
export function checkFiles(program: TraceProgram): void {
  const { NR_ADDRESS_SPACES, XA_INDICES } = MODEL_LIMITS
  const largest = program.files.reduce((most, { pages }) => Math.max(most, pages), 0)
  if (program.files.length > NR_ADDRESS_SPACES)
    throw new UsageError(
      `The trace maps ${program.files.length} files, the model has room for ${NR_ADDRESS_SPACES}: ` +
        'replay a shorter recording.',
    )
  if (largest > XA_INDICES)
    throw new UsageError(
      `The trace maps ${largest} pages of one file, the model's files have at most ${XA_INDICES} (1 GiB).`,
    )
}
