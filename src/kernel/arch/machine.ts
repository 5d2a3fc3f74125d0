/**
 * What a machine gives its CPUs: the ambient bindings that boot() of an image receives, one set a CPU.
 * Nothing here is kernel state except `memory`; `stat` and `oracle` belong to observers outside the machine.
 */

/** The atomics of the WebAssembly module (ATOMICS=wasm): word addresses, the same locked instructions as Atomics. */
export interface WasmAtomics {
  load(p: number): number
  store(p: number, value: number): void
  add(p: number, value: number): number
  and(p: number, value: number): number
  or(p: number, value: number): number
  xchg(p: number, value: number): number
  cmpxchg(p: number, expected: number, value: number): number
}

/** What boot(env) needs; the names are the bindings below. */
export interface BootEnvironment {
  memory: Int32Array
  wasm: WasmAtomics | null
  this_cpu: number
  stat: Float64Array
  oracle: Int32Array
  clock(): number
  machine_bug(kind: number, a: number, b: number): never
}

/** The machine's memory, in 32-bit words. A pointer is an index into it. */
export declare const memory: Int32Array
export declare const wasm: WasmAtomics
/** Number of the CPU that executes this image instance. */
export declare const this_cpu: number
/** Counters of this CPU, indexed by the EV_, RETRY_ and STAT_ constants. Observers: no access to it is a step. */
export declare const stat: Float64Array
/** The data oracle's memory, shared by all CPUs, outside the machine. */
export declare const oracle: Int32Array
/** Monotonic host time in nanoseconds. */
export declare function clock(): number
/** Stops the machine; never returns. `kind` is one of the BUG_ constants of arch/bug.ts. */
export declare function machine_bug(kind: number, a: number, b: number): never
