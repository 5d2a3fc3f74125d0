// Measures the host on worker threads: the loops on one, hand-offs between all pairs of a few. Leaves out the loops
// themselves and what a topology makes of the samples: src/calibrate.
import { freemem } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { Worker } from 'node:worker_threads'
import { type Remote, wrap } from 'comlink'
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs'
import { packageRoot } from '../base/root.ts'
import type { Measured } from './host_topology.ts'
import { workingSets } from './plateaus.ts'
import { resetHandOff } from '../machine/host/hand_off.ts'
import { WASM_PAGE_BYTES, type WasmMemory, wasmMemory } from '../machine/smp/wasm_module.ts'
import type { CalibratorApi, LoopName } from '../machine/host/protocol.ts'
import type { HostStructure } from '../machine/host/structure.ts'

/** Rounds of a loop and of a working set; rounds of hand-offs of all pairs of threads, and of one pair at least. */
const ROUNDS = 31
const CHASE_ROUNDS = 21
const HAND_OFF_ROUNDS = 60
const PAIR_ROUNDS = 8
/** Milliseconds for the hand-offs of all pairs, and of one pair at least. */
const HAND_OFF_TIME = 10_000
const PAIR_TIME = 500
/** Threads that are paired: more of them meet more distances, as the system places them. */
const MOST_THREADS = 6
/** The largest working set: so many times the last-level cache, and without a word of that a usual one's. */
const BEYOND_LLC = 4
const USUAL_LLC = 32 << 20
const MOST_BYTES = 512 << 20
const LOOPS: readonly LoopName[] = ['multiply', 'atomic', 'clearPage', 'copyPage']

/** A thread of the calibration has ended by itself. */
export class CalibratorDied extends Error {}

/**
 * Times what can be timed; takes some ten seconds on an idle machine.
 * @param available CPUs that the process may use, at least two
 * @param signal ends it early; then undefined
 */
export async function measureHost(
  structure: HostStructure,
  available: number,
  tell: (text: string) => void,
  signal: AbortSignal,
): Promise<Measured | undefined> {
  // Of threads that are started from now on: on a busy machine a loop would run uncompiled for as long as it is timed.
  setFlagsFromString('--no-concurrent-recompilation')
  const memory = wasmMemory(WASM_PAGE_BYTES)
  const threads = Array.from({ length: Math.min(available, MOST_THREADS) }, (_, index) =>
    start(index, memory),
  )
  const end = (): void => threads.forEach(({ worker }) => void worker.terminate())
  signal.addEventListener('abort', end)
  try {
    return await measure(threads, memory, structure, tell)
  } catch (error) {
    if (signal.aborted) return undefined
    throw error
  } finally {
    signal.removeEventListener('abort', end)
    end()
  }
}

async function measure(
  threads: readonly Thread[],
  memory: WasmMemory,
  structure: HostStructure,
  tell: (text: string) => void,
): Promise<Measured> {
  const [alone] = threads
  const resolution = await alone.ask((api) => api.resolution())
  tell('loops of one thread')
  const loops = {} as Record<LoopName, number[]>
  for (const name of LOOPS) loops[name] = await alone.ask((api) => api.loop(name, ROUNDS))
  const largest = Math.min(BEYOND_LLC * (structure.llc || USUAL_LLC), MOST_BYTES, freemem() / 8)
  tell(`loads in up to ${Math.floor(largest / (1 << 20))} MiB`)
  const chases: { bytes: number; ns: number[] }[] = []
  for (const bytes of workingSets(largest))
    chases.push({ bytes, ns: await alone.ask((api) => api.chase(bytes, CHASE_ROUNDS)) })
  tell(`hand-offs between ${threads.length} threads`)
  const transfers: number[][] = structure.levels.map(() => [])
  const pairs = threads.flatMap((one, index) =>
    threads.slice(index + 1).map((other) => [one, other] as const),
  )
  for (const pair of pairs)
    for (const { ns, here, there } of await handOffs(pair, memory, pairs.length)) {
      // Where the system does not say who ran where, all distances are one.
      const level = here < 0 ? structure.levels.length - 1 : structure.levelOf(here, there)
      transfers[level].push(ns)
    }
  return { resolution, loops, chases, transfers }
}

/** Hand-offs of two of the threads that make `pairs` pairs; each of the two was on one CPU, and they were on two. */
async function handOffs(
  pair: readonly [Thread, Thread],
  memory: WasmMemory,
  pairs: number,
): Promise<{ ns: number; here: number; there: number }[]> {
  const found: { ns: number; here: number; there: number }[] = []
  const wanted = Math.max(PAIR_ROUNDS, Math.ceil(HAND_OFF_ROUNDS / pairs))
  const limit = performance.now() + Math.max(PAIR_TIME, HAND_OFF_TIME / pairs)
  // On a busy machine the two rarely run at the same time: then a play ends early, and another one begins.
  while (found.length < wanted && performance.now() < limit) {
    resetHandOff(memory)
    const [ones, others] = await Promise.all(
      pair.map((thread, side) => thread.ask((api) => api.handOff(side as 0 | 1, wanted - found.length))),
    )
    for (const [round, { ns, cpu: here }] of ones.entries()) {
      const there = others[round]?.cpu
      if (here === undefined || there === undefined || (here >= 0 && here === there)) continue
      found.push({ ns, here, there })
    }
  }
  return found
}

interface Thread {
  readonly worker: Worker
  /** Rejects if the thread ends meanwhile. */
  ask<T>(call: (api: Remote<CalibratorApi>) => Promise<T>): Promise<T>
}

function start(index: number, memory: WasmMemory): Thread {
  const worker = new Worker(join(packageRoot(), 'dist', 'workers', 'calibrator.js'), {
    workerData: memory,
    execArgv: [],
    name: `calibrator ${index}`,
  })
  const died = new Promise<never>((_, reject) => {
    worker.once('error', (error: Error) =>
      reject(new CalibratorDied(`calibrator ${index} threw ${error.message}`)),
    )
    worker.once('exit', (code) => reject(new CalibratorDied(`calibrator ${index} ended with status ${code}`)))
  })
  died.catch(() => {})
  const api = wrap<CalibratorApi>(nodeEndpoint(worker))
  return { worker, ask: (call) => Promise.race([call(api), died]) }
}
