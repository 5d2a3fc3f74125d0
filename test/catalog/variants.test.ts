// The kernels and seeds of a sweep.
import { describe, expect, test } from 'vitest'
import { variantsOf } from '../../src/catalog/variants.ts'

describe('lists', () => {
  test('are one variant where nothing is a list', () => {
    const options = { cpus: 4, revert: ['ptl-wrong'], config: ['PTLOCK=mm,pte'] }
    expect(variantsOf(options)).toEqual([options])
    expect(variantsOf({})).toEqual([{}])
  })

  test('cross, reverts varying slowest and seeds fastest', () => {
    const variants = variantsOf({ revert: ['none,a'], scheduler: 'pct,random', seed: [1, 2] })
    expect(
      variants.map(({ revert, scheduler, seed }) => [revert!.join(), scheduler, seed].join(' ')),
    ).toEqual([
      ...[' pct 1', ' pct 2', ' random 1', ' random 2'],
      ...['a pct 1', 'a pct 2', 'a random 1', 'a random 2'],
    ])
  })

  test('of two options of a name are taken out together', () => {
    expect(variantsOf({ revert: ['a,b', 'c'] }).map(({ revert }) => revert)).toEqual([
      ['a', 'c'],
      ['b', 'c'],
    ])
    expect(variantsOf({ patch: ['x.patch', 'y.patch'] })).toEqual([{ patch: ['x.patch', 'y.patch'] }])
  })

  test('have each value once', () => {
    expect(variantsOf({ seed: [3, 3], revert: ['a,a'] })).toEqual([{ seed: 3, revert: ['a'] }])
  })
})
