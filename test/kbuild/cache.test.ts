import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { cacheFolder, hashOf, isOwn, store, touch, trim } from '../../src/kbuild/cache.ts'
import { temporaryFolder, tinyKernel } from './kernel.ts'

const { XDG_CACHE_HOME } = process.env

afterEach(() => {
  if (XDG_CACHE_HOME === undefined) delete process.env.XDG_CACHE_HOME
  else process.env.XDG_CACHE_HOME = XDG_CACHE_HOME
})

describe('the cache', () => {
  it('answers a second build with the same file', async () => {
    const kernel = tinyKernel()
    const first = await kernel.build()
    const { mtimeMs } = statSync(first.file)
    expect(await kernel.build()).toEqual(first)
    expect(statSync(first.file).mtimeMs).toBe(mtimeMs)
  })

  it('builds again when a source has changed', async () => {
    const kernel = tinyKernel()
    const first = await kernel.build()
    kernel.write('src/kernel/mm/page.ts', kernel.read('src/kernel/mm/page.ts').replace('1 << 4', '1 << 5'))
    const second = await kernel.build()
    expect(second.file).not.toBe(first.file)
    expect(second.symbols.PAGE_WORDS).toBe(32)
  })

  it('builds again when an image is broken', async () => {
    const kernel = tinyKernel()
    const first = await kernel.build()
    for (const name of readdirSync(kernel.images))
      if (name.endsWith('.json')) writeFileSync(join(kernel.images, name), '{')
    expect(await kernel.build()).toEqual(first)
  })

  it('hashes equal kernels equally wherever they lie', async () => {
    expect((await tinyKernel().build()).hash).toBe((await tinyKernel().build()).hash)
  })

  it('hashes other configurations differently', async () => {
    const kernel = tinyKernel()
    expect((await kernel.build(['TICK=7'])).hash).not.toBe((await kernel.build()).hash)
  })

  it('leaves no temporary file', async () => {
    const kernel = tinyKernel()
    await kernel.build()
    expect(readdirSync(kernel.images).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  it('lies under XDG_CACHE_HOME', () => {
    process.env.XDG_CACHE_HOME = '/somewhere'
    expect(cacheFolder()).toBe('/somewhere/mmtorture')
  })

  it('falls back to another folder when the first cannot be written', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'file'), '')
    const good = join(folder, 'good')
    const kernel = tinyKernel()
    const image = await kernel.build([], { folders: [join(folder, 'file', 'images'), good] })
    expect(image.file.startsWith(good)).toBe(true)
  })

  it.runIf(process.platform === 'linux')('falls back where no folder can be made, under /proc too', () => {
    const second = join(temporaryFolder(), 'second')
    expect(store(['/proc/nope/images', second], new Map([['a', 'b']]))).toBe(second)
  })

  it('says so when no folder can be written', () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'file'), '')
    expect(() => store([join(folder, 'file', 'images')], new Map([['a', 'b']]))).toThrow(
      /no folder .* can be written/,
    )
  })

  it('keeps the files that were used last, up to its bound', () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'deep'))
    const files = ['a', 'deep/b', 'c', 'deep/d'].map((name) => join(folder, name))
    for (const [index, file] of files.entries()) {
      writeFileSync(file, 'x'.repeat(100))
      utimesSync(file, index + 1, index + 1)
    }
    touch([files[0]])
    trim(folder, 250)
    expect(readdirSync(folder, { recursive: true }).toSorted()).toEqual(['a', 'deep', 'deep/d'])
  })

  it('leaves all files where they fit', () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'a'), 'x'.repeat(100))
    trim(folder, 100)
    expect(readdirSync(folder)).toEqual(['a'])
  })

  it('makes a folder that nobody else may enter, and closes one that others could', () => {
    const folder = join(temporaryFolder(), 'deep', 'images')
    expect(isOwn(folder)).toBe(true)
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    chmodSync(folder, 0o755)
    expect(isOwn(folder)).toBe(true)
    expect(statSync(folder).mode & 0o777).toBe(0o700)
  })

  it.runIf(process.getuid?.() === 0)("does not run what lies in another user's folder", () => {
    const folder = temporaryFolder()
    const [theirs, link] = [join(folder, 'theirs'), join(folder, 'link')]
    mkdirSync(theirs, { mode: 0o700 })
    chownSync(theirs, 12_345, 12_345)
    symlinkSync(theirs, link)
    expect([isOwn(theirs), isOwn(link)]).toEqual([false, false])
    expect(statSync(theirs).uid).toBe(12_345)
  })

  it('replaces a file as a whole', () => {
    const folder = temporaryFolder()
    mkdirSync(folder, { recursive: true })
    store([folder], new Map([['a', 'one']]))
    store([folder], new Map([['a', 'two']]))
    expect(readdirSync(folder)).toEqual(['a'])
  })
})

it('hashOf tells apart what is split differently', () => {
  fc.assert(
    fc.property(fc.string(), fc.string({ minLength: 1 }), (a, b) => {
      expect(hashOf(a, b)).not.toBe(hashOf(a + b))
      expect(hashOf(a, b)).not.toBe(hashOf(a + b, ''))
    }),
  )
})
