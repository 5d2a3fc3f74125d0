import { homedir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { existingFile, expandHome } from '../../src/base/paths.ts'
import { sweepConfig } from '../../src/kbuild/config.ts'

test('~ is the home folder at the beginning of a path, and nowhere else', () => {
  expect(expandHome('~/a.ts')).toBe(join(homedir(), 'a.ts'))
  expect(expandHome('~')).toBe(homedir())
  expect(['~user/a.ts', 'a~/b', './~/a'].map(expandHome)).toEqual(['~user/a.ts', 'a~/b', './~/a'])
})

test('a file that is missing is named as it was typed', () => {
  expect(() => existingFile('--patch', '~/no-such.patch')).toThrow(
    '--patch ~/no-such.patch: there is no such file.',
  )
})

test('every path of a list has its home folder', () => {
  const { HOME } = process.env
  process.env.HOME = process.cwd()
  try {
    const designs = ['mm', 'pte'].map((name) => `~/src/kernel/locking/ptlock/${name}.ts`)
    expect(sweepConfig([`PTLOCK=${designs.join(',')}`]).map(({ PTLOCK }) => PTLOCK)).toEqual(
      ['mm', 'pte'].map((name) => join(process.cwd(), `src/kernel/locking/ptlock/${name}.ts`)),
    )
  } finally {
    process.env.HOME = HOME
  }
})
