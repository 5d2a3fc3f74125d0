import { describe, expect, test } from 'vitest'
import { wasmAtomics } from '../../src/machine/smp/wasm_atomics.ts'
import { wasmMemory } from '../../src/machine/smp/wasm_module.ts'

describe('the WebAssembly atomics', () => {
  const memory = wasmMemory(100_000)
  const words = new Int32Array(memory.buffer)
  const atomics = wasmAtomics(memory)

  test('share the memory they were made for, in whole pages', () => {
    expect(memory.buffer).toBeInstanceOf(SharedArrayBuffer)
    expect(memory.buffer.byteLength).toBe(131_072)
    atomics.store(5, -7)
    expect(words[5]).toBe(-7)
    expect(atomics.load(5)).toBe(-7)
  })

  test.each([
    ['add', 12, 5, 17],
    ['and', 12, 6, 4],
    ['or', 12, 3, 15],
    ['xchg', 12, 99, 99],
  ] as const)('%s returns the old value and stores the new one', (name, old, operand, result) => {
    words[9] = old
    expect(atomics[name](9, operand)).toBe(old)
    expect(words[9]).toBe(result)
  })

  test('cmpxchg stores only over the expected value', () => {
    words[3] = 1
    expect(atomics.cmpxchg(3, 2, 5)).toBe(1)
    expect(words[3]).toBe(1)
    expect(atomics.cmpxchg(3, 1, 5)).toBe(1)
    expect(words[3]).toBe(5)
  })
})
