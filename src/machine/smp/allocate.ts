// The machine's memory: how many words an image needs, and their allocation, shared between threads. Leaves out what
// lies in it.
import { UsageError } from '../../base/errors.ts'
import type { KernelImage } from '../../kbuild/index.ts'
import { symbol } from '../../inspect/symbols.ts'
import { wasmMemory, type WasmMemory } from './wasm_module.ts'

/** Words of a machine for `image` with `bootWords` words from BOOT_DATA on. */
export function memoryWords(image: KernelImage, bootWords: number): number {
  return Math.max(symbol(image.symbols, 'MEMORY_WORDS'), symbol(image.symbols, 'BOOT_DATA') + bootWords)
}

/**
 * A zeroed memory of `words` words: a WebAssembly one with ATOMICS=wasm. Throws UsageError when the host has not that
 * much.
 */
export function allocateMemory(image: KernelImage, words: number): SharedArrayBuffer | WasmMemory {
  const { ATOMICS, MEMORY, PAGE_BYTES } = image.config
  try {
    return ATOMICS === 'wasm' ? wasmMemory(words * 4) : new SharedArrayBuffer(words * 4)
  } catch {
    throw new UsageError(
      `MEMORY=${MEMORY} with PAGE_BYTES=${PAGE_BYTES} takes ${Math.ceil(words / 2 ** 18)} MiB of ` +
        'this host, which it cannot ' +
        'allocate: lower one of them.',
    )
  }
}
