// What becomes of the cache does not touch a process that has its images.
import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { loadImage } from '../../src/kbuild/index.ts'
import { temporaryFolder, tinyKernel } from './kernel.ts'

const { XDG_CACHE_HOME } = process.env
let home = ''

beforeEach(() => {
  home = temporaryFolder()
  process.env.XDG_CACHE_HOME = home
})
afterEach(() => {
  if (XDG_CACHE_HOME === undefined) delete process.env.XDG_CACHE_HOME
  else process.env.XDG_CACHE_HOME = XDG_CACHE_HOME
})

/** Files below the cache, by the end of their names. */
const kept = (end: string): string[] =>
  readdirSync(join(home, 'mmtorture'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(end))
    .map((name) => join(home, 'mmtorture', name))

it('an image runs, and its map names the sources, when the cache is deleted after the build', async () => {
  const kernel = tinyKernel()
  const image = await kernel.build([], { folders: undefined })
  rmSync(join(home, 'mmtorture'), { recursive: true })
  expect(await loadImage(image)).toBeTypeOf('function')
  const { sources } = JSON.parse(readFileSync(`${image.file}.map`, 'utf8')) as { sources: string[] }
  const pages = sources.find((source) => source.endsWith('mm/page.ts'))!
  expect(fileURLToPath(pages)).toBe(join(kernel.root, 'src/kernel/mm/page.ts'))
})

it('the next build fills the cache again', async () => {
  const kernel = tinyKernel()
  const image = await kernel.build([], { folders: undefined })
  rmSync(join(home, 'mmtorture'), { recursive: true })
  expect(await kernel.build([], { folders: undefined })).toEqual(image)
  expect(kept('.mjs')).toHaveLength(1)
})

it('an image whose map was deleted is built again', async () => {
  const kernel = tinyKernel()
  await kernel.build([], { folders: undefined })
  rmSync(kept('.map')[0])
  await kernel.build([], { folders: undefined })
  expect(kept('.map')).toHaveLength(1)
})

it('all files of an image that is used are used now', async () => {
  const kernel = tinyKernel()
  await kernel.build([], { folders: undefined })
  const files = ['.mjs', '.map', '.json'].flatMap(kept)
  expect(files).toHaveLength(3)
  for (const file of files) utimesSync(file, 1, 1)
  await kernel.build([], { folders: undefined })
  for (const file of files) expect(statSync(file).mtimeMs).toBeGreaterThan(1000)
})

it('images lie in a folder that nobody else may enter', async () => {
  const image = await tinyKernel().build([], { folders: undefined })
  expect(statSync(join(home, 'mmtorture')).mode & 0o777).toBe(0o700)
  expect(existsSync(image.file)).toBe(true)
})
