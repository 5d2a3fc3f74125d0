// Loops around one locked instruction, in WebAssembly: JavaScript's own atomics are calls in some versions of Node, and
// would be what is timed. Leaves out the timing: loops.ts and hand_off.ts.
import {
  ATOMIC_PREFIX,
  END,
  I32_CONST,
  instantiate,
  LOCAL_GET,
  type WasmFunction,
  type WasmMemory,
} from '../smp/wasm_module.ts'

export interface WasmLoops {
  /** Adds 1 to the first word, `steps` times (at least once). */
  add(steps: number): void
  /** Tries up to `looks` times (at least once) to turn the first word from `from` into `to`; 1 when it has. */
  take(from: number, to: number, looks: number): number
}

const LOOP = 0x03
const IF = 0x04
const VOID = 0x40
const BR_IF = 0x0d
const RETURN = 0x0f
const DROP = 0x1a
const LOCAL_TEE = 0x22
const I32_EQ = 0x46
const I32_SUB = 0x6b
/** After the prefix (threads proposal), with the alignment and the offset behind. */
const RMW_ADD = [ATOMIC_PREFIX, 0x1e, 2, 0]
const RMW_CMPXCHG = [ATOMIC_PREFIX, 0x48, 2, 0]

/** The end of a loop that goes on until the parameter has been counted down to 0. */
const again = (parameter: number): number[] => [
  ...[LOCAL_GET, parameter, I32_CONST, 1, I32_SUB, LOCAL_TEE, parameter],
  ...[BR_IF, 0, END],
]

const FUNCTIONS: readonly WasmFunction[] = [
  {
    ...{ name: 'add', parameters: 1, result: false },
    code: [LOOP, VOID, I32_CONST, 0, I32_CONST, 1, ...RMW_ADD, DROP, ...again(0)],
  },
  {
    ...{ name: 'take', parameters: 3, result: true },
    code: [
      ...[LOOP, VOID, I32_CONST, 0, LOCAL_GET, 0, LOCAL_GET, 1, ...RMW_CMPXCHG],
      ...[LOCAL_GET, 0, I32_EQ, IF, VOID, I32_CONST, 1, RETURN, END],
      ...[...again(2), I32_CONST, 0],
    ],
  },
]

/** The loops on `memory`, for the calling thread. */
export function wasmLoops(memory: WasmMemory): WasmLoops {
  return instantiate(FUNCTIONS, memory) as WasmLoops
}
