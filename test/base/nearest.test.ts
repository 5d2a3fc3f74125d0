import { expect, it } from 'vitest'
import { nearest } from '../../src/base/nearest.ts'

it('finds the name with the fewest edits, whatever the case', () => {
  expect(nearest('ptlok', ['SPINLOCK', 'PTLOCK', 'TICK'])).toBe('PTLOCK')
})

it('finds nothing when all names are far', () => {
  expect(nearest('zzzzzzzz', ['PTLOCK', 'TICK'])).toBeUndefined()
})
