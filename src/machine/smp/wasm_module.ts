// WebAssembly modules assembled by hand: functions on 32-bit integers and one shared memory that is imported. Leaves
// out what the functions do: wasm_atomics.ts, and src/machine/host/wasm_loops.ts.

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

/** A function of a module: parameters and result are 32-bit integers. */
export interface WasmFunction {
  readonly name: string
  readonly parameters: number
  readonly result: boolean
  /** Its instructions, without the end. */
  readonly code: readonly number[]
}

const wasm = (globalThis as unknown as { WebAssembly: WasmHost }).WebAssembly

/** Bytes of a page of WebAssembly memory. */
export const WASM_PAGE_BYTES = 65536

export const I32 = 0x7f
export const LOCAL_GET = 0x20
export const I32_CONST = 0x41
export const ATOMIC_PREFIX = 0xfe
export const END = 0x0b
const FUNCTION = 0x60

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

/** Without locals of its own. */
function body(code: readonly number[]): number[] {
  return [...leb(code.length + 2), 0, ...code, END]
}

/** The bytes of a module of `functions`, for a shared memory of exactly `pages` pages. */
export function assemble(functions: readonly WasmFunction[], pages: number): Uint8Array {
  return new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(
      1,
      vector(
        functions.map(({ parameters, result }) => [
          FUNCTION,
          ...vector(Array.from({ length: parameters }, () => [I32])),
          ...vector(result ? [[I32]] : []),
        ]),
      ),
    ),
    // One import: memory, limits with a maximum, shared.
    ...section(2, vector([[...text('machine'), ...text('memory'), 2, 3, ...leb(pages), ...leb(pages)]])),
    ...section(3, vector(functions.map((_, index) => leb(index)))),
    ...section(7, vector(functions.map(({ name }, index) => [...text(name), 0, ...leb(index)]))),
    ...section(10, vector(functions.map(({ code }) => body(code)))),
  ])
}

/** A shared WebAssembly memory of at least `bytes` bytes. Throws RangeError when the host cannot allocate it. */
export function wasmMemory(bytes: number): WasmMemory {
  const pages = Math.ceil(bytes / WASM_PAGE_BYTES)
  return new wasm.Memory({ initial: pages, maximum: pages, shared: true })
}

/** The functions of a module on `memory`, for the calling thread. */
export function instantiate(functions: readonly WasmFunction[], memory: WasmMemory): object {
  const module = new wasm.Module(assemble(functions, memory.buffer.byteLength / WASM_PAGE_BYTES))
  return new wasm.Instance(module, { machine: { memory } }).exports
}
