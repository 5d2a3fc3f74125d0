import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../src/kbuild/index.ts'
import { bootTiny, tinyKernel } from './kernel.ts'

const DESIGN = `import { load } from 'mmtorture/kernel'
export const PTLOCK_WORDS = 1
export function ptlock_init(page: number): void {}
export function ptlock_free(page: number): void {}
export function pte_lockptr(mm: number, pmd: number): number {
  return load(pmd) + 1000
}
export function pmd_lockptr(mm: number, pmd: number): number {
  return mm
}
export function lock_pair(first: number, second: number): void {}
export function unlock_pair(first: number, second: number): void {}
`

async function withDesign(code: string): ReturnType<ReturnType<typeof tinyKernel>['build']> {
  const kernel = tinyKernel()
  const path = kernel.write('user/mine.ts', code)
  return kernel.build([`PTLOCK=${path}`])
}

describe("a user's design", () => {
  it('is linked in place of a built-in one', async () => {
    const { kernel } = await bootTiny(await withDesign(DESIGN))
    expect(kernel.pte_lockptr(0, 5)).toBe(1000)
  })

  it('is refused when exports are missing, with their names', async () => {
    const code = DESIGN.replace(/export function (un)?lock_pair.*\n/g, '')
    await expect(withDesign(code)).rejects.toThrow(/mine\.ts:1:1: .* must export lock_pair and unlock_pair\./)
  })

  it.each(['1e9', '-16', '0.5'])('is refused when it wants %s words', async (words) => {
    const code = DESIGN.replace('PTLOCK_WORDS = 1', `PTLOCK_WORDS = ${words}`)
    await expect(withDesign(code)).rejects.toThrow(
      /mine\.ts: PTLOCK_WORDS is [-.\d]+; it must be a whole number of words from 0 to 134217728 \(512 MiB\)\./,
    )
  })

  it('is refused when a function has another number of parameters', async () => {
    const code = DESIGN.replace('ptlock_init(page: number)', 'ptlock_init()')
    await expect(withDesign(code)).rejects.toThrow(
      /mine\.ts:3:8: 'ptlock_init' must take 1 parameter, not 0\./,
    )
  })

  it('is refused when the constant is a function', async () => {
    const code = DESIGN.replace('export const PTLOCK_WORDS = 1', 'export function PTLOCK_WORDS(): void {}')
    await expect(withDesign(code)).rejects.toThrow(/mine\.ts:2:8: 'PTLOCK_WORDS' must be a constant number\./)
  })

  it('that takes its locks itself is refused until it brings the part whole, and no function of the usual one', async () => {
    const own = DESIGN.replace(/export function (pte_lockptr[^}]*}|(un)?lock_pair.*)\n/g, '')
    const lock =
      'export function ptl_lock(mm: number, pmd: number, a: number, e: number, m: number): number {\n  return 0\n}\n'
    await expect(withDesign(own + lock)).rejects.toThrow(
      /must export ptl_unlock, ptl_is_contended, ptl_lock_pair, ptl_unlock_pair and PTL_RANGE\./,
    )
  })

  it('that looks without a lock must say how such a look ends', async () => {
    const begin = 'export function ptl_read_begin(pmd: number, addr: number): number {\n  return 0\n}\n'
    await expect(withDesign(DESIGN + begin)).rejects.toThrow(
      /must export ptl_read_retry and PTL_OPTIMISTIC\./,
    )
  })

  it('is refused when it does not parse, with line and column', async () => {
    await expect(withDesign(`${DESIGN}export function (\n`)).rejects.toThrow(/mine\.ts:13:\d+: /)
  })

  it('may not reach the machine’s memory', async () => {
    const code =
      `import { this_cpu } from '../src/kernel/arch/machine.ts'\n` +
      `${DESIGN.replace('return mm', 'return this_cpu')}`
    await expect(withDesign(code)).rejects.toThrow(/'this_cpu' is for the machine's own files/)
  })
})

describe('a scenario', () => {
  it('is refused without setup and program', async () => {
    const kernel = tinyKernel({ 'scenarios/tiny.ts': 'export const A = 1\n' })
    await expect(kernel.build()).rejects.toThrow(
      /scenarios\/tiny\.ts:1:1: a scenario must export setup and program\./,
    )
  })

  it('is refused when its file does not exist', async () => {
    const kernel = tinyKernel()
    await expect(kernel.build([], { scenario: join(kernel.root, 'none.ts') })).rejects.toThrow(
      /no scenario file/,
    )
  })
})

it('every built-in choice of the configuration links', async () => {
  const kernel = tinyKernel()
  for (const PTLOCK of ['mm', 'pte', 'pmd', 'hashed']) {
    const image = await kernel.build([`PTLOCK=${PTLOCK}`])
    expect(image.config).toEqual(parseConfig([`PTLOCK=${PTLOCK}`]))
  }
})
