// Loops whose steps the host is timed by, for one thread: what depends on what is such that the processor cannot
// overlap two steps. Leaves out what the figures are for: src/calibrate.
import { chaseRing } from './ring.ts'
import { LINE_BYTES } from '../clock/topology.ts'
import { wasmMemory } from '../smp/wasm_module.ts'
import type { LoopName } from './protocol.ts'
import { wasmLoops } from './wasm_loops.ts'

/** A sample lasts at least so long, in ns. */
const SAMPLE = 2e5
/** ns that a loop runs before: Node compiles it meanwhile. */
const WARM_UP = 5e7
const PAGE_BYTES = 4096
/** Pages are cleared and copied in an area that no private cache holds. */
const AREA_BYTES = 64 << 20
const LINE_WORDS = LINE_BYTES / 4

/** The host's monotonic clock in ns. */
export function nanoseconds(): number {
  return performance.now() * 1e6
}

/** The smallest step of the clock that was seen, in ns. */
export function resolution(): number {
  let least = Infinity
  for (let i = 0; i < 1000; i++) {
    const begin = nanoseconds()
    let end = begin
    while (end === begin) end = nanoseconds()
    least = Math.min(least, end - begin)
  }
  return least
}

/** ns of a step in each of `rounds` rounds. */
export function timeLoop(name: LoopName, rounds: number): number[] {
  return timed(LOOPS[name](), rounds)
}

/** ns of a load in each of `rounds` rounds that go on around a ring of lines in `bytes` bytes. */
export function timeChase(bytes: number, rounds: number): number[] {
  const ring = chaseRing(bytes, LINE_WORDS)
  let at = 0
  const run = (steps: number): void => {
    at = chase(ring, at, steps)
  }
  // Once around, so that the caches hold of it what they can.
  run(ring.length / LINE_WORDS)
  return timed(run, rounds)
}

/** Samples of equal length, which is found once the loop is warm. */
function timed(run: (steps: number) => void, rounds: number): number[] {
  const sample = (steps: number): number => {
    const begin = nanoseconds()
    run(steps)
    return nanoseconds() - begin
  }
  for (const begin = nanoseconds(); nanoseconds() - begin < WARM_UP;) run(256)
  let steps = 64
  for (let time = sample(steps); time < SAMPLE; time = sample(steps))
    steps = Math.ceil(steps * Math.min(8, (1.3 * SAMPLE) / Math.max(time, 1)))
  return Array.from({ length: rounds }, () => sample(steps) / steps)
}

/** Unsigned words, since a signed index would be extended first, for another cycle. */
function chase(ring: Uint32Array, from: number, steps: number): number {
  let at = from
  for (let i = 0; i < steps; i++) at = ring[at]
  return at
}

/** Each product needs the one before; eight steps a turn of the loop. */
function multiply(steps: number, seed: number): number {
  const by = seed | 5
  let x = seed | 1
  for (let i = 0; i < steps; i += 8) {
    x = Math.imul(x, by)
    x = Math.imul(x, by)
    x = Math.imul(x, by)
    x = Math.imul(x, by)
    x = Math.imul(x, by)
    x = Math.imul(x, by)
    x = Math.imul(x, by)
    x = Math.imul(x, by)
  }
  return x
}

const LOOPS: Readonly<Record<LoopName, () => (steps: number) => void>> = {
  multiply: () => {
    let seed = 1
    return (steps) => {
      seed = multiply(steps, seed)
    }
  },
  atomic: () => wasmLoops(wasmMemory(LINE_BYTES)).add,
  clearPage: () =>
    overPages((area, from) => {
      area.fill(0, from, from + PAGE_BYTES)
    }),
  copyPage: () =>
    overPages((area, from) => {
      area.copyWithin(from, AREA_BYTES - PAGE_BYTES - from, AREA_BYTES - from)
    }),
}

/** A step does something with one page, the next step with the next page. */
function overPages(page: (area: Uint8Array, from: number) => void): (steps: number) => void {
  // Filled once: then the pages exist.
  const area = new Uint8Array(AREA_BYTES).fill(1)
  let from = 0
  return (steps) => {
    for (let i = 0; i < steps; i++) {
      page(area, from)
      from = (from + PAGE_BYTES) % AREA_BYTES
    }
  }
}
