// What the main thread and a CPU's worker say to one another, and the words they share outside the machine's memory.
// Leaves out the machine's own memory, whose layout the image's symbols say.
import type { WasmMemory } from './wasm_module.ts'

/** What a worker is started with. */
export interface CpuSetup {
  readonly cpu: number
  /** Absolute path of the image's module. */
  readonly image: string
  /** The machine's memory: a WebAssembly memory with ATOMICS=wasm. */
  readonly memory: SharedArrayBuffer | WasmMemory
  /** Words of the machine's memory. */
  readonly words: number
  /** Float64 counters of all CPUs, `statStride` a CPU, of which `statWords` are used. */
  readonly stat: SharedArrayBuffer
  readonly statWords: number
  readonly statStride: number
  readonly oracle: SharedArrayBuffer
  readonly control: SharedArrayBuffer
  /** Word address of machine$panic. */
  readonly panic: number
  /** Word address of the word that each CPU halts on. */
  readonly wake: readonly number[]
  /** Value of BUG_STOPPED. */
  readonly bugStopped: number
}

/** Int32 words of the control block. */
export const CONTROL_WORDS = 16
/** CPUs that have come to the barrier of the window that begins next. */
export const CONTROL_ARRIVED = 0
/** How many make it open. */
export const CONTROL_EXPECTED = 1
/** Number of the window that is open; CONTROL_ABORT: none opens any more. */
export const CONTROL_WINDOW = 2
export const CONTROL_ABORT = -1

/** How a call into the kernel ended. Times are milliseconds of the host's monotonic clock, alike in all threads. */
export type CpuOutcome =
  | { readonly kind: 'done'; readonly value: number; readonly begin: number; readonly end: number }
  /** machine_bug() on this CPU; its arguments. */
  | { readonly kind: 'bug'; readonly bug: KernelBugArguments; readonly stack: string }
  /** It left because another CPU stopped the machine. */
  | { readonly kind: 'stopped'; readonly stack: string }
  /** Anything else that was thrown. */
  | { readonly kind: 'exception'; readonly message: string; readonly stack: string }

export interface KernelBugArguments {
  readonly kind: number
  readonly a: number
  readonly b: number
}

/** What a worker offers over comlink. */
export interface CpuApi {
  /** Imports the image and boots this CPU of it. */
  boot(): Promise<CpuOutcome>
  /** Lays out memory and sets the scenario up; `value` is scenario_setup's. On CPU 0 only. */
  setup(): CpuOutcome
  /** Waits at the barrier of window `window`, then runs tasks until the machine stops. */
  run(window: number): CpuOutcome
  /** Lets every task that is left exit. On CPU 0 only. */
  exitAllTasks(): CpuOutcome
}
