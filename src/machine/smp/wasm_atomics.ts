// The atomics of ATOMICS=wasm: a WebAssembly module of seven functions, assembled by hand, each one locked instruction on the
// machine's own memory. Leaves out waiting and notifying: arch/halt.ts has them for both kinds of atomics.
import type { WasmAtomics } from '../../kernel/arch/machine.ts'

/** What is used of the host's WebAssembly; the type library of Node has no declaration of it. */
interface WasmHost {
  Memory: new (limits: { initial: number; maximum: number; shared: boolean }) => WasmMemory
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object, imports: object) => { exports: object }
}

/** A shared WebAssembly.Memory. */
export interface WasmMemory {
  readonly buffer: SharedArrayBuffer
}

const wasm = (globalThis as unknown as { WebAssembly: WasmHost }).WebAssembly

/** Bytes of a page of WebAssembly memory. */
export const WASM_PAGE_BYTES = 65536

const I32 = 0x7f
const LOCAL_GET = 0x20
const I32_CONST = 0x41
const I32_SHL = 0x74
const ATOMIC_PREFIX = 0xfe
const END = 0x0b
const FUNCTION = 0x60

/** Exported name, number of parameters, whether there is a result, opcode after the prefix (threads proposal, 32-bit forms). */
const FUNCTIONS: readonly (readonly [keyof WasmAtomics, number, boolean, number])[] = [
  ['load', 1, true, 0x10],
  ['store', 2, false, 0x17],
  ['add', 2, true, 0x1e],
  ['and', 2, true, 0x2c],
  ['or', 2, true, 0x33],
  ['xchg', 2, true, 0x41],
  ['cmpxchg', 3, true, 0x48],
]

function leb(value: number): number[] {
  const bytes: number[] = []
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return [...bytes, rest]
    bytes.push((rest & 0x7f) | 0x80)
  }
}

function text(name: string): number[] {
  return [...leb(name.length), ...Array.from(name, (letter) => letter.charCodeAt(0))]
}

function vector(items: readonly (readonly number[])[]): number[] {
  return [...leb(items.length), ...items.flat()]
}

function section(id: number, bytes: readonly number[]): number[] {
  return [id, ...leb(bytes.length), ...bytes]
}

/** Body of a function: the word address as a byte address, the other operands, the instruction (aligned, offset 0). */
function body(parameters: number, opcode: number): number[] {
  const code = [LOCAL_GET, 0, I32_CONST, 2, I32_SHL]
  for (let operand = 1; operand < parameters; operand++) code.push(LOCAL_GET, operand)
  code.push(ATOMIC_PREFIX, opcode, 2, 0, END)
  return [...leb(code.length + 1), 0, ...code]
}

/** The module's bytes, for a shared memory of exactly `pages` pages. */
export function assembleAtomics(pages: number): Uint8Array {
  return new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(
      1,
      vector(
        FUNCTIONS.map(([, parameters, result]) => [
          FUNCTION,
          ...vector(Array.from({ length: parameters }, () => [I32])),
          ...vector(result ? [[I32]] : []),
        ]),
      ),
    ),
    // One import: memory, limits with a maximum, shared.
    ...section(2, vector([[...text('machine'), ...text('memory'), 2, 3, ...leb(pages), ...leb(pages)]])),
    ...section(3, vector(FUNCTIONS.map((_, index) => leb(index)))),
    ...section(7, vector(FUNCTIONS.map(([name], index) => [...text(name), 0, ...leb(index)]))),
    ...section(10, vector(FUNCTIONS.map(([, parameters, , opcode]) => body(parameters, opcode)))),
  ])
}

/** A shared WebAssembly memory of at least `bytes` bytes. Throws RangeError when the host cannot allocate it. */
export function wasmMemory(bytes: number): WasmMemory {
  const pages = Math.ceil(bytes / WASM_PAGE_BYTES)
  return new wasm.Memory({ initial: pages, maximum: pages, shared: true })
}

/** The atomics on `memory`, for the calling thread. */
export function wasmAtomics(memory: WasmMemory): WasmAtomics {
  const module = new wasm.Module(assembleAtomics(memory.buffer.byteLength / WASM_PAGE_BYTES))
  return new wasm.Instance(module, { machine: { memory } }).exports as WasmAtomics
}
