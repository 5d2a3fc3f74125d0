import { describe, expect, test } from 'vitest'
import { wasmLoops } from '../../../src/machine/host/wasm_loops.ts'
import { wasmMemory } from '../../../src/machine/smp/wasm_module.ts'

describe('the WebAssembly loops', () => {
  const memory = wasmMemory(64)
  const words = new Int32Array(memory.buffer)
  const loops = wasmLoops(memory)

  test('add as often as they are told', () => {
    words[0] = 5
    loops.add(1000)
    expect(words[0]).toBe(1005)
  })

  test('take a word that has the value', () => {
    words[0] = 1
    expect(loops.take(1, 0, 1)).toBe(1)
    expect(words[0]).toBe(0)
  })

  test('give up after so many looks at another value', () => {
    words[0] = 7
    expect(loops.take(1, 0, 100)).toBe(0)
    expect(words[0]).toBe(7)
  })
})
