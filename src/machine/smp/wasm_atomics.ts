// The atomics of ATOMICS=wasm: a WebAssembly module of seven functions, each one locked instruction on the machine's
// own memory. Leaves out waiting and notifying: arch/halt.ts has them for both kinds of atomics.
import type { WasmAtomics } from '../../kernel/arch/machine.ts'
import { ATOMIC_PREFIX, I32_CONST, instantiate, LOCAL_GET, type WasmMemory } from './wasm_module.ts'

const I32_SHL = 0x74

/**
 * Exported name, number of parameters, whether there is a result, opcode after the prefix (threads proposal, 32-bit
 * forms).
 */
const FUNCTIONS: readonly (readonly [keyof WasmAtomics, number, boolean, number])[] = [
  ['load', 1, true, 0x10],
  ['store', 2, false, 0x17],
  ['add', 2, true, 0x1e],
  ['and', 2, true, 0x2c],
  ['or', 2, true, 0x33],
  ['xchg', 2, true, 0x41],
  ['cmpxchg', 3, true, 0x48],
]

/** The word address as a byte address, the other operands, the instruction (aligned, offset 0). */
function code(parameters: number, opcode: number): number[] {
  const operands = Array.from({ length: parameters - 1 }, (_, index) => [LOCAL_GET, index + 1]).flat()
  return [LOCAL_GET, 0, I32_CONST, 2, I32_SHL, ...operands, ATOMIC_PREFIX, opcode, 2, 0]
}

/** The atomics on `memory`, for the calling thread. */
export function wasmAtomics(memory: WasmMemory): WasmAtomics {
  const functions = FUNCTIONS.map(([name, parameters, result, opcode]) => ({
    ...{ name, parameters, result },
    code: code(parameters, opcode),
  }))
  return instantiate(functions, memory) as WasmAtomics
}
