// Two threads hand one word to and fro by compare-and-swap, which is how latencies between cores are published. Leaves out who runs
// where: the system decides, a round says where it was.
import { readFileSync } from 'node:fs'
import type { WasmMemory } from '../smp/wasm_module.ts'
import { nanoseconds } from './loops.ts'
import type { HandOffRound } from './protocol.ts'
import { wasmLoops, type WasmLoops } from './wasm_loops.ts'

/** Word of the shared memory, apart from the first one, which is handed over. Not 0: a side has given up, and so does the other one. */
const GONE = 64

/** Hand-offs to and fro of a round, and before it: those that let both sides begin together. */
const TRIPS = 2000
const BEFORE = 200
/** Looks between two looks at the time, and ns without an answer after which a side gives up. */
const LOOKS = 1 << 14
const PATIENCE = 500e6

/** Plays `rounds` rounds as `side`; the thread of the other side does the same at the same time, on the same memory, new and all 0. */
export function handOff(memory: WasmMemory, side: 0 | 1, rounds: number): HandOffRound[] {
  const table: Table = { loops: wasmLoops(memory), words: new Int32Array(memory.buffer), side }
  const played: HandOffRound[] = []
  while (played.length < rounds) {
    const before = currentCpu()
    const began = pass(table, BEFORE)
    const begin = nanoseconds()
    const ended = began && pass(table, TRIPS)
    const time = nanoseconds() - begin
    const cpu = currentCpu()
    if (!ended) return [...played, { ns: undefined, cpu }]
    played.push({ ns: time / (2 * TRIPS), cpu: cpu === before ? cpu : undefined })
  }
  return played
}

interface Table {
  readonly loops: WasmLoops
  readonly words: Int32Array
  readonly side: 0 | 1
}

/** Takes the word and gives it away, `trips` times; false: nobody answered. */
function pass({ loops, words, side }: Table, trips: number): boolean {
  for (let trip = 0; trip < trips; trip++) {
    let since = 0
    while (loops.take(side, 1 - side, LOOKS) === 0) {
      if (since === 0) since = nanoseconds()
      else if (nanoseconds() - since > PATIENCE) Atomics.store(words, GONE, 1)
      if (Atomics.load(words, GONE) !== 0) return false
    }
  }
  return true
}

/** Number of the CPU that the calling thread runs on; -1 where the system does not say. */
function currentCpu(): number {
  try {
    const stat = readFileSync('/proc/thread-self/stat', 'utf8')
    // proc(5): the name, field 2, may have blanks and ends with the last parenthesis; processor is field 39.
    const cpu = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[36])
    return Number.isInteger(cpu) ? cpu : -1
  } catch {
    return -1
  }
}
