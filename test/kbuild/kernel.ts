// A small kernel in a folder of its own, for tests that change its files.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach } from 'vitest'
import {
  type BuildOptions,
  type KernelImage,
  kbuild,
  loadImage,
  parseConfig,
} from '../../src/kbuild/index.ts'

const FIXTURE = fileURLToPath(new URL('fixtures/kernel', import.meta.url))
const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** A new empty folder, removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mmtorture-test-'))
  folders.push(folder)
  return folder
}

export interface TinyKernel {
  readonly root: string
  readonly scenario: string
  /** Where its images go. */
  readonly images: string
  write(name: string, text: string): string
  read(name: string): string
  build(settings?: string[], options?: Partial<BuildOptions>): Promise<KernelImage>
}

/** A copy of the fixture kernel with `files` (path from its root -> text) written over it. */
export function tinyKernel(files: Record<string, string> = {}): TinyKernel {
  const root = temporaryFolder()
  cpSync(FIXTURE, root, { recursive: true })
  const images = join(root, 'images')
  const scenario = join(root, 'scenarios', 'tiny.ts')
  const write = (name: string, text: string): string => {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
    return join(root, name)
  }
  for (const [name, text] of Object.entries(files)) write(name, text)
  return {
    root,
    scenario,
    images,
    write,
    read: (name) => readFileSync(join(root, name), 'utf8'),
    build: (settings = [], options = {}) =>
      kbuild(parseConfig(settings), { scenario, root, folders: [images], ...options }),
  }
}

type Functions = Record<string, (...values: number[]) => number>

/** Boots an image on a small memory. */
export async function bootTiny(image: KernelImage): Promise<{ kernel: Functions; memory: Int32Array }> {
  const boot = await loadImage(image)
  const memory = new Int32Array(new SharedArrayBuffer(1 << 16))
  const env = {
    memory,
    wasm: { add: (p: number, value: number) => Atomics.add(memory, p, value) },
    this_cpu: 3,
    stat: new Float64Array(16),
    oracle: memory,
    clock: () => 5,
    machine_bug: () => {
      throw new Error('BUG')
    },
  }
  return { kernel: boot(env as never) as unknown as Functions, memory }
}
