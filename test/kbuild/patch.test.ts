import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createTwoFilesPatch } from 'diff'
import { describe, expect, it } from 'vitest'
import { type TinyKernel, bootTiny, tinyKernel } from './kernel.ts'

const ACCESS = 'src/kernel/arch/access.ts'

function patchOf(
  kernel: TinyKernel,
  change: (text: string) => string,
  prefixes: [string, string] = ['a/', 'b/'],
): string {
  const text = kernel.read(ACCESS)
  const diff = createTwoFilesPatch(prefixes[0] + ACCESS, prefixes[1] + ACCESS, text, change(text), '', '', {
    context: 3,
  })
  return kernel.write('my.patch', diff)
}

const twice = (text: string): string => text.replace('return this_cpu', 'return this_cpu * 2')

describe('--patch', () => {
  it('changes the image', async () => {
    const kernel = tinyKernel()
    kernel.write(
      'src/kernel/image.ts',
      `${kernel.read('src/kernel/image.ts')}export { smp_processor_id } from './arch/access.ts'\n`,
    )
    const patches = [patchOf(kernel, twice)]
    expect((await bootTiny(await kernel.build())).kernel.smp_processor_id()).toBe(3)
    expect((await bootTiny(await kernel.build([], { patches }))).kernel.smp_processor_id()).toBe(6)
  })

  it('takes paths without a/ and b/', async () => {
    const kernel = tinyKernel()
    const patches = [patchOf(kernel, twice, ['', ''])]
    const image = await kernel.build([], { patches })
    expect(readFileSync(image.file, 'utf8')).toContain('return this_cpu * 2')
  })

  it('makes another hash', async () => {
    const kernel = tinyKernel()
    const patches = [patchOf(kernel, twice)]
    expect((await kernel.build([], { patches })).hash).not.toBe((await kernel.build()).hash)
  })

  it('brings the patched source along in the source map', async () => {
    const kernel = tinyKernel()
    const image = await kernel.build([], { patches: [patchOf(kernel, twice)] })
    const map = JSON.parse(readFileSync(`${image.file}.map`, 'utf8')) as {
      sources: string[]
      sourcesContent: string[]
    }
    expect(map.sourcesContent[map.sources.indexOf(`../${ACCESS}`)]).toContain('this_cpu * 2')
  })

  it('still applies when the lines have moved', async () => {
    const kernel = tinyKernel()
    const patches = [patchOf(kernel, twice)]
    kernel.write(ACCESS, `// one\n// two\n// three\n${kernel.read(ACCESS)}`)
    const image = await kernel.build([], { patches })
    expect(readFileSync(image.file, 'utf8')).toContain('return this_cpu * 2')
  })

  it('is refused by file and hunk when it does not apply', async () => {
    const kernel = tinyKernel()
    const both = (text: string): string => twice(text.replace('import {', '// head\nimport {'))
    const patches = [patchOf(kernel, both)]
    kernel.write(ACCESS, kernel.read(ACCESS).replace('return this_cpu', 'return this_cpu + 1'))
    await expect(kernel.build([], { patches })).rejects.toThrow(
      /my\.patch: src\/kernel\/arch\/access\.ts: hunk 2 of 2 \(line \d+, \d+ lines\) does not apply/,
    )
  })

  it('is refused for a file that does not exist', async () => {
    const kernel = tinyKernel()
    await expect(kernel.build([], { patches: [join(kernel.root, 'none.patch')] })).rejects.toThrow(
      /no patch file/,
    )
  })

  it('is refused for a file that is no diff', async () => {
    const kernel = tinyKernel()
    const patches = [kernel.write('my.patch', 'hello\n')]
    await expect(kernel.build([], { patches })).rejects.toThrow(/holds no change/)
  })

  it.each(['package.json', 'src/kernel/mm/none.ts', 'src/kernel/../../package.json'])(
    'is refused for %s',
    async (name) => {
      const kernel = tinyKernel({ 'package.json': 'x\n' })
      const patches = [kernel.write('my.patch', `--- a/${name}\n+++ b/${name}\n@@ -1 +1 @@\n-x\n+y\n`)]
      await expect(kernel.build([], { patches })).rejects.toThrow(/is no source of the kernel/)
    },
  )

  it('is refused when it adds a file', async () => {
    const kernel = tinyKernel()
    const patches = [kernel.write('my.patch', '--- /dev/null\n+++ b/src/kernel/new.ts\n@@ -0,0 +1 @@\n+x\n')]
    await expect(kernel.build([], { patches })).rejects.toThrow(/cannot add or delete/)
  })
})
