import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { bootTiny, tinyKernel } from './kernel.ts'

const GOLDEN = fileURLToPath(new URL('fixtures/golden.mjs.txt', import.meta.url))

describe('link', () => {
  it('makes the golden image of the fixture kernel', async () => {
    const image = await tinyKernel().build()
    const code = readFileSync(image.file, 'utf8').replace(/sourceMappingURL=.*/, 'sourceMappingURL=')
    await expect(code.replace(/[ ]+$/gm, '')).toMatchFileSnapshot(GOLDEN)
  })

  it('boots and runs', async () => {
    const { kernel, memory } = await bootTiny(await tinyKernel().build())
    kernel.setup()
    expect(memory[512]).toBe(65536 - 16)
    memory[512 + 16 + 1] = 7
    expect(kernel.program(1)).toBe(8)
  })

  it('calls the WebAssembly functions by names of their own', async () => {
    const image = await tinyKernel().build(['ATOMICS=wasm'])
    expect(readFileSync(image.file, 'utf8')).toContain('const wasm$add = wasm?.add\n')
    const { kernel, memory } = await bootTiny(image)
    memory[513] = 1
    expect(kernel.get_page(512)).toBe(2)
  })

  it('replaces the constants of the configuration and those made from them', async () => {
    const image = await tinyKernel().build(['NR_CPUS=2', 'PTRS_PER_TABLE=64', 'MEMORY=1M'])
    expect(image.symbols).toMatchObject({ NR_CPUS: 2, MEM_MAP: 16, PTRS_SHIFT: 6, NR_PAGES: 256, DEBUG: 1 })
  })

  it('lists every function of the image', async () => {
    const { functions } = await tinyKernel().build()
    expect(functions).toEqual(expect.arrayContaining(['helper', 'get_page', 'arch_spin_lock', 'setup']))
  })

  it('keeps every line of a module', async () => {
    const kernel = tinyKernel()
    const image = await kernel.build()
    const source = kernel.read('src/kernel/mm/page.ts').split('\n')
    const code = readFileSync(image.file, 'utf8').split('\n')
    const first = code.findIndex((line) => line.startsWith('// Golden input'))
    for (const [index, line] of source.entries()) {
      const indent = /^\s*/.exec(line)?.[0].length ?? 0
      const linked = code[first + index]
      if (linked.trim() !== '' && !linked.includes('function'))
        expect(/^\s*/.exec(linked)?.[0].length).toBe(indent)
    }
  })

  it('maps a stack trace to the line of the source', async () => {
    const kernel = tinyKernel()
    const image = await kernel.build()
    const map = JSON.parse(readFileSync(`${image.file}.map`, 'utf8')) as {
      sources: string[]
      mappings: string
    }
    expect(map.sources).toContain('../src/kernel/mm/page.ts')
    // Two lines of header, then the first module: its first line is the first mapping.
    expect(map.mappings.startsWith(';;A')).toBe(true)
  })

  it('chooses the modules of the configuration', async () => {
    const kernel = tinyKernel()
    kernel.write(
      'src/kernel/locking/ptlock/mm.ts',
      `${kernel.read('src/kernel/locking/ptlock/mm.ts')}export const ONLY_MM = 1\n`,
    )
    expect((await kernel.build(['PTLOCK=mm'])).symbols.ONLY_MM).toBe(1)
    expect((await kernel.build(['PTLOCK=pte'])).symbols.ONLY_MM).toBeUndefined()
  })

  it('links modules that import each other', async () => {
    const kernel = tinyKernel({
      'src/kernel/mm/a.ts':
        "import { b } from './b.ts'\nexport const A = 1\nexport function a(): number {\n  return b()\n}\n",
      'src/kernel/mm/b.ts':
        "import { A, a } from './a.ts'\nexport function b(): number {\n  return A > 1 ? a() : A\n}\n",
      'src/kernel/image.ts': "export * from './mm/a.ts'\nexport * from '#scenario'\n",
    })
    const booted = await bootTiny(await kernel.build())
    expect(booted.kernel.a()).toBe(1)
  })

  it('returns an optional export of a scenario when it is there', async () => {
    const kernel = tinyKernel()
    kernel.write(
      'scenarios/tiny.ts',
      `${kernel.read('scenarios/tiny.ts')}export function after(): number {\n  return 9\n}\n`,
    )
    const { kernel: functions } = await bootTiny(await kernel.build())
    expect(functions.after()).toBe(9)
    expect((await bootTiny(await tinyKernel().build())).kernel.after).toBeUndefined()
  })

  it('does not move a line when a constant expression spans two', async () => {
    const image = await tinyKernel().build()
    expect(readFileSync(image.file, 'utf8')).toContain('65536 -\n    16)')
  })
})
