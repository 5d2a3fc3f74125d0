// What a file is, told by what it exports or contains.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { builtInNames, builtIns, identify } from '../../src/judge/candidate.ts'

const folder = mkdtempSync(join(tmpdir(), 'mmtorture-judge-'))
afterAll(() => rmSync(folder, { recursive: true }))

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

describe('a candidate', () => {
  test.each([
    ['examples/ptlock/striped.ts', 'design'],
    ['examples/spinlock/plain.ts', 'spinlock'],
    ['examples/scenarios/my-race.ts', 'scenario'],
    ['reverts/ptl-wrong/revert.patch', 'patch'],
    ['examples/patches/no-recheck.patch', 'patch'],
  ])('%s is a %s of the user', (path, kind) => {
    expect(identify(path)).toMatchObject({ name: path, kind, builtIn: false })
  })

  test.each([
    ['hashed', 'design', ['PTLOCK=hashed']],
    ['mcs', 'spinlock', ['SPINLOCK=mcs']],
    ['same-page', 'scenario', []],
  ])('%s is a built-in %s', (name, kind, settings) => {
    expect(identify(name)).toMatchObject({ name, kind, builtIn: true, settings })
  })

  test('is chosen by a setting, or by a patch', () => {
    const [design, patch] = ['examples/ptlock/striped.ts', 'reverts/ptl-wrong/revert.patch'].map(identify)
    expect(design.settings).toEqual([`PTLOCK=${design.file}`])
    expect(patch.patches).toEqual([patch.file])
  })
})

describe('what is none is refused in one sentence', () => {
  test('a name that there is not, with the nearest that there is', () => {
    expect(() => identify('hashd')).toThrow(/^judge hashd: there is no such .*did you mean hashed/)
  })

  test('a TypeScript file that exports nothing of the kind', () => {
    const path = file('other.ts', 'export const ANSWER = 42\n')
    expect(() => identify(path)).toThrow(/exports none of ptlock_init .*arch_spin_lock .*and program/)
  })

  test('a text that is no unified diff', () => {
    expect(() => identify(file('notes.txt', 'nothing\n'))).toThrow(/expected a TypeScript file .* a patch/)
  })

  test('a file that is not there', () => {
    expect(() => identify('missing.ts')).toThrow(/there is no such file/)
  })
})

test('designs are compared with all that the catalogue has, the default first', () => {
  expect(builtIns('design').map(({ name }) => name)[0]).toBe('pmd')
  expect(
    builtIns('design')
      .map(({ name }) => name)
      .toSorted(),
  ).toEqual(builtInNames('design').toSorted())
  expect(builtIns('spinlock').map(({ name }) => name)).not.toContain('abstract')
  expect(builtIns('patch')).toEqual([])
})
