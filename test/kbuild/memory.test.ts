// A process that builds several images uses again what passes have made of a function. Whether it may is tested here:
// the same images, each in a process of its own.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { packageRoot } from '../../src/base/root.ts'
import { readRevert } from '../../src/catalog/reverts.ts'
import { type BuildOptions, type Configuration, kbuild, parseConfig } from '../../src/kbuild/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'mmtorture-memory-'))
afterAll(() => rmSync(folder, { recursive: true }))

const SMALL = ['SPINLOCK=abstract', 'MEMORY=1M', 'PTRS_PER_TABLE=8']

type Build = [config: Configuration, options: BuildOptions]

function build(name: string, settings: readonly string[], ...reverts: string[]): Build {
  const scenario = join(packageRoot(), 'scenarios', `${name}.ts`)
  const patches = reverts.map((id) => readRevert(id).patch)
  return [parseConfig([...SMALL, ...settings]), { scenario, patches, image: 'stepped', folders: [folder] }]
}

/** What a process of its own builds. */
function alone(one: Build): string {
  const kbuildFile = fileURLToPath(new URL('../../dist/src/kbuild/index.js', import.meta.url))
  const script = `const { kbuild } = await import(${JSON.stringify(kbuildFile)})
    console.log((await kbuild(...${JSON.stringify(one)})).file)`
  const file = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  return imageText(file.trim())
}

/** The text of an image and all that lies beside it, which are not found again. */
function imageText(file: string): string {
  const text = readFileSync(file, 'utf8') + readFileSync(`${file}.map`, 'utf8')
  rmSync(file)
  return text
}

test('an image is the same whatever the process has built before', { timeout: 120_000 }, async () => {
  const builds = [
    build('fork-storm', []),
    build('fork-discard', [], 'no-recheck-handle-pte-fault'),
    build('fork-storm', ['NR_CPUS=8', 'SWAP=y']),
    build('munmap-fault', [], 'munmap-no-detached'),
    build('fork-discard', []),
  ]
  const texts: string[] = []
  for (const [config, options] of builds) texts.push(imageText((await kbuild(config, options)).file))
  // The first was built from nothing here too.
  for (const index of [2, 3, 4]) expect(texts[index] === alone(builds[index])).toBe(true)
})
