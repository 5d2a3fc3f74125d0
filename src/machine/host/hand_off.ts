// Two threads play ping-pong with one word by compare-and-swap, which is how latencies between cores are published.
// Leaves out who runs where: the system decides, a round says where it was.
import { readFileSync } from 'node:fs'
import type { WasmMemory } from '../smp/wasm_module.ts'
import { nanoseconds } from './loops.ts'
import type { CalibratorApi, HandOffRound } from './protocol.ts'
import { wasmLoops, type WasmLoops } from './wasm_loops.ts'

/**
 * Word of the shared memory, apart from the first one, which is handed over. Not 0: a side has given up, and so does
 * the other one.
 */
const GONE = 64

/** Hand-offs of a round, and before it: those that let both sides begin together. */
const TRIPS = 500
const BEFORE = 50
/** Looks between two looks at the time, and ns after which a round is given up: the two do not run at the same time. */
const LOOKS = 1 << 14
const PATIENCE = 100e6

/** What the threads share when a play begins: nobody has given up, and the word is side 0's to take. */
export function resetHandOff(memory: WasmMemory): void {
  const words = new Int32Array(memory.buffer)
  words[0] = 0
  words[GONE] = 0
}

/** The threads' part of the game on `memory`: `CalibratorApi.handOff`. */
export function handOffOn(memory: WasmMemory): CalibratorApi['handOff'] {
  const loops = wasmLoops(memory)
  const words = new Int32Array(memory.buffer)
  return (side, rounds) => play({ loops, words, side }, rounds)
}

/** Fewer rounds where one was given up; one side may have played one more than the other. */
function play(table: Table, rounds: number): HandOffRound[] {
  const played: HandOffRound[] = []
  while (played.length < rounds) {
    const before = currentCpu()
    const limit = nanoseconds() + PATIENCE
    if (!pass(table, BEFORE, limit)) break
    const begin = nanoseconds()
    if (!pass(table, TRIPS, limit)) break
    const time = nanoseconds() - begin
    const cpu = currentCpu()
    played.push({ ns: time / (2 * TRIPS), cpu: cpu === before ? cpu : undefined })
  }
  return played
}

interface Table {
  readonly loops: WasmLoops
  readonly words: Int32Array
  readonly side: 0 | 1
}

/** Takes the word and gives it away, `trips` times; false: the time `limit` has come before, here or there. */
function pass({ loops, words, side }: Table, trips: number, limit: number): boolean {
  for (let trip = 0; trip < trips; trip++)
    while (loops.take(side, 1 - side, LOOKS) === 0) {
      if (nanoseconds() > limit) Atomics.store(words, GONE, 1)
      if (Atomics.load(words, GONE) !== 0) return false
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
