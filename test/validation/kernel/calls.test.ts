import { expect, test } from 'vitest'
import { drawCalls, isWhole } from '../../../validation/kernel/calls.ts'
import * as layout from '../../../validation/kernel/layout.ts'

test('a seed gives the same calls again, another one others', () => {
  expect(drawCalls(3, 50)).toEqual(drawCalls(3, 50))
  expect(drawCalls(3, 50)).not.toEqual(drawCalls(5, 50))
})

test('every process is forked before it acts, and every kind of call comes', () => {
  const all = Array.from({ length: 20 }, (_, seed) => drawCalls(seed + 1, 200))
  expect(all.every(isWhole)).toBe(true)
  const kinds = new Set(all.flat().map(({ kind }) => kind))
  expect([...kinds].toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
})

test('calls of a process after its exit or before its fork are not whole', () => {
  const load = { process: 1, kind: layout.CALL_READ, args: [0] }
  const fork = { process: 0, kind: layout.CALL_FORK, args: [1] }
  expect(isWhole([load, fork])).toBe(false)
  expect(isWhole([fork, load])).toBe(true)
  expect(isWhole([fork, { process: 1, kind: layout.CALL_EXIT, args: [] }, load])).toBe(false)
})
