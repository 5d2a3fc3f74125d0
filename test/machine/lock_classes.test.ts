import { expect, test } from 'vitest'
import { LockClasses } from '../../src/machine/lock_classes.ts'

test('a lock has the class that it was given last', () => {
  const classes = new LockClasses()
  classes.set(16, 1)
  classes.set(16, 2)
  expect([classes.get(16), classes.get(32)]).toEqual([2, undefined])
})

test('an execution begins with the classes that setup gave', () => {
  const classes = new LockClasses()
  classes.set(16, 1)
  classes.keep()
  classes.set(16, 2)
  classes.set(32, 3)
  expect([classes.get(16), classes.get(32)]).toEqual([2, 3])
  classes.reset()
  expect([classes.get(16), classes.get(32)]).toEqual([1, undefined])
})
