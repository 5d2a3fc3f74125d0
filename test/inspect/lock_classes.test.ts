import { expect, test } from 'vitest'
import * as constants from '../../src/kernel/locking/lock_class.ts'
import { LOCK_CLASSES, lockClassText } from '../../src/inspect/lock_classes.ts'

test('every class has a text and no number is used twice', () => {
  const symbols = Object.keys(constants).filter((name) => name.startsWith('LOCK_CLASS_'))
  expect(Object.keys(LOCK_CLASSES).toSorted()).toEqual(symbols.toSorted())
  const numbers = symbols.map((name) => (constants as Record<string, unknown>)[name])
  expect(new Set(numbers).size).toBe(symbols.length)
})

test('modes and subclasses are written as in Linux', () => {
  expect(lockClassText('LOCK_CLASS_mmap_lock_R', 0)).toBe('&mm->mmap_lock-R')
  expect(lockClassText('LOCK_CLASS_mmap_lock_W', 1)).toBe('&mm->mmap_lock/1-W')
  expect(lockClassText('LOCK_CLASS_ptlock', 1)).toBe('ptlock_ptr(page)/1')
})
