// What tells the rows of a sweep apart.
import { describe, expect, test } from 'vitest'
import { defaultConfig } from '../../src/kbuild/config.ts'
import { baselineOf, rowColumns, type RowKernel, rowLabels } from '../../src/kbuild/labels.ts'

const row = (about: Partial<RowKernel> = {}): RowKernel => ({
  ...{ config: defaultConfig(), reverts: [], patches: [], seed: 1 },
  ...about,
})
const locks = (PTLOCK: string): RowKernel['config'] => ({ ...defaultConfig(), PTLOCK })

describe('rows', () => {
  test('are told apart by what differs, and by nothing else', () => {
    const rows = [row(), row({ config: locks('mm') }), row({ reverts: ['a', 'b'], seed: 2 })]
    expect(rowColumns(rows)).toEqual([
      { name: 'PTLOCK', values: ['pmd', 'mm', 'pmd'] },
      { name: 'revert', values: ['none', 'none', 'a+b'] },
      { name: 'seed', values: ['1', '1', '2'] },
    ])
    expect(rowLabels(rows)[2]).toBe('PTLOCK=pmd revert=a+b seed=2')
  })

  test('of several scenarios have theirs first, and the keys in which rows of one differ', () => {
    const swap = { ...defaultConfig(), SWAP: 'y' as const }
    const rows = [
      row({ scenario: 'oom', config: swap }),
      row({ scenario: 'exec', seed: 1 }),
      row({ scenario: 'exec', seed: 2 }),
    ]
    expect(rowLabels(rows)).toEqual(['oom', 'exec seed=1', 'exec seed=2'])
  })

  test('show the last name of a path', () => {
    expect(rowLabels([row(), row({ patches: ['a/b/mine.patch'] })])[1]).toBe('patch=mine.patch')
  })
})

describe('the baseline', () => {
  const labels = ['PTLOCK=mm seed=1', 'PTLOCK=pmd seed=1', 'PTLOCK=pmd seed=2']

  test('is the first row, or the first that has all words of its name', () => {
    expect(baselineOf(labels, undefined)).toBe(0)
    expect(baselineOf(labels, 'PTLOCK=pmd')).toBe(1)
    expect(baselineOf(labels, 'seed=2 PTLOCK=pmd')).toBe(2)
  })

  test('that there is not is refused with the rows that there are', () => {
    expect(() => baselineOf(labels, 'PTLOCK=pm')).toThrow(
      '--baseline PTLOCK=pm: there is no such row; the rows are PTLOCK=mm seed=1, PTLOCK=pmd seed=1, ' +
        'PTLOCK=pmd seed=2.',
    )
  })
})
