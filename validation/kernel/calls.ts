// Seeded random sequences of calls on address spaces, for the model and the machine's kernel alike. Pages count from a
// base. Leaves out what the two need not agree on: where a mapping goes that may go anywhere.
import * as layout from './layout.ts'

export interface Call {
  readonly process: number
  /** CALL_… of layout.ts. */
  readonly kind: number
  readonly args: readonly number[]
}

/** By kind. */
export const CALL_NAMES = ['load', 'store', 'mmap', 'munmap', 'mprotect', 'mremap', 'madvise', 'fork', 'exit']

/** Pages that calls are about. */
const SPAN = 64
const LONGEST = 12
const PROTS = [0, 1, 1, 3, 3, 3, 3, 2, 5, 7]
const MAP_SHARED = 1
const MAP_PRIVATE = 2
const MAP_FIXED = 0x10
const MAP_ANONYMOUS = 0x20
const MAP_NORESERVE = 0x4000
const MAP_POPULATE = 0x8000
const MAP_FIXED_NOREPLACE = 0x100000
const MREMAP_MAYMOVE = 1
const MREMAP_FIXED = 2
/** MADV_DONTNEED, MADV_POPULATE_ and flags of VMAs. */
const ADVICE = [4, 4, 4, 4, 22, 22, 23, 23, 0, 1, 2, 10, 11, 16, 17, 18, 19]

/** xorshift32. */
class Draws {
  #state: number

  constructor(seed: number) {
    this.#state = Math.imul(seed, 0x9e3779b1) | 1
    for (let i = 0; i < 8; i++) this.below(2)
  }

  /** A number from 0 to below `bound`. */
  below(bound: number): number {
    let x = this.#state
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.#state = x
    return (x >>> 0) % bound
  }

  chance(percent: number): boolean {
    return this.below(100) < percent
  }

  one<T>(list: readonly T[]): T {
    return list[this.below(list.length)]
  }
}

/** The calls of a seed: `count` of them, then in every other seed a load of each page by each process that is left. */
export function drawCalls(seed: number, count: number): Call[] {
  const draws = new Draws(seed)
  const calls: Call[] = []
  const alive = [0]
  let processes = 1
  const push = (process: number, kind: number, ...args: number[]): void => {
    calls.push({ process, kind, args })
  }
  push(0, layout.CALL_MMAP, 8, 32, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0)
  while (calls.length < count) {
    const process = draws.one(alive)
    const page = draws.below(SPAN)
    const pages = 1 + draws.below(draws.chance(20) ? 4 * LONGEST : LONGEST)
    const kind = draws.below(100)
    if (kind < 22) push(process, layout.CALL_READ, page)
    else if (kind < 52) push(process, layout.CALL_WRITE, page, 1 + draws.below(1e6))
    else if (kind < 65) push(process, layout.CALL_MMAP, ...randomMmap(draws, page, pages))
    else if (kind < 70) push(process, layout.CALL_MUNMAP, page, pages)
    else if (kind < 78) push(process, layout.CALL_MPROTECT, page, pages, draws.one(PROTS))
    else if (kind < 86) push(process, layout.CALL_MREMAP, ...randomMremap(draws, page, pages))
    else if (kind < 96) push(process, layout.CALL_MADVISE, page, pages, draws.one(ADVICE))
    else if (kind < 98) {
      if (processes === layout.MOST_PROCESSES) continue
      alive.push(processes)
      push(process, layout.CALL_FORK, processes++)
    } else if (process !== 0) {
      alive.splice(alive.indexOf(process), 1)
      push(process, layout.CALL_EXIT)
    }
  }
  if (seed % 2 === 1)
    for (const process of alive)
      for (let page = -4; page < SPAN + 4; page++) push(process, layout.CALL_READ, page)
  return calls
}

function randomMmap(draws: Draws, page: number, pages: number): number[] {
  const shared = draws.chance(30)
  const anonymous = draws.chance(65)
  let flags = shared ? MAP_SHARED : MAP_PRIVATE
  flags |= draws.chance(80) ? MAP_FIXED : MAP_FIXED_NOREPLACE
  if (draws.chance(10)) flags |= MAP_NORESERVE
  if (draws.chance(15)) flags |= MAP_POPULATE
  if (anonymous) flags |= MAP_ANONYMOUS
  const object = anonymous ? -1 : draws.below(layout.NR_OBJECTS)
  return [page, pages, draws.one(PROTS), flags, object, anonymous ? 0 : draws.below(layout.OBJECT_PAGES)]
}

/** In place, or to a place that is named. */
function randomMremap(draws: Draws, page: number, pages: number): number[] {
  const old = draws.chance(5) ? 0 : pages
  const fresh = draws.chance(50) ? pages : 1 + draws.below(LONGEST)
  const flags = draws.chance(70) ? MREMAP_MAYMOVE | MREMAP_FIXED : 0
  return [page, old, fresh, flags, flags === 0 ? 0 : draws.below(SPAN)]
}

/** Whether every process is forked before it acts, and does not after its exit. */
export function isWhole(calls: readonly Call[]): boolean {
  const alive = new Set([0])
  for (const { process, kind, args } of calls) {
    if (!alive.has(process)) return false
    if (kind === layout.CALL_FORK) alive.add(args[0])
    if (kind === layout.CALL_EXIT) alive.delete(process)
  }
  return true
}
